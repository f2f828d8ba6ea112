// Multi-index hashing (Norouzi, Punjani, Fleet, 2014): a hash has 16 slots of 16 bits. Two hashes that differ in at most 31
// bits differ by at most one bit in some slot, so that of each slot just 17 values need be looked up. What they lead to is
// held against the needle as in a scan.
//
// Of each slot the table has all positions, sorted by the slot's value without its `shift` lowest bits: the fewer hashes, the
// fewer values are told apart, so that a hash takes at most 44 bytes here. A position has 18 bits: its lowest 16 and its
// highest 2 lie apart. Where the positions of a value begin is kept in the same way; its highest bits only ever grow from
// value to value, so it is enough to know at which values they do.
//
//   slot s at table + s x slotBytes(count):
//     steps    4 x u32    the first value whose positions begin at 1, 2, 3, 4 x 65536 or behind
//     begins   (values + 1) x u16
//     low      count x u16
//     high     count / 4 bytes, rounded up; each part padded to 16 bytes

import { report } from './results'

const SLOTS: u32 = 16
const SLOT_BITS: u32 = 16
/** First and last positions, of each slot and variant of a needle: SLOTS x (SLOT_BITS + 1) x 2 x u32. */
const ranges = memory.data(2176)

const BEGINS: usize = 16
const MAX_COUNT_BITS: u32 = 18

function padded(bytes: usize): usize {
  return (bytes + 15) & ~15
}

/** Lowest bits of a slot that are not told apart: so many that there are four hashes or more for each value. */
function shiftOf(count: u32): u32 {
  return min(SLOT_BITS, MAX_COUNT_BITS - (31 - clz(count)))
}

function lowAt(shift: u32): usize {
  return BEGINS + padded(((1 << (SLOT_BITS - shift)) + 1) << 1)
}

function highAt(shift: u32, count: u32): usize {
  return lowAt(shift) + padded((<usize>count) << 1)
}

/** Bytes that a slot takes. */
export function slotBytes(count: u32 /* 1 to 2^18 */): usize {
  return highAt(shiftOf(count), count) + padded((<usize>count + 3) >> 2)
}

/** Sorts positions by the values of a slot, by counting. */
export function sortSlot(
  slotValues: usize, // count x u16
  count: u32, // 1 to 2^18
  ends: usize, // scratch, 65536 x u32
  out: usize, // slotBytes(count)
): void {
  const shift = shiftOf(count)
  const values: u32 = 1 << (SLOT_BITS - shift)
  memory.fill(ends, 0, values << 2)
  for (let i: u32 = 0; i < count; i++) {
    const end = ends + (valueAt(slotValues, i, shift) << 2)
    store<u32>(end, load<u32>(end) + 1)
  }
  let begin: u32 = 0
  let steps: u32 = 0
  for (let value: u32 = 0; value <= values; value++) {
    for (; steps < begin >> 16; steps++) store<u32>(out + (steps << 2), value)
    store<u16>(out + BEGINS + (value << 1), <u16>begin)
    if (value == values) break
    const end = ends + (value << 2)
    const size = load<u32>(end)
    store<u32>(end, begin)
    begin += size
  }
  for (; steps < 4; steps++) store<u32>(out + (steps << 2), u32.MAX_VALUE)
  const low = out + lowAt(shift)
  const high = out + highAt(shift, count)
  memory.fill(high, 0, (<usize>count + 3) >> 2)
  for (let i: u32 = 0; i < count; i++) {
    const next = ends + (valueAt(slotValues, i, shift) << 2)
    const at = load<u32>(next)
    store<u32>(next, at + 1)
    store<u16>(low + (at << 1), <u16>i)
    const byte = high + (at >> 2)
    store<u8>(byte, load<u8>(byte) | <u8>((i >> 16) << ((at & 3) << 1)))
  }
}

function valueAt(slotValues: usize, position: u32, shift: u32): u32 {
  return <u32>load<u16>(slotValues + (position << 1)) >> shift
}

/** Where the positions of a value begin, 0 to count; of the value behind the last: where all end. */
function beginOf(slot: usize, value: u32): u32 {
  const high =
    u32(load<u32>(slot) <= value) +
    u32(load<u32>(slot, 4) <= value) +
    u32(load<u32>(slot, 8) <= value) +
    u32(load<u32>(slot, 12) <= value)
  return (high << 16) | load<u16>(slot + BEGINS + (value << 1))
}

/**
 * Finds every hash that lies within `threshold` of a needle as a whole, and rarely others whose first half does: by
 * position, some more than once.
 * Returns how many results there are, after `found` others, as a scan does; -1 if more than `maxLooked` hashes would have
 * to be looked at.
 */
export function lookUp(
  table: usize,
  rows: usize,
  count: u32,
  needle: usize, // 32 bytes
  needleNumber: u32,
  threshold: u32, // bits, inclusive, at most 31
  maxLooked: u32,
  results: usize,
  capacity: u32,
  found: u32,
): i32 {
  const shift = shiftOf(count)
  const bytes = slotBytes(count)
  const variants: u32 = threshold < SLOTS ? 1 : 1 + SLOT_BITS - shift
  if (findRanges(table, bytes, needle, shift, variants) > maxLooked) return -1
  const a = load<u64>(needle)
  const b = load<u64>(needle, 8)
  const lows = lowAt(shift)
  const highs = highAt(shift, count)
  let range = ranges
  for (let slot: u32 = 0; slot < SLOTS; slot++, table += bytes) {
    const low = table + lows
    const high = table + highs
    for (let variant: u32 = 0; variant < variants; variant++, range += 8) {
      const end = load<u32>(range, 4)
      for (let i = load<u32>(range); i < end; i++) {
        const top = (<u32>load<u8>(high + (i >> 2)) >> ((i & 3) << 1)) & 3
        const position = (top << 16) | <u32>load<u16>(low + (i << 1))
        const row = rows + (position << 4)
        const distance = <u32>popcnt(load<u64>(row) ^ a) + <u32>popcnt(load<u64>(row, 8) ^ b)
        if (distance <= threshold) {
          report(distance, position, needleNumber, results, capacity, found++)
        }
      }
    }
  }
  return found
}

/** Notes which positions each slot and variant leads to. Returns how many they are. */
function findRanges(table: usize, bytes: usize, needle: usize, shift: u32, variants: u32): u32 {
  let range = ranges
  let looked: u32 = 0
  for (let slot: u32 = 0; slot < SLOTS; slot++, table += bytes) {
    const value = valueAt(needle, slot, shift)
    for (let variant: u32 = 0; variant < variants; variant++, range += 8) {
      // The value itself, and those that differ from it in one bit.
      const near = variant == 0 ? value : value ^ (1 << (variant - 1))
      const begin = beginOf(table, near)
      const end = beginOf(table, near + 1)
      store<u32>(range, begin)
      store<u32>(range, end, 4)
      looked += end - begin
    }
  }
  return looked
}
