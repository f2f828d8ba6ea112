// Multi-index hashing (Norouzi, Punjani, Fleet, 2014), with slots of 23 bits: a hash has eleven,
// side by side, and three bits are in none. Two hashes that differ in at most 31 bits differ by at
// most two bits in one of the first ten slots, or by at most one in the last: otherwise they would
// differ in 10 x 3 + 2 bits. Whatever a slot finds is compared with the needle as in a scan.
//
// For each slot the table has the positions of all hashes, sorted by key: the lowest bits of the
// slot's value, all 23 for a million hashes. A block is the 256 keys that share their other bits.
// It has one bit for each key, set if a hash has that key. A needle tests the bits of all keys near
// its own: 277 within two bits, 2,048 within three. Of a million hashes unlike the needle, about 33
// per slot remain, or 244.
//
// Hashes of a block lie side by side. How many of its keys come before one says about where the
// hashes of that key begin: some places later if hashes share keys. So with each position are four
// bits of a number that is counted up from key to key.
//
//   slot s at table + s x slotBytes(count):
//     blocks       blocks x 256 bits
//     begins       (blocks + 1) x u32: how many hashes come before those of a block; and from bit 28
//                  on, the lowest four bits of how many keys do
//     places       (count + 1) x 3 bytes, and one that may be read beyond them: the position of a
//                  hash; and from bit 20 on, the lowest four bits of how many keys come before its own

import { GROUP_HASHES, HEAD_BYTES, HEAD_PLANES, REST_BYTES } from './groups'

export const SLOTS: u32 = 11
/** Slots whose bits all lie in the first half of a hash. */
export const FIRST_SLOTS: u32 = 5
const SLOT_BITS: u32 = 23
/** Bits of a key that tell those of a block apart. */
export const BLOCK_BITS: u32 = 8
export const BLOCK_BYTES: usize = (1 << BLOCK_BITS) >> 3
export const PLACE_BYTES: usize = 3
/** Hashes of a segment: at most 2^20. */
export const POSITION_BITS: u32 = 20
export const POSITION_MASK: u32 = (1 << POSITION_BITS) - 1
/** Where a place has the lowest bits of a number of keys. */
export const KEYS_SHIFT: u32 = 28
export const PLACE_MASK: u32 = (1 << KEYS_SHIFT) - 1

function padded(bytes: usize): usize {
  return (bytes + 15) & ~15
}

/** Bits of a key: as many as make blocks of about a byte a hash, or less. */
export function keyBits(count: u32): u32 {
  const log: u32 = 31 - <u32>clz(count + (count >> 4))
  return min(SLOT_BITS, max(log + 3, BLOCK_BITS))
}

export function blockCount(count: u32): u32 {
  return 1 << (keyBits(count) - BLOCK_BITS)
}

export function beginsAt(count: u32): usize {
  return <usize>blockCount(count) * BLOCK_BYTES
}

export function placesAt(count: u32): usize {
  return beginsAt(count) + padded((<usize>blockCount(count) + 1) << 2)
}

/** Bytes that a slot takes. At least as many as the rests of all groups, whose scratch slot 0 is. */
export function slotBytes(count: u32 /* 1 to 2^20 */): usize {
  const rests = padded(count) * (REST_BYTES / GROUP_HASHES)
  return max(placesAt(count) + padded((<usize>count + 1) * PLACE_BYTES + 1), rests)
}

/** A slot's value: 23 bits from bit 23 x slot on, of the bytes in order, lowest bits first. */
export function slotValue(hash: usize, slot: u32): u32 {
  const bit = slot * SLOT_BITS
  return (load<u32>(hash + (bit >> 3)) >> (bit & 7)) & ((1 << SLOT_BITS) - 1)
}

/**
 * Bits by which a slot may differ: together with the slots before it, just enough to miss nothing.
 * -1: it is not needed.
 */
export function radiusOf(slot: u32, threshold: u32): i32 {
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
