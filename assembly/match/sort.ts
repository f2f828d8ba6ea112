// Sorts a slot of a table by key: first into buckets of 4,096 keys, then each bucket. So few places
// of memory are written at once, and they stay in the cache.

import {
  beginsAt,
  BLOCK_BITS,
  BLOCK_BYTES,
  blockCount,
  keyBits,
  KEYS_SHIFT,
  PLACE_BYTES,
  PLACE_MASK,
  placesAt,
  POSITION_BITS,
  POSITION_MASK,
} from './table'

/** Bits of a key that tell those of a bucket apart. */
const BUCKET_BITS: u32 = 12
const BUCKET_BLOCKS: u32 = 1 << (BUCKET_BITS - BLOCK_BITS)
/** Buckets sorted at once: two milliseconds for a million hashes. */
const BUCKETS_AT_ONCE: u32 = 512

/**
 * For each key that a bucket has, how many hashes have it; then where the next of them goes, and
 * from bit 28 on, the lowest four bits of how many keys come before it, u32 each.
 */
const nexts = memory.data(4096 << 2)
/** How many keys the buckets have that are sorted. */
let keysBefore: u32 = 0

function bucketCount(count: u32): u32 {
  return (blockCount(count) + BUCKET_BLOCKS - 1) / BUCKET_BLOCKS
}

/** The key of a hash. The values of a slot, 3 bytes each, lie where its places will be. */
function keyAt(values: usize, i: u32, mask: u32): u32 {
  return load<u32>(values + i * 3) & mask
}

/** First step: counts keys by bucket, from `first`, 0 at first, to `end`. */
export function countBuckets(
  slot: usize, // slotBytes(count)
  count: u32,
  first: u32,
  end: u32,
  ends: usize, // MAX_BUCKETS x u32
): void {
  const mask: u32 = (1 << keyBits(count)) - 1
  const values = slot + placesAt(count)
  if (first == 0) memory.fill(ends, 0, bucketCount(count) << 2)
  for (let i = first; i < end; i++) {
    const at = ends + ((keyAt(values, i, mask) >> BUCKET_BITS) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
}

/** Second step, once all are counted: moves keys into buckets, from `first`, 0 at first, to `end`. */
export function fillBuckets(
  slot: usize,
  count: u32,
  first: u32,
  end: u32,
  ends: usize, // counts before the first call; then where the next hash of a bucket goes
  buckets: usize, // count x u32: the key without the bits of its bucket, and from bit 0 on the position
): void {
  const mask: u32 = (1 << keyBits(count)) - 1
  const values = slot + placesAt(count)
  if (first == 0) sumCounts(ends, bucketCount(count))
  for (let i = first; i < end; i++) {
    const key = keyAt(values, i, mask)
    const next = ends + ((key >> BUCKET_BITS) << 2)
    const at = load<u32>(next)
    store<u32>(next, at + 1)
    store<u32>(buckets + ((<usize>at) << 2), (key << POSITION_BITS) | i)
  }
}

/** Replaces each count by the sum of those before it. */
function sumCounts(counts: usize, length: u32): void {
  let sum: u32 = 0
  for (let at = counts, last = counts + ((<usize>length) << 2); at < last; at += 4) {
    const here = load<u32>(at)
    store<u32>(at, sum)
    sum += here
  }
}

/**
 * Last step: sorts some buckets, from `first`, 0 at first. Returns where to go on; 0 once the slot
 * is sorted.
 */
export function sortBuckets(slot: usize, count: u32, first: u32, ends: usize, buckets: usize): u32 {
  const places = slot + placesAt(count)
  const begins = slot + beginsAt(count)
  const blocks = min(blockCount(count), BUCKET_BLOCKS)
  let from: u32 = 0
  if (first == 0) {
    keysBefore = 0
    memory.fill(slot, 0, begins - slot)
  } else from = load<u32>(ends + (first << 2) - 4)
  for (let bucket = first; bucket < bucketCount(count); bucket++) {
    if (bucket == first + BUCKETS_AT_ONCE) return bucket
    const to = load<u32>(ends + (bucket << 2))
    const bits = slot + <usize>(bucket * BUCKET_BLOCKS) * BLOCK_BYTES
    countKeys(buckets + (from << 2), buckets + (to << 2), bits)
    sumKeys(bits, blocks, begins + ((bucket * BUCKET_BLOCKS) << 2), from)
    writePlaces(buckets + (from << 2), buckets + (to << 2), places)
    from = to
  }
  const last = count | (keysBefore << KEYS_SHIFT)
  store<u32>(begins + (blockCount(count) << 2), last)
  writePlace(places, last, 0)
  return 0
}

/** Sets the bits of a bucket's keys, and counts their hashes in `nexts`. */
function countKeys(start: usize, end: usize, bits: usize): void {
  for (let at = start; at < end; at += 4) {
    const key = load<u32>(at) >> POSITION_BITS
    const address = bits + ((key >> 6) << 3)
    const word = load<u64>(address)
    store<u64>(address, word | ((<u64>1) << key))
    const next = nexts + (key << 2)
    const isKnown = <u32>(word >> key) & 1 // else there is the rest of another bucket
    store<u32>(next, (load<u32>(next) & (0 - isKnown)) + 1)
  }
}

/** Computes where the hashes of each key and block of a bucket go. */
function sumKeys(bits: usize, blocks: u32, begins: usize, from: u32): void {
  let place = from
  let keys = keysBefore
  for (let word: u32 = 0; word < blocks << (BLOCK_BITS - 6); word++) {
    if ((word & 3) == 0) store<u32>(begins + word, place | (keys << KEYS_SHIFT))
    for (let left = load<u64>(bits + (word << 3)); left != 0; left &= left - 1) {
      const next = nexts + (((word << 6) + <u32>ctz(left)) << 2)
      const hashes = load<u32>(next)
      store<u32>(next, place | (keys++ << KEYS_SHIFT))
      place += hashes
    }
  }
  keysBefore = keys
}

/** Writes the hashes of a bucket by key, and in the order of the list within one. */
function writePlaces(start: usize, end: usize, places: usize): void {
  for (let at = start; at < end; at += 4) {
    const both = load<u32>(at)
    const next = nexts + ((both >> POSITION_BITS) << 2)
    const to = load<u32>(next)
    store<u32>(next, to + 1)
    writePlace(places, to, both & POSITION_MASK)
  }
}

function writePlace(places: usize, to: u32, position: u32): void {
  const both = position | ((to >> KEYS_SHIFT) << POSITION_BITS)
  const place = places + <usize>(to & PLACE_MASK) * PLACE_BYTES
  store<u16>(place, <u16>both)
  store<u8>(place, <u8>(both >> 16), 2)
}
