import { parseHex, toHex } from './bytes.ts'

/** A PDQ hash: 32 bytes in the order of the text form, so that bit 0 is the lowest bit of the last byte. */
export type Hash256 = Uint8Array

/**
 * Largest distance, inclusive, at which two plain PDQ hashes are taken for the same picture, as PDQ's authors recommend.
 * @example
 * ```ts
 * import { distance, MATCH_THRESHOLD } from 'hashgate/pdq'
 *
 * console.log(MATCH_THRESHOLD) // 31
 * console.log(distance('00'.repeat(32), '0f'.repeat(32)) <= MATCH_THRESHOLD) // false
 * ```
 */
export const MATCH_THRESHOLD = 31

/** Bytes of a hash. */
export const HASH_BYTES = 32

/** Bytes of a half: the first is searched in memory, the second is stored in details. */
export const HALF_BYTES = HASH_BYTES / 2

/**
 * Names of the dihedral variants, in the order of the reference.
 * @example
 * ```ts
 * import { DIHEDRAL_NAMES } from 'hashgate/pdq'
 *
 * console.log(DIHEDRAL_NAMES.length) // 8
 * ```
 */
export const DIHEDRAL_NAMES = [
  'original',
  'rotate90',
  'rotate180',
  'rotate270',
  'flipX',
  'flipY',
  'flipPlus1',
  'flipMinus1',
] as const

/** One of the dihedral variants. */
export type DihedralName = (typeof DIHEDRAL_NAMES)[number]

/** Text form: 64 lower-case hex digits. */
export function formatHash(hash: Hash256): string {
  return toHex(hash)
}

/** Reads the text form, upper or lower case. `undefined` if it is not a hash. */
export function parseHash(text: string): Hash256 | undefined {
  return parseHex(text, HASH_BYTES)
}

/** Hamming distance: the number of bits, 0 to 256, in which two hashes differ. */
export function distance(a: Hash256, b: Hash256): number {
  return bitsDiffering(a, b, HASH_BYTES)
}

/** Bits in which the first bytes of two byte strings differ. */
export function bitsDiffering(a: Uint8Array, b: Uint8Array, bytes: number): number {
  let bits = 0
  for (let i = 0; i < bytes; i++) bits += onesIn((a[i] ?? 0) ^ (b[i] ?? 0))
  return bits
}

/** Set bits of all bytes. */
export function countOnes(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + onesIn(byte), 0)
}

/** Set bits of a byte. */
export function onesIn(byte: number): number {
  return POPULATION[byte] ?? 0
}

/** Set bits of each byte value. */
const POPULATION = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0
  for (let left = byte; left; left &= left - 1) bits++
  return bits
})
