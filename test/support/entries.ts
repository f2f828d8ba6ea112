import { DIGEST_KINDS, type Entry, HASH_LENGTHS } from '../../src/list/entry.ts'
import type { Hash256 } from '../../src/util/hash.ts'
import type { Needle } from '../../src/scan/scanned.ts'
import { randomBytes, randomFrom } from './random.ts'

/** Entries with random hashes: the same for the same seed. */
export function randomEntries(count: number, seed: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'pdq',
    hash: randomBytes(32, seed * 1_000_000 + i),
    id: `e-${seed}-${i}`,
    labels: {},
  }))
}

/** Entries with random digests of whole files, of all kinds by turns. */
export function randomDigests(count: number, seed: number): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const kind = DIGEST_KINDS[i % DIGEST_KINDS.length] ?? 'md5'
    const hash = randomBytes(HASH_LENGTHS[kind], seed * 1_000_000 + i)
    return { kind, hash, id: `d-${seed}-${i}`, labels: {} }
  })
}

/** A hash that differs from another in `bits` of its first `within` bits. */
export function flipBits(hash: Hash256, bits: number, seed = 1, within = 256): Hash256 {
  const random = randomFrom(seed)
  // A random key of 32 bits before each place, in one number: these are sorted fast.
  const places = Float64Array.from({ length: within }, (_, i) => random() * 2 ** 32 * 512 + i)
  const flipped = hash.slice()
  for (const place of places.toSorted().subarray(0, bits)) {
    const i = place % 512
    flipped[i >> 3] = (flipped[i >> 3] ?? 0) ^ (1 << (i & 7))
  }
  return flipped
}

/** A number of bits of a hash, from `first` on; those of a byte count from its lowest. */
export function bitsOf(hash: Hash256, first: number, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) {
    const bit = first + i
    value += (((hash[bit >> 3] ?? 0) >> (bit & 7)) & 1) << i
  }
  return value
}

export function needle(hash: Hash256, quality = 100): Needle {
  const known = { hash, quality, stretchedQuality: quality, weakBits: 0 }
  return { probe: 'identity', ...known, tolerance: 0, frame: 0 }
}
