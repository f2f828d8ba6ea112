// Multi-index hashing (Norouzi, Punjani, Fleet, 2014), with slots of 23 bits: a hash has eleven,
// side by side, and three bits are in none. Two hashes that differ in at most 31 bits differ by at
// most two bits in one of the first ten slots, or by at most one in the last: otherwise they would
// differ in 10 x 3 + 2 bits. Whatever a slot finds is compared with the needle as in a scan.
//
// A slot's value is a prefix, its lowest bits, and a signature, the 8 bits above them. For each
// slot the table has all hashes, sorted by prefix, 16 to 32 to each. A needle reads those of the
// prefixes within two bits of its own, up to 121, and continues only with signatures within what is
// left of the two bits, comparing 16 at a time. So almost everything that is read lies in short
// runs, and of a million hashes unlike the needle, about 33 per slot remain.
//
//   slot s at table + s x slotBytes(count):
//     begins       (prefixes + 1) x u32, padded to 16 bytes
//     signatures   count x u8, and 48 bytes that may be read beyond them
//     positions    count x 3 bytes, and one that may be read beyond them

import { GROUP_HASHES, HEAD_BYTES, HEAD_PLANES, REST_BYTES } from './groups'
import { report } from './results'

const SLOTS: u32 = 11
/** Slots whose bits all lie in the first half of a hash. */
const FIRST_SLOTS: u32 = 5
const SLOT_BITS: u32 = 23
const SIGNATURE_BITS: u32 = 8
const POSITION_BYTES: u32 = 3
/** Hashes per prefix: at least 2^4. */
const PREFIX_HASHES_LOG: u32 = 4

function padded(bytes: usize): usize {
  return (bytes + 15) & ~15
}

function prefixBits(count: u32): u32 {
  const log: u32 = 31 - <u32>clz(count)
  return min(SLOT_BITS - SIGNATURE_BITS, log > PREFIX_HASHES_LOG ? log - PREFIX_HASHES_LOG : 0)
}

function signaturesAt(bits: u32): usize {
  return padded(((1 << bits) + 1) << 2)
}

function positionsAt(bits: u32, count: u32): usize {
  return signaturesAt(bits) + padded(<usize>count + BLOCK)
}

/** Bytes that a slot takes. */
export function slotBytes(count: u32 /* 1 to 2^20 */): usize {
  return positionsAt(prefixBits(count), count) + padded(<usize>count * POSITION_BYTES + 1)
}

/** A slot's value: 23 bits from bit 23 x slot on, of the bytes in order, lowest bits first. */
function slotValue(hash: usize, slot: u32): u32 {
  const bit = slot * SLOT_BITS
  return (load<u32>(hash + (bit >> 3)) >> (bit & 7)) & ((1 << SLOT_BITS) - 1)
}

/**
 * Bits by which a slot may differ: together with the slots before it, just enough to miss nothing.
 * -1: it is not needed.
 */
function radiusOf(slot: u32, threshold: u32): i32 {
  return threshold < slot ? -1 : <i32>((threshold - slot) / SLOTS)
}

