import * as core from '../util/hash.ts'
import { BadHashError } from './errors.ts'

/**
 * Hamming distance: the number of bits, 0 to 256, in which two hashes differ. Each is 64 hex digits or 32 bytes; to compare
 * one with many, parse it once.
 * @throws BadHashError
 */
export function distance(a: string | Uint8Array, b: string | Uint8Array): number {
  return core.distance(bytesOf(a), bytesOf(b))
}

/**
 * The 32 bytes of a hash in its text form, 64 hex digits of upper or lower case.
 * @throws BadHashError
 */
export function parseHash(text: string): Uint8Array {
  const hash = typeof text === 'string' ? core.parseHash(text) : undefined
  if (!hash) throw new BadHashError(text)
  return hash
}

/**
 * The text form of a hash of 32 bytes: 64 lower-case hex digits.
 * @throws BadHashError
 */
export function formatHash(hash: Uint8Array): string {
  return core.formatHash(bytesOf(hash))
}

function bytesOf(hash: string | Uint8Array): Uint8Array {
  if (typeof hash === 'string') return parseHash(hash)
  if (hash instanceof Uint8Array && hash.length === core.HASH_BYTES) return hash
  throw new BadHashError(hash)
}
