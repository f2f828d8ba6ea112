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

/** Where the positions of a value, and of those that differ from it in one bit, begin and end: 17 x 2 x u32. */
const ranges = memory.data(136)
/** Hashes that each needle has been held against. */
const looked = memory.data(256)
/** Most needles at once. */
const MAX_NEEDLES: u32 = 64

/**
 * Finds every hash that lies within `threshold` of a needle as a whole, and rarely others whose first half does: by
 * position, some more than once. Slot by slot for all needles, so that what is read lies close together.
 * Returns how many results there are, as a scan does. Which needles would have to be held against more than `maxLooked`
 * hashes, and are left to a scan, `isLeft` tells.
 */
export function lookUp(
  table: usize,
  rows: usize,
  count: u32,
  needles: usize, // needleCount x 32 bytes
  needleCount: u32, // at most MAX_NEEDLES
  threshold: u32, // bits, inclusive, at most 31
  maxLooked: u32,
  candidates: usize, // scratch, maxLooked x u32
  results: usize,
  capacity: u32,
): u32 {
  const shift = shiftOf(count)
  const bytes = slotBytes(count)
  const lows = lowAt(shift)
  const highs = highAt(shift, count)
  const radius: u32 = threshold < SLOTS ? 0 : 1
  const variants: u32 = radius == 0 ? 1 : 1 + SLOT_BITS - shift
  memory.fill(looked, 0, MAX_NEEDLES << 2)
  let found: u32 = 0
  for (let slot: u32 = 0; slot < SLOTS; slot++, table += bytes) {
    const low = table + lows
    const high = table + highs
    for (let number: u32 = 0; number < needleCount; number++) {
      const needle = needles + (number << 5)
      const a = load<u64>(needle)
      const b = load<u64>(needle, 8)
      const value = valueAt(needle, slot, shift)
      // What is far away is fetched in three rounds, each of which need not wait for what it fetches.
      if (isOver(number, findRanges(table, value, variants), maxLooked)) continue
      const candidateCount = gather(low, high, variants, candidates)
      for (let c: u32 = 0; c < candidateCount; c++) {
        const position = load<u32>(candidates + (c << 2))
        const row = rows + (position << 4)
        const distance = <u32>popcnt(load<u64>(row) ^ a) + <u32>popcnt(load<u64>(row, 8) ^ b)
        if (distance > threshold || isFoundBefore(row, needle, slot, shift, radius)) continue
        report(distance, position, number, results, capacity, found++)
      }
    }
  }
  return found
}

/** Notes where the positions of a value's variants lie. Returns how many they are. */
function findRanges(slot: usize, value: u32, variants: u32): u32 {
  let sum: u32 = 0
  let range = ranges
  for (let variant: u32 = 0; variant < variants; variant++, range += 8) {
    const near = variant == 0 ? value : value ^ (1 << (variant - 1))
    const begin = beginOf(slot, near)
    const end = beginOf(slot, near + 1)
    store<u32>(range, begin)
    store<u32>(range, end, 4)
    sum += end - begin
  }
  return sum
}

/** Writes the positions that the ranges lead to. Returns how many they are. */
function gather(low: usize, high: usize, variants: u32, positions: usize): u32 {
  let count: u32 = 0
  for (let range = ranges, last = ranges + (variants << 3); range < last; range += 8) {
    const end = load<u32>(range, 4)
    for (let i = load<u32>(range); i < end; i++, count++) {
      const top = (<u32>load<u8>(high + (i >> 2)) >> ((i & 3) << 1)) & 3
      store<u32>(positions + (count << 2), (top << 16) | <u32>load<u16>(low + (i << 1)))
    }
  }
  return count
}

/** Whether a needle was left to a scan. */
export function isLeft(needle: u32): bool {
  return load<u32>(looked + (needle << 2)) == u32.MAX_VALUE
}

/** Counts what a needle is about to be held against. Returns whether that is too much: the needle is left, then. */
function isOver(needle: u32, more: u32, maxLooked: u32): bool {
  const at = looked + (needle << 2)
  const before = load<u32>(at)
  if (before == u32.MAX_VALUE) return true
  const isTooMuch = before + more > maxLooked
  store<u32>(at, isTooMuch ? u32.MAX_VALUE : before + more)
  return isTooMuch
}

/** Whether a slot of the first half has led to this row before. */
function isFoundBefore(row: usize, needle: usize, slot: u32, shift: u32, radius: u32): bool {
  const slots = min(slot, SLOTS / 2)
  for (let other: u32 = 0; other < slots; other++) {
    const differing = valueAt(row, other, shift) ^ valueAt(needle, other, shift)
    if (popcnt(differing) <= radius) return true
  }
  return false
}
