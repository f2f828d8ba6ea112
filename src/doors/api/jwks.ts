import type { HonoJsonWebKey } from 'hono/utils/jwt/jws'
import * as v from 'valibot'
import { HashgateError } from '../../util/errors.ts'
import { readBoundedText } from './bounded.ts'

/** The keys that tokens are signed with could not be read. */
export class KeySetUnavailableError extends HashgateError {
  readonly code = 'key-set-unavailable'

  constructor(url: string, problem: string, options?: ErrorOptions) {
    super(`${url} ${problem}`, options)
  }
}

/** Milliseconds for which a key set is used without another look. Access changes keys every six weeks. */
const MAX_AGE_MS = 3_600_000
/** Milliseconds for which it is used when it cannot be read again. */
const MAX_STALE_MS = 24 * 3_600_000
/** Milliseconds between two reads: nobody makes many by naming keys that do not exist. */
const MIN_INTERVAL_MS = 30_000
/** The same when there is nothing to go on with. */
const RETRY_MS = 2000
const TIMEOUT_MS = 5000
const MAX_BYTES = 64 * 1024

const KeySet = v.object({
  keys: v.pipe(v.array(v.looseObject({ kid: v.string(), kty: v.string() })), v.maxLength(50)),
})

/**
 * The public keys of an issuer (JWK set, RFC 7517), read when they are needed. Hono verifies with them.
 *
 * Not `createRemoteJWKSet` of jose (6.2): once its keys are over their age, a failed read fails the request, so an issuer that is
 * down locks everybody out; with an age of a day, a key that was withdrawn would be good for a day. It reads again at each request
 * after a failure, reads once for each of several requests at a time in Workers, and takes an answer of any length.
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

  /**
   * The keys, read again if they are old, or have none of this id.
   * @throws {KeySetUnavailableError}
   */
  async keysFor(id: string): Promise<HonoJsonWebKey[]> {
    const isFresh = this.#now() - this.#readAt < MAX_AGE_MS
    if (isFresh && this.#keys.some(({ kid }) => kid === id)) return this.#keys
    const isUsable = this.#now() - this.#readAt < MAX_STALE_MS
    if (this.#now() >= this.#nextReadAt) {
      // Others that come meanwhile go on with what there is. Without any, each reads: a promise is one request's own.
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
  let text: string | undefined
  try {
    // Not followed: a redirect would have another server say who may come in.
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status !== 200) throw failed(`answered ${response.status}`)
    text = await readBoundedText(response.body, MAX_BYTES, TIMEOUT_MS, () => failed('stalled'))
  } catch (cause) {
    throw cause instanceof KeySetUnavailableError ? cause : failed('could not be reached', cause)
  }
  if (text === undefined) throw failed(`has more than ${MAX_BYTES} bytes`)
  const set = v.safeParse(v.pipe(v.string(), v.parseJson(), KeySet), text)
  if (!set.success) throw failed('is no key set')
  return set.output
}
