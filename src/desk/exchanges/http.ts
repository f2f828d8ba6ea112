import * as v from 'valibot'
import { parseJson } from '../../util/json.ts'
import { readAtMost } from '../../util/read-at-most.ts'
import { within } from '../../util/within.ts'
import { BadAnswerError, NotAuthorizedError, RateLimitedError, UnavailableError } from './errors.ts'
import type { Ask, World } from './exchange.ts'
import { retryAfterSeconds } from '../../util/retry-after.ts'

/** Maximum attempts of a request. */
const ATTEMPTS = 3
/** Milliseconds before the second attempt; doubled before the third. */
const FIRST_WAIT_MS = 1000
/** Milliseconds until an answer must begin. */
const MAX_WAIT_MS = 60_000
/** Milliseconds allowed for the body of an answer. */
const MAX_BODY_MS = 300_000
/** Default limit for the bytes of an answer. */
const MAX_BYTES = 32 * 1024 * 1024

/**
 * Sends a request to a provider. Transient faults are retried. Redirects are not followed: they
 * could send credentials elsewhere.
 * @throws {ExchangeError}
 */
export async function ask(world: World, request: Ask): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(world, request)
    } catch (error) {
      const isPassing = error instanceof UnavailableError
      if (!isPassing || attempt === ATTEMPTS) throw error
      await world.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1))
    }
  }
}

async function askOnce(world: World, { what, url, accept = [], ...rest }: Ask): Promise<Response> {
  const { method = 'GET', headers = {}, body } = rest
  const request = new Request(url, {
    method,
    headers: { 'user-agent': 'hashgate', ...headers },
    redirect: 'manual',
    ...(body !== undefined && { body }),
  })
  let response: Response
  try {
    const late = () => new UnavailableError(what, 'no answer in time')
    response = await within(world.fetch(request), MAX_WAIT_MS, late)
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    // No cause: its message may contain the address.
    throw new UnavailableError(what, 'no connection')
  }
  const { status } = response
  if (response.ok || accept.includes(status)) return response
  await response.body?.cancel()
  if (status === 401 || status === 403) throw new NotAuthorizedError(what, status)
  if (status === 429) {
    const wait = retryAfterSeconds(response.headers.get('retry-after') ?? '', world.now())
    throw new RateLimitedError(what, wait)
  }
  if (status >= 500 || status === 408) throw new UnavailableError(what, `status ${status}`)
  throw new BadAnswerError(what, `has the status ${status}`)
}

/**
 * Reads the whole body of an answer.
 * @throws {BadAnswerError} it is too long, or shorter than stated
 * @throws {UnavailableError} the connection broke off
 */
export async function readBytes(
  response: Response,
  what: string,
  maxBytes = MAX_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const late = () => new UnavailableError(what, 'its answer takes too long')
  const cutOff = () => new UnavailableError(what, 'its answer was cut off')
  let bytes: Uint8Array<ArrayBuffer> | undefined
  try {
    bytes = await within(readAtMost(response.body, maxBytes), MAX_BODY_MS, late)
  } catch (error) {
    throw error instanceof UnavailableError ? error : cutOff()
  }
  if (!bytes) throw new BadAnswerError(what, `has more than ${maxBytes} bytes`)
  const said = response.headers.get('content-length')
  const isPlain = !response.headers.has('content-encoding')
  if (isPlain && said !== null && Number(said) !== bytes.length) throw cutOff()
  return bytes
}

export async function readTextAnswer(response: Response, what: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(response, what))
}

/** @throws {BadAnswerError} it is not JSON */
export async function readJsonAnswer(response: Response, what: string): Promise<unknown> {
  const json = parseJson(await readTextAnswer(response, what))
  if (json === undefined) throw new BadAnswerError(what, 'is not JSON, or truncated')
  return json
}

/**
 * The JSON of an answer.
 * @param problem what is wrong with it if it does not fit the schema
 * @throws {BadAnswerError} it is not JSON, or has another structure
 */
export async function checkedAnswer<S extends v.GenericSchema>(
  schema: S,
  response: Response,
  what: string,
  problem = 'lacks a required field',
): Promise<v.InferOutput<S>> {
  const parsed = v.safeParse(schema, await readJsonAnswer(response, what))
  if (!parsed.success) throw new BadAnswerError(what, problem)
  return parsed.output
}

/** A path below an API's base address, which may end with a slash. */
export function urlUnder(base: string, path: string): URL {
  return new URL(base.replace(/\/$/, '') + path)
}

/** The value of an Authorization header of RFC 7617. */
export function basicAuth(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

/**
 * The next page's address. It must be on the same server, since it gets the same credentials.
 * @throws {BadAnswerError}
 */
export function nextUrl(next: string, base: URL, what: string): URL {
  const url = URL.parse(next, base.href)
  if (!url || url.origin !== base.origin) {
    throw new BadAnswerError(what, 'names a next page on another server')
  }
  return url
}
