import { type ForwardedBody, type Origin, withHeaders } from '../origin.ts'
import type { Passage, Refused } from '../outcome.ts'
import type { UploadState } from './staged-upload.ts'
import type { StagingDeps, UploadHandle } from './staging.ts'
import { WholeBody } from './whole-body.ts'

/** Statuses of an origin after which an upload is worth keeping, beside 5xx. */
const TRANSIENT = new Set([401, 403, 408, 425, 429])

/** Headers about the last request rather than the upload, or that only the gate may set. */
const OWN_HEADERS =
  /^(content-|upload-|tus-|x-amz-|amz-sdk-|x-http-method-override$|transfer-encoding$|expect$|te$|trailer$|if-|range$|idempotency-key$)/

/**
 * Judges a complete upload as one request, and sends it to the origin if it is allowed. Then
 * deletes its parts, unless the attempt failed for another reason than the upload itself.
 * @throws the error of reading a part, after which the upload's end may be sent again
 * @param request the one that completed it: the origin gets its credentials
 */
export async function finishUpload(
  request: Request,
  method: 'POST' | 'PUT',
  upload: UploadHandle,
  state: UploadState,
  deps: FinishingDeps,
): Promise<FinishedUpload> {
  const { stub } = upload
  const parts = await stub.parts()
  const bodies: WholeBody[] = []
  const newBody = () => {
    const body = new WholeBody(deps.bucket, parts, () => stub.renew(state.attempt))
    bodies.push(body)
    return body.readable
  }
  const lastReadAt = () => Math.max(0, ...bodies.map((body) => body.lastReadAt))
  const type = state.facts.headers['content-type']
  const origin = new AskedAfterwards({ origin: deps.target, type, newBody, lastReadAt })
  const whole = wholeRequest(request, method, upload, state, newBody)
  const passage = await deps.pass(whole, origin)
  const response = passage.isPassed ? await passage.response.catch(() => undefined) : undefined
  await Promise.all(bodies.map((body) => body.finish(response ? deps.maxOriginMs : 0)))
  const failure = bodies.find((body) => body.failure)?.failure
  const outcome = failure ? 'again' : outcomeOf(passage, response)
  await stub.settle(state.attempt, outcome === 'again' ? 'open' : outcome)
  // What the gate made of half a body is no answer for a client that sent all of it.
  if (failure) throw failure.error
  return { outcome, request: whole, passage }
}

/** What became of a complete upload. `again`: it is kept, and its end may be sent once more. */
export interface FinishedUpload {
  outcome: 'done' | 'refused' | 'again'
  /** The upload as one request. */
  request: Request
  /** Has the origin's answer, if it is done. */
  passage: Passage
}

export interface FinishingDeps extends StagingDeps {
  maxOriginMs: number
  /** Where allowed uploads go. */
  target: Origin
  /** Judges a request, and sends it to an origin if it is allowed. */
  pass: (request: Request, origin: Origin) => Promise<Passage>
}

/** The upload as one request. */
function wholeRequest(
  { url, headers: sent }: Request,
  method: string,
  { id }: UploadHandle,
  { facts, offset }: UploadState,
  newBody: () => ReadableStream<Uint8Array>,
): Request {
  const headers = new Headers([...sent].filter(([name]) => !OWN_HEADERS.test(name)))
  for (const [name, value] of Object.entries(facts.headers)) headers.set(name, value)
  headers.set('content-type', typeToJudge(facts.headers['content-type']))
  headers.set('content-length', String(offset))
  headers.set('idempotency-key', `"${id}"`)
  return new Request(new URL(facts.target, url), {
    method,
    headers,
    body: offset > 0 ? newBody() : null,
  })
}

/** An upload is one file, whatever its type says: even a form is inspected as a file. */
export function typeToJudge(type = 'application/octet-stream'): string {
  return /^\s*(multipart|message)\//i.test(type) ? 'application/octet-stream' : type
}

/** @param response of the origin, if it has answered */
function outcomeOf(passage: Passage, response: Response | undefined): FinishedUpload['outcome'] {
  if (!passage.isPassed) return isLasting(passage.outcome.reason) ? 'refused' : 'again'
  if (!response) return 'again'
  if (response.status < 400) return 'done'
  return response.status >= 500 || TRANSIENT.has(response.status) ? 'again' : 'refused'
}

/** Whether the upload was refused for what it is, and would be refused again. */
function isLasting(reason: Refused['reason']): boolean {
  switch (reason) {
    case 'match':
    case 'unscannable':
    case 'malformed':
    case 'unaccepted-format':
    case 'too-large':
    case 'length-required':
    case 'client-gone':
      return true
    case 'failed':
    case 'busy':
    case 'client-stalled':
    case 'origin-stalled':
      return false
  }
}

/**
 * An origin that gets an upload only after all of it was judged, even one that is too long to hold:
 * its parts can be read again.
 */
class AskedAfterwards implements Origin {
  readonly lastReadAt: () => number
  readonly #origin: Origin
  readonly #type: string | undefined
  readonly #newBody: () => ReadableStream<Uint8Array>

  constructor({ origin, type, newBody, lastReadAt }: AskedParts) {
    this.lastReadAt = lastReadAt
    this.#origin = origin
    this.#type = type
    this.#newBody = newBody
  }

  async forward(request: Request, body?: ForwardedBody): Promise<Response> {
    const isHeld = body === undefined || body instanceof Uint8Array
    if (!isHeld) await body.pipeTo(new WritableStream())
    const headers = new Headers(request.headers)
    if (this.#type === undefined) headers.delete('content-type')
    else headers.set('content-type', this.#type)
    const sent = isHeld ? body : this.#newBody()
    return this.#origin.forward(withHeaders(request, headers, sent), sent)
  }
}

interface AskedParts {
  origin: Origin
  /** Type of the upload, as the client stated it. */
  type: string | undefined
  newBody: () => ReadableStream<Uint8Array>
  /** When a body was last read. */
  lastReadAt: () => number
}
