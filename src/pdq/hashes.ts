import * as core from '../util/hash.ts'
import { BadHashError } from './errors.ts'

/**
 * Hamming distance: the number of bits in which two hashes differ. To compare one with many, parse it once.
 * @param a 64 hex digits, or 32 bytes
 * @param b the same
 * @returns 0 to 256
 * @throws {BadHashError} one of them is not a hash
 * @example
 * ```ts
 * import { distance } from 'hashgate/pdq'
 *
 * console.log(distance('00'.repeat(32), '0f'.repeat(32))) // 128
 * ```
 */
export function distance(a: string | Uint8Array, b: string | Uint8Array): number {
  return core.distance(bytesOf(a), bytesOf(b))
}

/**
 * The bytes of a hash.
 * @param text 64 hex digits of upper or lower case
 * @returns 32 bytes
 * @throws {BadHashError} it is no hash
 * @example
 * ```ts
 * import { parseHash } from 'hashgate/pdq'
 *
 * console.log(parseHash('0F'.repeat(32))[0]) // 15
 * ```
 */
export function parseHash(text: string): Uint8Array {
  const hash = typeof text === 'string' ? core.parseHash(text) : undefined
  if (!hash) throw new BadHashError(text)
  return hash
}

/**
 * The text form of a hash.
 * @param hash 32 bytes
 * @returns 64 lower-case hex digits
 * @throws {BadHashError} it is no hash
 * @example
 * ```ts
 * import { formatHash } from 'hashgate/pdq'
 *
 * console.log(formatHash(new Uint8Array(32)) === '00'.repeat(32)) // true
 * ```
 */
export function formatHash(hash: Uint8Array): string {
  return core.formatHash(bytesOf(hash))
}

function bytesOf(hash: string | Uint8Array): Uint8Array {
  if (typeof hash === 'string') return parseHash(hash)
  if (hash instanceof Uint8Array && hash.length === core.HASH_BYTES) return hash
  throw new BadHashError(hash)
}
