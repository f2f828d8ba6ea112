import type { Entry } from './entry.ts'
import type { SegmentRef } from './manifest.ts'
import { type Bytes, getForEntries, type StoreReader } from './store.ts'

// A digest set has 16 bits of each digest, sorted, in buckets by the bits before them. Digests are evenly spread, so that a
// bucket has 8 to 16. A digest that is in no list becomes a candidate with a chance of 8 to 16 in 65,536, for each
// segment. The place of a listed digest among the sorted ones gives the detail block that proves it.
//
//   ends       buckets x u32: number of digests in this bucket and those before it
//   remainders count x u16
//
// 2.25 to 2.5 bytes a digest. A binary fuse filter of 16 bits takes 2.25 and errs less often, 1 in 65,536, but does not say
// where the details are, and cannot be built in one pass.

const REMAINDER_BITS = 16
/** Fewest digests of a bucket, on average, as a power of two. */
const BUCKET_SIZE_BITS = 3

/** With the remainder they are the first 32 bits of a digest. */
const MAX_BUCKET_BITS = 16

/** Digests of whole files, a few bits of each: which of them may be a given one? */
export class DigestSet {
  readonly count: number
  readonly #bits: number
  readonly #ends: Uint32Array
  readonly #remainders: Uint16Array

  /** @param value as `packDigestSet` makes it */
  constructor(value: Bytes, count: number) {
    this.count = count
    this.#bits = bucketBits(count)
    const buckets = 2 ** this.#bits
    this.#ends = new Uint32Array(value.buffer, value.byteOffset, buckets)
    this.#remainders = new Uint16Array(value.buffer, value.byteOffset + buckets * 4, count)
  }

  get memoryBytes(): number {
    return this.#ends.byteLength + this.#remainders.byteLength
  }

  /** Positions of all entries that may have this digest: empty for nearly all digests that are in no list. */
  find(digest: Uint8Array): number[] {
    const { bucket, remainder } = split(digest, this.#bits)
    const end = this.#ends[bucket] ?? 0
    let at = bucket === 0 ? 0 : (this.#ends[bucket - 1] ?? 0)
    for (let high = end; at < high;) {
      const middle = (at + high) >>> 1
      if ((this.#remainders[middle] ?? 0) < remainder) at = middle + 1
      else high = middle
    }
    const positions: number[] = []
    for (; at < end && this.#remainders[at] === remainder; at++) positions.push(at)
    return positions
  }
}

/** Bits that choose the bucket. */
function bucketBits(count: number): number {
  const bits = Math.floor(Math.log2(count)) - BUCKET_SIZE_BITS
  return Math.min(MAX_BUCKET_BITS, Math.max(0, bits))
}

/** Bytes of a set in memory, and in the store. */
function setBytes(count: number): number {
  return 4 * 2 ** bucketBits(count) + 2 * count
}

/** The first bits of a digest as a bucket and a remainder. */
function split(digest: Uint8Array, bits: number): { bucket: number; remainder: number } {
  const view = new DataView(digest.buffer, digest.byteOffset)
  const first = view.getUint32(0) >>> (32 - bits - REMAINDER_BITS)
  return { bucket: first >>> REMAINDER_BITS, remainder: first & 0xffff }
}

/** Packs digests that are sorted by their bytes. */
export function packDigestSet(entries: readonly Entry[]): Bytes {
  const bits = bucketBits(entries.length)
  const buckets = 2 ** bits
  const packed = new Uint8Array(setBytes(entries.length))
  const ends = new Uint32Array(packed.buffer, 0, buckets)
  const remainders = new Uint16Array(packed.buffer, buckets * 4)
  entries.forEach(({ hash }, i) => {
    const { bucket, remainder } = split(hash, bits)
    remainders[i] = remainder
    ends[bucket] = i + 1
  })
  for (let bucket = 1; bucket < buckets; bucket++) {
    ends[bucket] = Math.max(ends[bucket] ?? 0, ends[bucket - 1] ?? 0)
  }
  return packed
}

/**
 * Reads the digest set of a segment.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readDigestSet(store: StoreReader, ref: SegmentRef): Promise<DigestSet> {
  const value = await getForEntries(store, `segment/${ref.name}/0`, setBytes(ref.count))
  return new DigestSet(value, ref.count)
}
