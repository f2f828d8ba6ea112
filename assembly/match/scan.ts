// The scan kernel: which of the packed half-hashes lie near the needles?

import {
  addRest,
  GROUP_HASHES,
  HEAD_BYTES,
  headDistances,
  lanesNear,
  reportLanes,
  REST_BYTES,
  setNeedle,
  splats,
} from './groups'

/**
 * Groups processed together, from as many quarters of the haystack: memory is read fastest in
 * several places at once.
 */
const STREAMS: u32 = 4
/**
 * Groups of a stream that all needles are compared with before the next: 4 x 32 heads stay in the
 * nearest cache.
 */
const BLOCK_GROUPS: u32 = 32

/**
 * How far ahead of a head to prefetch, into the next page: the processor's own prefetching stays
 * within a page. For lists larger than every cache this saves a seventh of the time.
 */
const AHEAD_BYTES: usize = 4224

/**
 * Finds every hash whose first half lies within the threshold of a needle's, in no particular order.
 * Returns how many there are; the first `capacity` are written to `results` (results.ts).
 */
export function scan(
  heads: usize,
  rests: usize,
  count: u32, // hashes; the last group is padded with anything
  needles: usize, // needleCount x 16 bytes
  thresholds: usize, // needleCount x u8: bits, inclusive, 0 to 128
  needleCount: u32,
  results: usize,
  capacity: u32,
): u32 {
  const groups = (count + GROUP_HASHES - 1) / GROUP_HASHES
  const streamGroups = groups / STREAMS
  const stream = <usize>streamGroups * HEAD_BYTES
  const lastHead = heads + stream - HEAD_BYTES
  let found: u32 = 0
  let fetched = i8x16.splat(0)
  for (let from: u32 = 0; from < streamGroups; from += BLOCK_GROUPS) {
    const to = min(from + BLOCK_GROUPS, streamGroups)
    for (let needle: u32 = 0; needle < needleCount; needle++) {
      setNeedle(needles + ((<usize>needle) << 4))
      const limit = v128.load_splat<u8>(thresholds + needle)
      let head = heads + <usize>from * HEAD_BYTES
      for (let group = from; group < to; group++, head += HEAD_BYTES) {
        const ahead = min(head + AHEAD_BYTES, lastHead)
        for (let line: usize = 0; line < HEAD_BYTES; line += 64) {
          fetched = v128.or(fetched, v128.load(ahead + line))
          fetched = v128.or(fetched, v128.load(ahead + line + stream))
          fetched = v128.or(fetched, v128.load(ahead + line + stream * 2))
          fetched = v128.or(fetched, v128.load(ahead + line + stream * 3))
        }
        // headDistances of four groups
        let a = i8x16.splat(0)
        let b = i8x16.splat(0)
        let c = i8x16.splat(0)
        let d = i8x16.splat(0)
        for (let at: usize = 0; at < HEAD_BYTES; at += 16) {
          const byte = v128.load(splats + at)
          const plane = head + at
          a = i8x16.add(a, i8x16.popcnt(v128.xor(v128.load(plane), byte)))
          b = i8x16.add(b, i8x16.popcnt(v128.xor(v128.load(plane + stream), byte)))
          c = i8x16.add(c, i8x16.popcnt(v128.xor(v128.load(plane + stream * 2), byte)))
          d = i8x16.add(d, i8x16.popcnt(v128.xor(v128.load(plane + stream * 3), byte)))
        }
        const least = i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d))
        if (lanesNear(least, limit) == 0) continue
        found = finish(a, rests, group, count, needle, limit, results, capacity, found)
        const second = group + streamGroups
        found = finish(b, rests, second, count, needle, limit, results, capacity, found)
        const third = second + streamGroups
        found = finish(c, rests, third, count, needle, limit, results, capacity, found)
        const fourth = third + streamGroups
        found = finish(d, rests, fourth, count, needle, limit, results, capacity, found)
      }
    }
  }
  for (let needle: u32 = 0; needle < needleCount; needle++) {
    setNeedle(needles + ((<usize>needle) << 4))
    const limit = v128.load_splat<u8>(thresholds + needle)
    for (let group = streamGroups * STREAMS; group < groups; group++) {
      const distance = headDistances(heads + <usize>group * HEAD_BYTES)
      found = finish(distance, rests, group, count, needle, limit, results, capacity, found)
    }
  }
  return found
}

/** Reports the near hashes of a group whose head has these distances. Returns the new `found`. */
function finish(
  ofHead: v128,
  rests: usize,
  group: u32,
  count: u32,
  needle: u32,
  limit: v128,
  results: usize,
  capacity: u32,
  found: u32,
): u32 {
  if (lanesNear(ofHead, limit) == 0) return found
  const distance = addRest(ofHead, rests + <usize>group * REST_BYTES)
  const first = group * GROUP_HASHES
  const isPadded = count - first < GROUP_HASHES
  const lanes = lanesNear(distance, limit) & (isPadded ? (1 << (count - first)) - 1 : 0xffff)
  return reportLanes(distance, lanes, first, needle, results, capacity, found)
}
