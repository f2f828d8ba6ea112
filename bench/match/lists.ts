// Lists of a million hashes that suit a table more or less well, and the needles to query them
// with.

import { HASH_BYTES, type Hash256 } from '../../src/util/hash.ts'
import { fastBytes, randomWords } from './random.ts'

export type ListName = 'uniform' | 'clustered' | 'copies' | 'adversarial'

/** Hashes, and sets of needles by kind. */
export interface HashList {
  hashes: Uint8Array // count x HASH_BYTES, sorted by their first 32 bits
  needles: Record<string, Hash256[]>
}

/** Maximum needles of a file: probes and their variants. */
const NEEDLES = 40
const FAMILY = 64
/** Bits by which a member of a family differs from its centre: two members differ by 12. */
const FAMILY_BITS = 6
const COPY_BITS = 10
/** First bits of the hashes that an adversary added, and their share. */
const SHARED = [0xab, 0xcd]
const SHARED_PART = 0.1

/**
 * Makes a list.
 * @param count at most 2^20
 * @param bases hashes that `copies` are made from
 */
export function makeList(name: ListName, count: number, bases: readonly Hash256[]): HashList {
  const list = MAKERS[name](count, bases)
  return { hashes: sortHashes(list.hashes), needles: list.needles }
}

const MAKERS: Record<ListName, (count: number, bases: readonly Hash256[]) => HashList> = {
  uniform: (count) => ({ hashes: fastBytes(count * HASH_BYTES, 1), needles: { unrelated } }),
  clustered: (count) => {
    const middles = hashesOf(fastBytes(Math.ceil(count / FAMILY) * HASH_BYTES, 2))
    const hashes = variants(middles, count, FAMILY_BITS, 3)
    return { hashes, needles: { unrelated, near: nearTo(middles, FAMILY_BITS) } }
  },
  copies: (count, bases) => {
    const others = bases.slice(0, NEEDLES)
    const listed = bases.slice(NEEDLES)
    const hashes = variants(listed, count, COPY_BITS, 4)
    return { hashes, needles: { 'other pictures': others, near: nearTo(listed, COPY_BITS) } }
  },
  adversarial: (count) => {
    const hashes = fastBytes(count * HASH_BYTES, 5)
    const shared = fastBytes(NEEDLES * HASH_BYTES, 6)
    for (let i = 0; i < count * SHARED_PART; i++) hashes.set(SHARED, i * HASH_BYTES)
    for (let i = 0; i < NEEDLES; i++) shared.set(SHARED, i * HASH_BYTES)
    return { hashes, needles: { unrelated, 'sharing the bits': hashesOf(shared) } }
  },
}

const unrelated = hashesOf(fastBytes(NEEDLES * HASH_BYTES, 7))

/** Packed hashes, one by one. */
export function hashesOf(packed: Uint8Array): Hash256[] {
  return Array.from({ length: packed.length / HASH_BYTES }, (_, i) =>
    packed.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  )
}

/** A hash with up to `maxBits` of its bits flipped. */
export function flipSome(hash: Hash256, maxBits: number, random: () => number): Hash256 {
  const flipped = hash.slice()
  for (let left = random() % (maxBits + 1); left > 0; left--) {
    const bit = random() % (HASH_BYTES * 8)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return flipped
}

/** Needles near the hashes of a list. */
export function nearTo(hashes: readonly Hash256[], maxBits: number): Hash256[] {
  const random = randomWords(8)
  return Array.from({ length: NEEDLES }, () =>
    flipSome(hashes[random() % hashes.length] ?? new Uint8Array(HASH_BYTES), maxBits, random),
  )
}

function variants(
  bases: readonly Hash256[],
  count: number,
  maxBits: number,
  seed: number,
): Uint8Array {
  const random = randomWords(seed)
  const packed = new Uint8Array(count * HASH_BYTES)
  for (let i = 0; i < count; i++) {
    const base = bases[i % bases.length]
    if (base) packed.set(flipSome(base, maxBits, random), i * HASH_BYTES)
  }
  return packed
}

/** Sorts hashes in the order of publication, as far as their first 32 bits decide it. */
function sortHashes(packed: Uint8Array): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length)
  const count = packed.length / HASH_BYTES
  const keys = Float64Array.from(
    { length: count },
    (_, i) => view.getUint32(i * HASH_BYTES) * 2 ** 20 + i,
  ).toSorted()
  const sorted = new Uint8Array(packed.length)
  keys.forEach((key, to) => {
    const from = (key % 2 ** 20) * HASH_BYTES
    sorted.set(packed.subarray(from, from + HASH_BYTES), to * HASH_BYTES)
  })
  return sorted
}
