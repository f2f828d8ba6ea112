// First halves of hashes as rows of 16 bytes, as a table needs them: it looks at single hashes, and
// a row lies within one cache line. A scan over rows takes a third longer than over groups.

import { GROUP_HASHES, HEAD_BYTES, HEAD_PLANES, REST_BYTES } from './groups'
import { report } from './results'

/** Converts the hashes from `first` to `end` from groups into rows. */
export function toRows(
  heads: usize,
  rests: usize,
  first: u32,
  end: u32,
  out: usize, // of all rows: hashes x 16 bytes, apart from the groups
): void {
  for (let i = first; i < end; i++) {
    const rows = out + ((<usize>i) << 4)
    const group = <usize>(i / GROUP_HASHES)
    const lane = <usize>(i % GROUP_HASHES)
    const head = heads + group * HEAD_BYTES + lane
    const rest = rests + group * REST_BYTES + lane
    for (let p: usize = 0; p < HEAD_PLANES; p++) store<u8>(rows + p, load<u8>(head + (p << 4)))
    for (let p = HEAD_PLANES; p < 16; p++) {
      store<u8>(rows + p, load<u8>(rest + ((p - HEAD_PLANES) << 4)))
    }
  }
}

/**
 * Finds what `scan` finds, by position. Returns the number of results, with `found` earlier ones
 * included.
 */
export function scanRows(
  rows: usize,
  count: u32,
  needle: usize, // 16 bytes
  needleNumber: u32,
  threshold: u32, // bits, inclusive, 0 to 128
  results: usize,
  capacity: u32,
  found: u32,
): u32 {
  const a = load<u64>(needle)
  const b = load<u64>(needle, 8)
  for (let i: u32 = 0; i < count; i++, rows += 16) {
    const distance = <u32>popcnt(load<u64>(rows) ^ a) + <u32>popcnt(load<u64>(rows, 8) ^ b)
    if (distance <= threshold) report(distance, i, needleNumber, results, capacity, found++)
  }
  return found
}
