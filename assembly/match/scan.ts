// The scan kernel: which of the packed half-hashes lie near the needle's?
//
// The haystack holds the first 16 bytes of each hash, in groups of 16 hashes, plane by plane: byte p of all 16, then
// byte p + 1. A group is 256 bytes, and one v128 holds the same byte of 16 hashes:
//
//   group g, plane p, hash h:  haystack + g x 256 + p x 16 + h
//
// So a lane is a hash. Its distance over 16 bytes is at most 128 and fits the lane's 8 bits.

const HASHES: u32 = 16 // in a group
const PLANES: usize = 16
const GROUP_BYTES: usize = 256

/** The needle, each byte repeated over a vector. */
const splats = memory.data(256)
/** Distances of the group that is being looked at. */
const distances = memory.data(16)

/**
 * Finds every hash whose first half lies within `threshold` of the needle's, in ascending order.
 * Returns how many there are; the first `capacity` are written, each as distance << 24 | position.
 */
export function scan(
  haystack: usize, // groups of GROUP_BYTES; the last one padded with anything
  count: u32, // hashes, at most 2^24
  needle: usize, // 16 bytes
  threshold: u32, // bits, inclusive, 0 to 128
  results: usize, // capacity x u32
  capacity: u32,
): u32 {
  for (let plane: usize = 0; plane < PLANES; plane++) {
    v128.store(splats + (plane << 4), v128.load_splat<u8>(needle + plane))
  }
  const limit = i8x16.splat(<i8>threshold)
  let found: u32 = 0
  let group = haystack
  for (let first: u32 = 0; first < count; first += HASHES, group += GROUP_BYTES) {
    let distance = i8x16.splat(0)
    for (let at: usize = 0; at < GROUP_BYTES; at += 16) {
      const differing = v128.xor(v128.load(group + at), v128.load(splats + at))
      distance = i8x16.add(distance, i8x16.popcnt(differing))
    }
    const near = i8x16.le_u(distance, limit)
    if (!v128.any_true(near)) continue
    v128.store(distances, distance)
    for (let lanes = i8x16.bitmask(near); lanes; lanes &= lanes - 1) {
      const position = first + ctz(lanes)
      if (position >= count) break // padding
      if (found < capacity) {
        const bits = <u32>load<u8>(distances + ctz(lanes))
        store<u32>(results + ((<usize>found) << 2), (bits << 24) | position)
      }
      found++
    }
  }
  return found
}
