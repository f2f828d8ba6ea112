import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { lengthOf } from '../../upload/body-source.ts'
import type { ForwardedBody, Origin } from '../../upload/origin.ts'
import type { Uploads } from '../../upload/uploads.ts'
import { answerTo } from '../answer.ts'
import { readerOf } from '../reader.ts'
import { problemAnswer } from '../respond.ts'
import type { TicketParts } from './bindings.ts'
import type { Ticket } from './ticket.ts'

/** Seconds for which a browser may remember that it may upload. */
const CORS_MAX_AGE_SECONDS = 86_400

/**
 * `PUT /objects/<key>` with a ticket. The object reaches the bucket only after the upload was
 * judged and allowed. Other methods and paths go to the next handler.
 */
export function objectUploads(deps: ObjectsDeps): Hono {
  const { path, corsOrigins } = deps.tickets
  const app = new Hono()
  if (corsOrigins.length > 0) {
    const handle = cors({
      origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
      allowMethods: ['PUT'],
      allowHeaders: ['authorization', 'content-type'],
      exposeHeaders: ['etag'],
      maxAge: CORS_MAX_AGE_SECONDS,
    })
    app.on(['PUT', 'OPTIONS'], `${path}/*`, handle)
  }
  app.put(`${path}/*`, (c) => {
    const answering = putObject(c, deps)
    c.executionCtx.waitUntil(answering) // so that a ticket is given back when the client goes away
    return answering
  })
  return app
}

/** What the door for tickets needs. */
export interface ObjectsDeps {
  uploads: Uploads
  tickets: TicketParts
}

async function putObject(c: Context, { uploads, tickets }: ObjectsDeps): Promise<Response> {
  const { bucket, uses, signer, path } = tickets
  const request = c.req.raw
  const ticket = await signer.read(ticketOf(request))
  if (!ticket) return denied()
  const problem = mismatch(request, ticket, path)
  if (problem) return problem
  const use = uses.getByName(ticket.id)
  if (!(await use.take(ticket.expires * 1000)))
    return refusedTicket(409, 'The ticket has been used.', 'It is valid for one upload.')
  const origin = new ObjectOrigin(bucket, ticket)
  let isSpent = false
  try {
    const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
    const plain = plainRequest(request, ticket)
    const passage = await uploads.passJudged(plain, { origin, waitUntil })
    const response = await answerTo(passage, plain, uploads, readerOf(c))
    // A match spends the ticket. Otherwise one ticket would tell how much a picture must be
    // changed.
    isSpent = origin.isStored || (!passage.isPassed && passage.outcome.reason === 'match')
    return response
  } finally {
    if (!isSpent) await use.giveBack()
  }
}

/** Where a request contradicts its ticket, checked before a byte of it is read. */
function mismatch(request: Request, ticket: Ticket, path: string): Response | undefined {
  const { headers } = request
  if (keyIn(request.url, path) !== ticket.key)
    return refusedTicket(403, 'The ticket is for another object.')
  if (!isSameType(headers.get('content-type'), ticket.type))
    return refusedTicket(415, 'The content type is not the one granted.', ticket.type)
  if (headers.has('content-encoding'))
    return refusedTicket(415, 'Objects are stored as sent: Content-Encoding is not accepted.')
  const length = lengthOf(request)
  if (length === undefined) return refusedTicket(411, 'The upload must say how long it is.')
  if (length === 0) return refusedTicket(400, 'The upload is empty.')
  return length > ticket.maxBytes
    ? refusedTicket(413, 'The upload is longer than granted.', `${ticket.maxBytes} bytes`)
    : undefined
}

/** The upload, without headers that could make it read differently from the stored object. */
function plainRequest(request: Request, { type }: Ticket): Request {
  const headers = new Headers({ 'content-type': type })
  for (const name of ['content-length', 'cf-connecting-ip']) {
    const value = request.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  const { origin, pathname } = new URL(request.url)
  return new Request(origin + pathname, { method: 'PUT', headers, body: request.body })
}

/** A bucket, as the origin of one upload. It never replaces an object. */
class ObjectOrigin implements Origin {
  isStored = false
  readonly #bucket: R2Bucket
  readonly #ticket: Ticket

  constructor(bucket: R2Bucket, ticket: Ticket) {
    this.#bucket = bucket
    this.#ticket = ticket
  }

  async forward(_: Request, body?: ForwardedBody): Promise<Response> {
    const { key, type } = this.#ticket
    // A body that breaks off, such as that of a refused upload, leaves nothing behind.
    const object = await this.#bucket.put(key, body ?? new Uint8Array(0), {
      onlyIf: new Headers({ 'if-none-match': '*' }),
      httpMetadata: { contentType: type },
    })
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- null if the object exists
    if (!object) return refusedTicket(409, 'The object already exists.')
    this.isStored = true
    return new Response(null, { status: 201, headers: { etag: object.httpEtag } })
  }
}

function ticketOf(request: Request): string {
  const [, ticket] = /^bearer\s+(\S+)\s*$/i.exec(request.headers.get('authorization') ?? '') ?? []
  return ticket ?? new URL(request.url).searchParams.get('ticket') ?? ''
}

/** The key that a URL names; `undefined` if it names none. */
function keyIn(url: string, path: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url).pathname.slice(path.length + 1))
  } catch {
    return undefined
  }
}

function isSameType(given: string | null, granted: string): boolean {
  return given?.trim().toLowerCase() === granted.toLowerCase()
}

function denied(): Response {
  const headers = { 'www-authenticate': 'Bearer realm="hashgate objects"' }
  const problem = { title: 'Unauthorized', status: 401, detail: 'A valid ticket is required.' }
  return problemAnswer(problem, headers)
}

function refusedTicket(status: number, title: string, detail?: string): Response {
  return problemAnswer({ title, status, ...(detail !== undefined && { detail }) })
}
