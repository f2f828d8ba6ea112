// First halves of hashes as rows of 16 bytes, as a table needs them: it looks at single hashes, and
// a row lies within one cache line. A scan over rows takes a third longer than over groups.

import { GROUP_HASHES, HEAD_BYTES, REST_BYTES } from './groups'
import { report } from './results'
import { isAnyLeft, isLeft } from './look-up'

const ROW_BYTES: usize = 16
const GROUP_BYTES: usize = HEAD_BYTES + REST_BYTES
/** Hashes that all needles are compared with before the next: their rows stay in the nearest cache. */
const BLOCK_ROWS: u32 = 1024

/** A group on its way from planes to rows. */
const group = memory.data(256)
/** The same, one step further. */
const next = memory.data(256)

/**
 * Turns all groups into rows, in their place: the rests must lie right behind the heads. It goes
 * from the last group to the first, because the rows of a group reach beyond its head only.
 */
export function toRows(
  heads: usize,
  count: u32, // hashes; those of the last group's padding become rows, too
  scratch: usize, // as many bytes as the rests
): void {
  const groups = (<usize>count + GROUP_HASHES - 1) / GROUP_HASHES
  memory.copy(scratch, heads + groups * HEAD_BYTES, groups * REST_BYTES)
  for (let left = groups; left > 0; left--) {
    const at = left - 1
    copyVectors(group, heads + at * HEAD_BYTES, HEAD_BYTES)
    copyVectors(group + HEAD_BYTES, scratch + at * REST_BYTES, REST_BYTES)
    // Each step turns the bits of a byte's place by one: that of the plane, then that of the hash.
    interleave(group, next)
    interleave(next, group)
    interleave(group, next)
    interleave(next, heads + at * GROUP_BYTES)
  }
}

function copyVectors(to: usize, from: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at))
}

/** Interleaves the bytes of 16 vectors: of the first with those of the ninth, and so on. */
function interleave(vectors: usize, out: usize): void {
  for (let at: usize = 0; at < 128; at += 16) {
    const a = v128.load(vectors + at)
    const b = v128.load(vectors + at, 128)
    const pair = out + (at << 1)
    v128.store(pair, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
    v128.store(
      pair,
      v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
      16,
    )
  }
}

/**
 * Finds what `scan` finds, by position, for needles that `lookUp` left. Returns the number of
 * results, with `found` earlier ones included.
 */
export function scanRows(
  rows: usize,
  count: u32,
  needles: usize, // needleCount x 32 bytes
  thresholds: usize, // needleCount x u8: bits, inclusive, 0 to 128
  needleCount: u32,
  results: usize,
  capacity: u32,
  found: u32,
): u32 {
  if (!isAnyLeft(needleCount)) return found
  for (let first: u32 = 0; first < count; first += BLOCK_ROWS) {
    const end = min(first + BLOCK_ROWS, count)
    for (let number: u32 = 0; number < needleCount; number++) {
      if (!isLeft(number)) continue
      const needle = needles + (number << 5)
      const threshold: u32 = load<u8>(thresholds + number)
      const a = load<u64>(needle)
      const b = load<u64>(needle, 8)
      let row = rows + <usize>first * ROW_BYTES
      for (let i = first; i < end; i++, row += ROW_BYTES) {
        const distance = <u32>popcnt(load<u64>(row) ^ a) + <u32>popcnt(load<u64>(row, 8) ^ b)
        if (distance <= threshold) report(distance, i, number, results, capacity, found++)
      }
    }
  }
  return found
}
