import * as v from 'valibot'
import { described } from '../../util/settings.ts'
import { isObjectKey, MAX_KEY_BYTES, MAX_TICKET_SECONDS } from './ticket.ts'
import { ApiError } from '../api/errors.ts'
import { checkFields, isJson, readJsonBody } from '../api/json-body.ts'
import { jsonAnswer } from '../respond.ts'
import { describedProblem } from '../api/openapi.ts'
import type { Call, Route } from '../api/route.ts'
import type { TicketParts } from './bindings.ts'

/** Seconds for which a ticket is valid by default. */
const DEFAULT_SECONDS = 900

const KEY = `must be a key of 1 to ${MAX_KEY_BYTES} bytes, without control characters, backslashes, or parts that are empty, . or ..`
const BYTES = 'must be a whole number from 1'
const SECONDS = `must be a whole number from 1 to ${MAX_TICKET_SECONDS}`
const TYPE = 'must be a content type, such as image/jpeg'

/** What a service asks a ticket for. */
const TicketSchema = v.strictObject({
  key: v.pipe(v.string(KEY), v.check(isObjectKey, KEY), v.description('Key of the object.')),
  maxBytes: v.pipe(
    v.number(BYTES),
    v.integer(BYTES),
    v.minValue(1, BYTES),
    v.description('Largest length of the object, in bytes.'),
  ),
  type: v.pipe(
    v.string(TYPE),
    v.maxLength(255, TYPE),
    v.regex(
      /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; ?[\w!#$&^.+-]+=("[\w !#$&^.+/-]*"|[\w!#$&^.+-]+))*$/,
      TYPE,
    ),
    v.description('Content type that the upload must have.'),
  ),
  seconds: v.optional(
    v.pipe(
      v.number(SECONDS),
      v.integer(SECONDS),
      v.minValue(1, SECONDS),
      v.maxValue(MAX_TICKET_SECONDS, SECONDS),
      v.description('Seconds for which the ticket is valid.'),
    ),
    DEFAULT_SECONDS,
  ),
})

const TicketAnswer = v.strictObject({
  ticket: described(v.string(), 'Send it with the upload: `Authorization: Bearer`.'),
  path: described(v.string(), 'Where to PUT the object, on this host.'),
  expires: v.pipe(v.string(), v.isoTimestamp()),
})

/** The route of the API that issues tickets. */
export function ticketRoute(tickets: TicketParts | undefined): Route {
  return {
    method: 'POST',
    path: '/v1/tickets',
    scope: 'tickets',
    summary: 'A ticket for one upload',
    description:
      'Grants one PUT of an object, with the given key, length and content type, to a path of this host. The object reaches the bucket only after it was judged and allowed.',
    bodies: [
      {
        type: 'application/json',
        schema: TicketSchema,
        example: { key: 'albums/7/cat.jpg', maxBytes: 5_000_000, type: 'image/jpeg' },
      },
    ],
    answers: {
      201: {
        description: 'The ticket.',
        schema: TicketAnswer,
        example: {
          ticket: 'eyJhbGciOiJIUzI1NiJ9.eyJrZXkiOiJhIn0.c2lnbmF0dXJl',
          path: '/objects/albums/7/cat.jpg',
          expires: '2026-11-23T09:45:00.000Z',
        },
      },
      400: describedProblem('Bad request', 400, {
        detail: 'The request body does not match the schema: `key` must be a key.',
        errors: [{ path: 'key', message: 'must be a key' }],
      }),
      404: describedProblem('Not found', 404),
      408: describedProblem('Request timeout', 408),
      413: describedProblem('Content too large', 413),
      415: describedProblem('Unsupported media type', 415),
    },
    errors: 'problem',
    handle: (call) => answerTicket(call, tickets),
  }
}

/** `POST /v1/tickets`: grants one upload. @throws {ApiError} 400, 404, 415 */
async function answerTicket(call: Call, tickets: TicketParts | undefined): Promise<Response> {
  if (!tickets) throw new ApiError(404, 'Uploads by ticket are not configured.')
  if (!isJson(call.request)) throw new ApiError(415, 'The body must be application/json.')
  const { seconds, ...grant } = checkFields(TicketSchema, await readJsonBody(call))
  const { maxBodyBytes } = call.uploads.settings.upload
  if (grant.maxBytes > maxBodyBytes)
    throw new ApiError(400, `maxBytes exceeds the longest allowed body, ${maxBodyBytes}.`)
  const { ticket, expires } = await tickets.signer.issue(grant, seconds)
  const path = `${tickets.path}/${grant.key.split('/').map(encodeURIComponent).join('/')}`
  return jsonAnswer({ ticket, path, expires: new Date(expires * 1000).toISOString() }, 201)
}
