import * as v from 'valibot'
import { isObjectKey, MAX_KEY_BYTES, MAX_TICKET_SECONDS } from './ticket.ts'
import { ApiError } from '../api/errors.ts'
import { checkFields, isJson, readJson } from '../api/json-body.ts'
import { jsonAnswer } from '../problem.ts'
import type { Call } from '../api/route.ts'

/** Seconds for which a ticket holds if its service does not say. */
const DEFAULT_SECONDS = 900

const KEY = `must be a key of 1 to ${MAX_KEY_BYTES} bytes, without control characters, backslashes, or parts that are empty, . or ..`
const BYTES = 'must be a whole number from 1'
const SECONDS = `must be a whole number from 1 to ${MAX_TICKET_SECONDS}`
const TYPE = 'must be a content type, such as image/jpeg'

/** What a service wants a ticket for. */
export const TicketSchema = v.strictObject({
  key: v.pipe(v.string(KEY), v.check(isObjectKey, KEY), v.description('Of the object.')),
  maxBytes: v.pipe(
    v.number(BYTES),
    v.integer(BYTES),
    v.minValue(1, BYTES),
    v.description('Length that the object may have.'),
  ),
  type: v.pipe(
    v.string(TYPE),
    v.maxLength(255, TYPE),
    v.regex(
      /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; ?[\w!#$&^.+-]+=("[\w !#$&^.+/-]*"|[\w!#$&^.+-]+))*$/,
      TYPE,
    ),
    v.description('Content type that it must have.'),
  ),
  seconds: v.optional(
    v.pipe(
      v.number(SECONDS),
      v.integer(SECONDS),
      v.minValue(1, SECONDS),
      v.maxValue(MAX_TICKET_SECONDS, SECONDS),
      v.description('For which the ticket holds.'),
    ),
    DEFAULT_SECONDS,
  ),
})

export const TicketAnswer = v.strictObject({
  ticket: v.pipe(v.string(), v.description('Goes with the upload: `Authorization: Bearer`.')),
  path: v.pipe(v.string(), v.description('Where to PUT the object, on this host.')),
  expires: v.pipe(v.string(), v.isoTimestamp()),
})

/** `POST /v1/tickets`: a grant of one upload. @throws {ApiError} 400, 404, 415 */
export async function answerTicket(call: Call): Promise<Response> {
  const { tickets, gate } = call
  if (!tickets) throw new ApiError(404, 'There is no bucket for uploads by ticket.')
  if (!isJson(call.request)) throw new ApiError(415, 'The body must be application/json.')
  const { seconds, ...grant } = checkFields(TicketSchema, await readJson(call))
  const { maxBodyBytes } = gate.config
  if (grant.maxBytes > maxBodyBytes)
    throw new ApiError(400, `maxBytes is over MAX_BODY_BYTES, ${maxBodyBytes}.`)
  const { ticket, expires } = await tickets.office.issue(grant, seconds)
  const path = `${tickets.path}/${grant.key.split('/').map(encodeURIComponent).join('/')}`
  return jsonAnswer({ ticket, path, expires: new Date(expires * 1000).toISOString() }, 201)
}
