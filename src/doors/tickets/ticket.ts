import { sign, verify } from 'hono/jwt'
import * as v from 'valibot'

/** Longest validity of a ticket, in seconds. */
export const MAX_TICKET_SECONDS = 86_400
/** Longest key of an object, in bytes of UTF-8: R2's limit. */
export const MAX_KEY_BYTES = 1024
/** Longest ticket, in characters: its key takes four thirds of its bytes. */
const MAX_TICKET_LENGTH = 4096

const ISSUER = 'hashgate'
const ALGORITHM = 'HS256'

/** A grant with its id, valid for a time. */
export interface Ticket extends Grant {
  id: string
  /** Seconds since the epoch. */
  expires: number
}

/** What a ticket grants: one object, made by one upload. */
export interface Grant {
  key: string
  /** Largest length of the object, in bytes. */
  maxBytes: number
  /** Content type that it must have. */
  type: string
}

/** A ticket is a JWT (RFC 7519), signed with HMAC-SHA-256, with these claims. */
const Claims = v.object({
  jti: v.pipe(v.string(), v.uuid()),
  exp: v.pipe(v.number(), v.integer()),
  key: v.string(),
  max: v.pipe(v.number(), v.integer(), v.minValue(1)),
  type: v.string(),
})

/**
 * Whether an object may have this key. No path segment may be one that URL parsers remove, and
 * nothing may be unprintable.
 */
export function isObjectKey(key: string): boolean {
  if (!key.isWellFormed() || new TextEncoder().encode(key).length > MAX_KEY_BYTES) return false
  // oxlint-disable-next-line no-control-regex -- it looks for them
  if (/[\u0000-\u001f\u007f-\u009f\\]/.test(key)) return false
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/** Signs and verifies tickets. The first key signs new ones; any key may have signed an old one. */
export class TicketSigner {
  readonly #keys: readonly string[]

  constructor(keys: readonly [string, ...string[]]) {
    this.#keys = keys
  }

  async issue(grant: Grant, seconds: number): Promise<{ ticket: string; expires: number }> {
    const { key, maxBytes: max, type } = grant
    const expires = Math.floor(Date.now() / 1000) + seconds
    const claims = { iss: ISSUER, jti: crypto.randomUUID(), exp: expires, key, max, type }
    return { ticket: await sign(claims, this.#keys[0] ?? '', ALGORITHM), expires }
  }

  /** What a ticket grants; `undefined` if it has expired, or none of these keys signed it. */
  async read(ticket: string): Promise<Ticket | undefined> {
    if (ticket.length > MAX_TICKET_LENGTH) return undefined
    for (const secret of this.#keys) {
      const claims = await verify(ticket, secret, { alg: ALGORITHM, iss: ISSUER }).catch(
        () => undefined,
      )
      const result = v.safeParse(Claims, claims)
      if (result.success) {
        const { jti: id, exp: expires, key, max: maxBytes, type } = result.output
        return { id, expires, key, maxBytes, type }
      }
    }
    return undefined
  }
}
