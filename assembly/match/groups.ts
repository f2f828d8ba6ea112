// How first halves of hashes lie in memory, and the distances of 16 of them at once.
//
// A group has the first 16 bytes of 16 hashes, plane by plane: byte p of all 16, then byte p + 1. A
// v128 holds the same byte of 16 hashes, so a lane is a hash, and its distance of at most 128 bits
// fits into the lane's 8.
//
// About 48 of 96 bits of unrelated hashes differ, so after 12 planes 994 of 1,000 groups have no
// lane left within 31.
// The other four planes lie apart and are rarely read. A head is three lines of the cache, a rest one:
//
//   heads + g x 192 + p x 16 + h         plane p, 0 to 11, of hash h in group g
//   rests + g x 64 + (p - 12) x 16 + h   plane p, 12 to 15

import { report } from './results'

export const GROUP_HASHES: u32 = 16
export const HEAD_PLANES: usize = 12
export const HEAD_BYTES: usize = HEAD_PLANES * 16
export const REST_BYTES: usize = (16 - HEAD_PLANES) * 16

/** A needle, each of its 16 bytes repeated over a vector. */
export const splats = memory.data(256)
/** Distances of the current group. */
const distances = memory.data(16)

/** Sets the first half of a hash as the needle. */
export function setNeedle(needle: usize /* 16 bytes */): void {
  for (let plane: usize = 0; plane < 16; plane++) {
    v128.store(splats + (plane << 4), v128.load_splat<u8>(needle + plane))
  }
}

/** Distances over the planes of a head: bits, 0 to 96, one per lane. */
export function headDistances(head: usize): v128 {
  let sum = i8x16.splat(0)
  for (let at: usize = 0; at < HEAD_BYTES; at += 16) {
    sum = i8x16.add(sum, bitsDiffering(head + at, at))
  }
  return sum
}

/** Distances over all planes, 0 to 128. */
export function addRest(ofHead: v128, rest: usize): v128 {
  let sum = ofHead
  for (let at: usize = 0; at < REST_BYTES; at += 16) {
    sum = i8x16.add(sum, bitsDiffering(rest + at, HEAD_BYTES + at))
  }
  return sum
}

function bitsDiffering(plane: usize, at: usize): v128 {
  return i8x16.popcnt(v128.xor(v128.load(plane), v128.load(splats + at)))
}

/** The lanes whose distance is within a limit, one bit each. */
export function lanesNear(distance: v128, limit: v128): i32 {
  return i8x16.bitmask(i8x16.le_u(distance, limit))
}

/** Reports lanes of a group. Returns the number of results, with `found` earlier ones included. */
export function reportLanes(
  distance: v128,
  lanes: i32, // a bit each
  first: u32, // position of lane 0
  needle: u32,
  results: usize,
  capacity: u32,
  found: u32,
): u32 {
  v128.store(distances, distance)
  for (; lanes; lanes &= lanes - 1) {
    const lane = ctz(lanes)
    report(load<u8>(distances + lane), first + lane, needle, results, capacity, found++)
  }
  return found
}
