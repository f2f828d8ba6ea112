import type { HonoJsonWebKey } from 'hono/utils/jwt/jws'
import * as v from 'valibot'
import { HashgateError } from '../../util/errors.ts'
import { parseJson } from '../../util/json.ts'
import { readAtMost } from '../../util/read-at-most.ts'

/** The keys that tokens are signed with could not be read. */
export class KeySetUnavailableError extends HashgateError {
  readonly code = 'key-set-unavailable'

  constructor(url: string, problem: string, options?: ErrorOptions) {
    super(`${url} ${problem}`, options)
  }
}

/** Milliseconds until a key set in use is read again. Access rotates keys every six weeks. */
const MAX_AGE_MS = 3_600_000
/** Milliseconds for which it stays in use if it cannot be read again. */
const MAX_STALE_MS = 24 * 3_600_000
/** Milliseconds between two reads, so that tokens with made-up key ids cannot cause many. */
const MIN_INTERVAL_MS = 30_000
/** The same while there is no usable key set. */
const RETRY_MS = 2000
const TIMEOUT_MS = 5000
const MAX_BYTES = 64 * 1024

const KeySet = v.object({
  keys: v.pipe(v.array(v.looseObject({ kid: v.string(), kty: v.string() })), v.maxLength(50)),
})

/**
 * The public keys of an issuer (JWK set, RFC 7517), read when they are needed. Hono verifies with
 * them.
 *
 * This is not `createRemoteJWKSet` of jose (6.2). Once jose's keys are too old, a failed read fails
 * the request, so an issuer that is down locks everyone out. With a maximum age of a day, a
 * withdrawn key would stay valid for a day. After a failure, jose reads again at each request; in
 * Workers it reads once for each concurrent request; and it accepts an answer of any length.
 */
export class KeySetCache {
  readonly #url: string
  readonly #now: () => number
  #keys: HonoJsonWebKey[] = []
  #readAt = -Infinity
  #nextReadAt = -Infinity

  constructor(url: string, now: () => number = Date.now) {
    this.#url = url
    this.#now = now
  }

  /** The keys, read again if they are old or lack this id. @throws {KeySetUnavailableError} */
  async keysFor(id: string): Promise<HonoJsonWebKey[]> {
    const isFresh = this.#now() - this.#readAt < MAX_AGE_MS
    if (isFresh && this.#keys.some(({ kid }) => kid === id)) return this.#keys
    const isUsable = this.#now() - this.#readAt < MAX_STALE_MS
    if (this.#now() >= this.#nextReadAt) {
      // Concurrent requests use the keys that there are. Without any, each reads for itself,
      // because Workers cannot share a promise between requests.
      if (isUsable) this.#wait(MIN_INTERVAL_MS)
      try {
        await this.#read()
        this.#wait(MIN_INTERVAL_MS)
        return this.#keys
      } catch (error) {
        this.#wait(isUsable ? MIN_INTERVAL_MS : RETRY_MS)
        if (!isUsable) throw error
      }
    }
    if (!isUsable) throw new KeySetUnavailableError(this.#url, 'could not be fetched')
    return this.#keys
  }

  #wait(ms: number): void {
    this.#nextReadAt = this.#now() + ms
  }

  async #read(): Promise<void> {
    const { keys } = await fetchKeySet(this.#url)
    this.#keys = keys
    this.#readAt = this.#now()
  }
}

async function fetchKeySet(url: string): Promise<{ keys: HonoJsonWebKey[] }> {
  const failed = (problem: string, cause?: unknown) =>
    new KeySetUnavailableError(url, problem, { cause })
  let body: Uint8Array | undefined
  try {
    // Redirects are not followed: another server must not decide who may come in.
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status !== 200) throw failed(`answered ${response.status}`)
    body = await readAtMost(response.body, MAX_BYTES)
  } catch (cause) {
    throw cause instanceof KeySetUnavailableError ? cause : failed('could not be reached', cause)
  }
  if (!body) throw failed(`has more than ${MAX_BYTES} bytes`)
  const set = v.safeParse(KeySet, parseJson(body))
  if (!set.success) throw failed('is not a key set')
  return set.output
}