/** Writes a slot's values of the first half, 3 bytes each. */
export function slotValues(
  heads: usize,
  rests: usize,
  count: u32,
  slot: u32, // 0 to 4
  out: usize, // count x 3 bytes, and 49 that may be written beyond them
): void {
  const bit = slot * SLOT_BITS
  const plane = <usize>(bit >> 3)
  const shift = <i32>(bit & 7)
  const groups = (<usize>count + GROUP_HASHES - 1) / GROUP_HASHES
  for (let g: usize = 0; g < groups; g++) {
    const head = heads + g * HEAD_BYTES
    const rest = rests + g * REST_BYTES
    const a = planeOf(head, rest, plane)
    const b = planeOf(head, rest, plane + 1)
    const c = planeOf(head, rest, plane + 2)
    const d = planeOf(head, rest, plane + 3)
    // Four bytes of each of 16 hashes, side by side.
    const abLow = v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
    const abHigh = interleaveHigh(a, b)
    const cdLow = v128.shuffle<u8>(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
    const cdHigh = interleaveHigh(c, d)
    storeValues(out, v128.shuffle<u16>(abLow, cdLow, 0, 8, 1, 9, 2, 10, 3, 11), shift)
    storeValues(out + 12, v128.shuffle<u16>(abLow, cdLow, 4, 12, 5, 13, 6, 14, 7, 15), shift)
    storeValues(out + 24, v128.shuffle<u16>(abHigh, cdHigh, 0, 8, 1, 9, 2, 10, 3, 11), shift)
    storeValues(out + 36, v128.shuffle<u16>(abHigh, cdHigh, 4, 12, 5, 13, 6, 14, 7, 15), shift)
    out += 48
  }
}

/** The last eight bytes of both, in turns. */
function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** One byte of each hash of a group. */
function planeOf(head: usize, rest: usize, plane: usize): v128 {
  return v128.load(plane < HEAD_PLANES ? head + (plane << 4) : rest + ((plane - HEAD_PLANES) << 4))
}

/** Writes four values, and four bytes beyond them. */
function storeValues(out: usize, bits: v128, shift: i32): void {
  const values = v128.and(i32x4.shr_u(bits, shift), i32x4.splat((1 << SLOT_BITS) - 1))
  v128.store(
    out,
    v128.shuffle<u8>(values, values, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15),
  )
}

function valueAt(values: usize, i: u32): u32 {
  return load<u32>(values + i * 3) & 0xffffff
}

/**
 * First step of sorting a slot: counts its values by prefix, from `first`, 0 at first, to `end`.
 */
export function countPrefixes(
  values: usize, // count x 3 bytes, and one that may be read beyond them
  count: u32,
  first: u32,
  end: u32,
  slot: usize, // slotBytes(count)
): void {
  const bits = prefixBits(count)
  const mask: u32 = (1 << bits) - 1
  const next = slot + 4
  if (first == 0) memory.fill(slot, 0, signaturesAt(bits))
  for (let i = first; i < end; i++) {
    const at = next + ((valueAt(values, i) & mask) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
}

/** Second step, once all are counted: computes where each prefix begins. */
export function sumPrefixes(
  count: u32,
  slot: usize,
  nexts: usize, // MAX_PREFIXES x u32: where the next hash of each prefix goes, and of each bucket
): void {
  const prefixes: u32 = 1 << prefixBits(count)
  let begin: u32 = 0
  for (let at = slot, last = slot + (prefixes << 2); at <= last; at += 4) {
    begin += load<u32>(at)
    store<u32>(at, begin)
  }
  memory.copy(nexts, slot, prefixes << 2)
}

/** Lowest bits of a prefix, which tell those of a bucket apart. */
const BUCKET_BITS: u32 = 4
/** Hashes of a segment: at most 2^20. */
const POSITION_BITS: u32 = 20

/**
 * Third step: moves all values into buckets of 16 prefixes, from `first`, 0 at first, to `end`.
 * So many places of memory stay in the cache, and those of all prefixes would not.
 */
export function fillBuckets(
  values: usize,
  count: u32,
  first: u32,
  end: u32,
  nexts: usize, // of a bucket: at its first prefix
  slot: usize,
): void {
  const bits = prefixBits(count)
  const mask: u32 = (1 << bits) - 1
  const buckets = slot + signaturesAt(bits)
  for (let i = first; i < end; i++) {
    const value = valueAt(values, i)
    const prefix = value & mask
    const next = nexts + (((prefix >> BUCKET_BITS) << BUCKET_BITS) << 2)
    const at = load<u32>(next)
    store<u32>(next, at + 1)
    const signature = (value >> bits) & ((1 << SIGNATURE_BITS) - 1)
    const rest = (prefix << SIGNATURE_BITS) | signature // the bucket's bits are shifted out
    store<u32>(buckets + ((<usize>at) << 2), (rest << POSITION_BITS) | i)
  }
}

/** Last step: sorts what is in the buckets. Writes over the values. */
export function sortBuckets(
  values: usize, // count x 3 bytes
  count: u32,
  nexts: usize,
  signatures: usize, // scratch, count x u8
  slot: usize,
): void {
  const bits = prefixBits(count)
  const placed = slot + signaturesAt(bits)
  const prefixes: u32 = 1 << bits
  memory.copy(nexts, slot, prefixes << 2)
  for (let bucket: u32 = 0; bucket < prefixes; bucket += 1 << BUCKET_BITS) {
    const from = load<u32>(slot + (bucket << 2))
    const to = load<u32>(slot + (min(bucket + (1 << BUCKET_BITS), prefixes) << 2))
    for (let i = from; i < to; i++) {
      const both = load<u32>(placed + ((<usize>i) << 2))
      const next = nexts + ((bucket + (both >> (POSITION_BITS + SIGNATURE_BITS))) << 2)
      const at = load<u32>(next)
      store<u32>(next, at + 1)
      store<u8>(signatures + at, <u8>(both >> POSITION_BITS))
      const position = values + at * POSITION_BYTES
      store<u16>(position, <u16>both)
      store<u8>(position, <u8>((both >> 16) & 15), 2)
    }
  }
  memory.copy(placed, signatures, count)
  memory.copy(slot + positionsAt(bits, count), values, <usize>count * POSITION_BYTES)
}

/** Cost of each needle so far: hashes compared with it, and comparisons of 16 signatures. */
const looked = memory.data(256)
/** Maximum needles at once. */
const MAX_NEEDLES: u32 = 64

/**
 * Finds every hash that lies within `threshold` of a needle as a whole, and rarely others whose
 * first half does: by position, some more than once. It works slot by slot for all needles, so that
 * reads stay close together. Returns the number of results, as a scan does. Needles that would cost
 * more than `maxLooked` are left to a scan: see `isLeft`.
 */
export function lookUp(
  table: usize,
  rows: usize,
  count: u32,
  needles: usize, // needleCount x 32 bytes
  needleCount: u32, // at most MAX_NEEDLES
  threshold: u32, // bits, inclusive
  maxLooked: u32,
  candidates: usize, // scratch, maxLooked x u32
  results: usize,
  capacity: u32,
): u32 {
  const bytes = slotBytes(count)
  memory.fill(looked, 0, MAX_NEEDLES << 2)
  listFlips(prefixBits(count))
  let found: u32 = 0
  for (let slot: u32 = 0; slot < SLOTS; slot++, table += bytes) {
    const radius = radiusOf(slot, threshold)
    if (radius < 0) break
    for (let number: u32 = 0; number < needleCount; number++) {
      if (isLeft(number)) continue
      const needle = needles + (number << 5)
      const most = maxLooked - load<u32>(looked + (number << 2))
      const near = gather(table, count, slotValue(needle, slot), <u32>radius, candidates, most)
      if (note(number, near)) continue
      const a = load<u64>(needle)
      const b = load<u64>(needle, 8)
      for (let c: u32 = 0; c < near; c++) {
        const position = load<u32>(candidates + (c << 2))
        const row = rows + (position << 4)
        const distance = <u32>popcnt(load<u64>(row) ^ a) + <u32>popcnt(load<u64>(row, 8) ^ b)
        if (distance > threshold || isFoundBefore(row, needle, slot, threshold, count)) continue
        report(distance, position, number, results, capacity, found++)
      }
    }
  }
  return found
}

/** Maximum bits by which a slot may differ: that of a threshold of 43. */
const MAX_RADIUS: u32 = 3
/**
 * Numbers of 15 bits with at most 3 bits set, u16 each, ordered by that count: they lead from a
 * prefix to all near ones.
 */
const flips = memory.data(576 << 1)
/** How many of them have at most 0, 1, 2 and 3 set, u32 each. */
const flipCounts = memory.data((MAX_RADIUS + 1) << 2)
/** Where the hashes of each of these prefixes begin and end, u32 each. */
const ranges = memory.data(576 << 3)
/** Signatures compared without a branch: almost all prefixes have fewer. */
const BLOCK: u32 = 48
/** Comparisons of 16 signatures that the last `gather` took. */
let comparisons: u32 = 0
/** Keeps the compiler from removing reads whose values do not matter. */
export let sink: u32 = 0

function listFlips(bits: u32): void {
  let at = flips
  for (let weight: u32 = 0; weight <= MAX_RADIUS; weight++) {
    for (let flip: u32 = (1 << weight) - 1; flip >> bits == 0; flip = nextOfWeight(flip)) {
      store<u16>(at, <u16>flip)
      at += 2
      if (weight == 0) break
    }
    store<u32>(flipCounts + (weight << 2), <u32>(at - flips) >> 1)
  }
}

function flipCount(weight: u32): usize {
  return <usize>load<u32>(flipCounts + (weight << 2))
}

/**
 * Writes the positions of hashes whose slot is near a value, by prefix and signature. Returns their
 * number; u32.MAX_VALUE if they, or the comparisons, exceed `most`.
 */
function gather(
  slot: usize,
  count: u32,
  value: u32,
  radius: u32,
  positions: usize, // most x u32
  most: u32,
): u32 {
  // Distant memory is fetched in three rounds, and nothing within a round waits for anything else.
  const bits = prefixBits(count)
  const signatures = slot + signaturesAt(bits)
  findRanges(slot, value & ((1 << bits) - 1), radius, signatures)
  const signature = i8x16.splat(<i8>(value >> bits))
  comparisons = 0
  let near: u32 = 0
  let first = ranges
  for (let weight: u32 = 0; weight <= radius; weight++) {
    const last = ranges + (flipCount(weight) << 3)
    const left = radius - weight
    near = compare(signatures, first, last, signature, left, positions, near, most)
    if (near == u32.MAX_VALUE) return near
    first = last
  }
  toPositions(slot + positionsAt(bits, count), positions, near)
  return near
}

/** Records where the hashes of near prefixes lie, and prefetches their signatures. */
function findRanges(slot: usize, prefix: u32, radius: u32, signatures: usize): void {
  const last = flips + (flipCount(radius) << 1)
  let range = ranges
  let fetched: u32 = 0
  for (let flip = flips; flip < last; flip += 2, range += 8) {
    const both = load<u64>(slot + ((prefix ^ <u32>load<u16>(flip)) << 2))
    store<u64>(range, both)
    fetched += <u32>load<u8>(signatures + <usize>(<u32>both))
    fetched += <u32>load<u8>(signatures + <usize>(both >> 32))
  }
  sink = fetched
}

/**
 * Writes which places of a slot's ranges have signatures near one, after `near` others. Returns
 * their number, as `gather` does.
 */
function compare(
  signatures: usize,
  first: usize,
  last: usize,
  signature: v128,
  limit: u32, // bits
  places: usize,
  near: u32,
  most: u32,
): u32 {
  for (let range = first; range < last; range += 8) {
    const end = load<u32>(range, 4)
    for (let i = load<u32>(range); i < end; i += BLOCK) {
      comparisons += BLOCK >> 4
      if (comparisons + near + BLOCK > most) return u32.MAX_VALUE
      const at = signatures + <usize>i
      let lanes = <u64>lanesOf(at, signature, limit)
      lanes |= (<u64>lanesOf(at + 16, signature, limit)) << 16
      lanes |= (<u64>lanesOf(at + 32, signature, limit)) << 32
      if (end - i < BLOCK) lanes &= ((<u64>1) << (end - i)) - 1
      for (; lanes != 0; lanes &= lanes - 1) store<u32>(places + (near++ << 2), i + <u32>ctz(lanes))
    }
  }
  return near
}

/** Which of 16 signatures are near one, one bit each. */
function lanesOf(at: usize, signature: v128, limit: u32 /* bits */): u32 {
  const those = v128.load(at)
  if (limit == 0) return i8x16.bitmask(i8x16.eq(those, signature)) // true for most prefixes, and faster
  const differing = i8x16.popcnt(v128.xor(those, signature))
  return i8x16.bitmask(i8x16.le_u(differing, i8x16.splat(<i8>limit)))
}

/** Turns places in a slot into positions. */
function toPositions(slotPositions: usize, places: usize, near: u32): void {
  for (let last = places + (near << 2); places < last; places += 4) {
    const at = slotPositions + load<u32>(places) * POSITION_BYTES
    store<u32>(places, load<u32>(at) & 0xffffff)
  }
}

/** The next larger number with as many bits set (Gosper). */
function nextOfWeight(bits: u32): u32 {
  const lowest = bits & (0 - bits)
  const carried = bits + lowest
  return carried | (((bits ^ carried) >> 2) >> ctz(lowest))
}

/** Whether a needle was left to a scan. */
export function isLeft(needle: u32): bool {
  return load<u32>(looked + (needle << 2)) == u32.MAX_VALUE
}

/** Whether any of the first needles was left to a scan. */
export function isAnyLeft(needleCount: u32): bool {
  for (let needle: u32 = 0; needle < needleCount; needle++) if (isLeft(needle)) return true
  return false
}

/** Adds to a needle's cost, or leaves it to a scan. Returns whether it is left. */
function note(needle: u32, near: u32): bool {
  const at = looked + (needle << 2)
  const isTooMuch = near == u32.MAX_VALUE
  store<u32>(at, isTooMuch ? near : load<u32>(at) + near + comparisons)
  return isTooMuch
}

/** Whether a slot of the first half has already led to this row. */
function isFoundBefore(row: usize, needle: usize, slot: u32, threshold: u32, count: u32): bool {
  const mask = (1 << (prefixBits(count) + SIGNATURE_BITS)) - 1
  const slots = min(slot, FIRST_SLOTS)
  for (let other: u32 = 0; other < slots; other++) {
    const differing = (slotValue(row, other) ^ slotValue(needle, other)) & mask
    if (<i32>popcnt(differing) <= radiusOf(other, threshold)) return true
  }
  return false
}
