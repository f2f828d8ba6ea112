// Finds near hashes through a table (table.ts).
//
// Most of the time is spent waiting for distant memory. So the work on a slot is divided into
// rounds: short loops that fetch, in which nothing waits for anything else, and loops that compute
// with what is then in the cache.

import { report } from './results'
import {
  beginsAt,
  BLOCK_BITS,
  BLOCK_BYTES,
  FIRST_SLOTS,
  keyBits,
  KEYS_SHIFT,
  PLACE_BYTES,
  PLACE_MASK,
  placesAt,
  POSITION_BITS,
  POSITION_MASK,
  radiusOf,
  SLOTS,
  slotBytes,
  slotValue,
} from './table'

/** Cost of each needle so far: hashes compared with it, and steps to them. */
const looked = memory.data(256)

/** Maximum bits by which a slot may differ: that of a threshold of 43. Beyond it, a scan is faster. */
const MAX_RADIUS: u32 = 3
/**
 * Numbers with at most 3 of 23 bits set, 1 + 23 + 253 + 1771, u32 each, ordered by how many: they
 * lead from a key to all near ones.
 */
const flips = memory.data(2048 << 2)
/** Where those with at most 0, 1, 2 and 3 bits end, u32 each. */
const flipEnds = memory.data((MAX_RADIUS + 1) << 2)
/** Those of them whose lowest 9 bits are 0: they lead from a line of the cache to all near ones. */
const lineFlips = memory.data(470 << 2)
const lineFlipEnds = memory.data((MAX_RADIUS + 1) << 2)
/** Bits of keys whose blocks are a line of the cache. */
const LINE_MASK: u32 = (1 << 9) - 1
/** Bits of the keys in these lists. */
let listedBits: u32 = 0

/** Near keys that some hash has, u32 each, and one that is not near. */
const keys = memory.data(2049 << 2)
/** About where the hashes of each of them begin, and their four bits from bit 28 on, u32 each. */
const places = memory.data(2048 << 2)

/** Bytes of which a prefix masks the keys of a block before one: 32 of ones, 32 of zeros. */
const masks = memory.data(64)
/** Hashes of a block beyond one for each of its keys, from which on their four bits are ambiguous. */
const CROWD: u32 = 16
/** Steps that the last `gather` took through crowds. */
let steps: u32 = 0

/** Keeps the compiler from removing reads whose values do not matter. */
export let sink: u32 = 0

/**
 * Finds every hash that lies within the threshold of a needle as a whole, and rarely others whose
 * first half does: by position, some more than once. It works slot by slot for all needles, so that
 * reads stay close together. Returns the number of results, as a scan does. Needles that would cost
 * more than `maxLooked`, and those with thresholds too large for a table, are left to a scan: see
 * `isLeft`.
 */
export function lookUp(
  table: usize,
  rows: usize,
  count: u32,
  needles: usize, // needleCount x 32 bytes
  thresholds: usize, // needleCount x u8: bits, inclusive
  needleCount: u32, // at most 64
  maxLooked: u32,
  candidates: usize, // scratch, maxLooked x u32
  results: usize,
  capacity: u32,
): u32 {
  listFlips(keyBits(count))
  for (let number: u32 = 0; number < needleCount; number++) {
    const isTooWide = radiusOf(0, load<u8>(thresholds + number)) > <i32>MAX_RADIUS
    store<u32>(looked + (number << 2), isTooWide ? u32.MAX_VALUE : 0)
  }
  let found: u32 = 0
  for (let slot: u32 = 0; slot < SLOTS; slot++, table += slotBytes(count)) {
    for (let number: u32 = 0; number < needleCount; number++) {
      const threshold: u32 = load<u8>(thresholds + number)
      const radius = radiusOf(slot, threshold)
      if (isLeft(number) || radius < 0) continue
      const needle = needles + (number << 5)
      const most = maxLooked - load<u32>(looked + (number << 2))
      const near = gather(table, count, slotValue(needle, slot), <u32>radius, candidates, most)
      if (note(number, near)) continue
      fetchRows(rows, candidates, near)
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

function listFlips(bits: u32): void {
  if (listedBits == bits) return
  listedBits = bits
  memory.fill(masks, 255, BLOCK_BYTES)
  let end = flips
  let lineEnd = lineFlips
  for (let weight: u32 = 0; weight <= MAX_RADIUS; weight++) {
    for (let flip: u32 = (1 << weight) - 1; flip >> bits == 0; flip = nextOfWeight(flip)) {
      store<u32>(end, flip)
      end += 4
      if ((flip & LINE_MASK) == 0) {
        store<u32>(lineEnd, flip)
        lineEnd += 4
      }
      if (weight == 0) break
    }
    store<u32>(flipEnds + (weight << 2), <u32>end)
    store<u32>(lineFlipEnds + (weight << 2), <u32>lineEnd)
  }
}

/** The next larger number with as many bits set (Gosper). */
function nextOfWeight(bits: u32): u32 {
  const lowest = bits & (0 - bits)
  const carried = bits + lowest
  return carried | (((bits ^ carried) >> 2) >> ctz(lowest))
}

/**
 * Writes the positions of hashes whose slot is near a value. Returns their number; u32.MAX_VALUE if
 * they, and the steps to them, exceed `most`.
 */
function gather(
  slot: usize,
  count: u32,
  value: u32,
  radius: u32,
  positions: usize, // most x u32
  most: u32,
): u32 {
  const key = value & ((1 << keyBits(count)) - 1)
  const begins = slot + beginsAt(count)
  const slotPlaces = slot + placesAt(count)
  fetchBlocks(slot, key, radius)
  const end = findKeys(slot, key, radius)
  fetchBegins(begins, end)
  findPlaces(slot, begins, slotPlaces, end, most)
  if (steps >= most) return u32.MAX_VALUE
  const last = places + (end - keys)
  fetchPlaces(slotPlaces, last)
  return toPositions(slotPlaces, last, positions, most)
}

function fetchBlocks(blocks: usize, key: u32, radius: u32): void {
  let fetched: u32 = 0
  const last = <usize>load<u32>(lineFlipEnds + (radius << 2))
  for (let flip = lineFlips; flip < last; flip += 4) {
    fetched += load<u8>(blocks + ((key ^ load<u32>(flip)) >> 3))
  }
  sink = fetched
}

/** Lists near keys that some hash has in `keys`. Returns where they end. */
function findKeys(blocks: usize, key: u32, radius: u32): usize {
  let end = keys
  const last = <usize>load<u32>(flipEnds + (radius << 2))
  for (let flip = flips; flip < last; flip += 4) {
    const near = key ^ load<u32>(flip)
    store<u32>(end, near) // without a branch, which would be mispredicted for each key that is found
    end += ((<u32>load<u8>(blocks + (near >> 3)) >> (near & 7)) & 1) << 2
  }
  return end
}

function fetchBegins(begins: usize, end: usize): void {
  let fetched: u32 = 0
  for (let at = keys; at < end; at += 4) {
    fetched += load<u8>(begins + ((load<u32>(at) >> BLOCK_BITS) << 2))
  }
  sink = fetched
}

/** Sets `places` of the keys, until it took `most` steps. */
function findPlaces(blocks: usize, begins: usize, slotPlaces: usize, end: usize, most: u32): void {
  steps = 0
  for (let at = keys, to = places; at < end && steps < most; at += 4, to += 4) {
    const key = load<u32>(at)
    const block = blocks + <usize>(key >> BLOCK_BITS) * BLOCK_BYTES
    const both = load<u64>(begins + ((key >> BLOCK_BITS) << 2))
    const begin = <u32>both
    const length = (<u32>(both >> 32) - begin) & PLACE_MASK
    const rank = rankOf(block, key)
    const isCrowd = length >= keysOf(block) + CROWD
    const further = isCrowd ? throughCrowd(slotPlaces, begin, rank) : rank
    store<u32>(to, begin + further + (rank << KEYS_SHIFT))
  }
}

/** How many of a block's keys some hash has before one. */
function rankOf(block: usize, key: u32): u32 {
  const byte = <usize>((key >> 3) & 31)
  const mask = masks + BLOCK_BYTES - byte
  let rank = popcnt(load<u64>(block) & load<u64>(mask))
  rank += popcnt(load<u64>(block, 8) & load<u64>(mask, 8))
  rank += popcnt(load<u64>(block, 16) & load<u64>(mask, 16))
  rank += popcnt(load<u64>(block, 24) & load<u64>(mask, 24))
  return <u32>rank + <u32>popcnt(<u32>load<u8>(block + byte) & ((1 << (key & 7)) - 1))
}

/** How many of a block's keys some hash has. */
function keysOf(block: usize): u32 {
  const half = popcnt(load<u64>(block)) + popcnt(load<u64>(block, 8))
  return <u32>(half + popcnt(load<u64>(block, 16)) + popcnt(load<u64>(block, 24)))
}

/**
 * How many hashes come before those of a key in its block. It takes steps of up to 15 places, since
 * no more keys can have passed in one.
 */
function throughCrowd(slotPlaces: usize, begin: u32, rank: u32): u32 {
  let place = begin & PLACE_MASK
  let passed: u32 = 0
  while (passed < rank) {
    const step = min(rank - passed, 15)
    place += step
    passed += step
    passed -= ((begin >> KEYS_SHIFT) + passed - keysAt(slotPlaces, place)) & 15
    steps++
  }
  return place - (begin & PLACE_MASK)
}

function placeAt(slotPlaces: usize, place: u32): u32 {
  return load<u32>(slotPlaces + <usize>place * PLACE_BYTES)
}

/** How many keys come before that of a hash, in its lowest four bits. */
function keysAt(slotPlaces: usize, place: u32): u32 {
  return placeAt(slotPlaces, place) >> POSITION_BITS
}

function fetchPlaces(slotPlaces: usize, last: usize): void {
  let fetched: u32 = 0
  for (let at = places; at < last; at += 4) {
    fetched += placeAt(slotPlaces, load<u32>(at) & PLACE_MASK)
  }
  sink = fetched
}

/** Writes the positions of hashes at `places`. Returns their number, as `gather` does. */
function toPositions(slotPlaces: usize, last: usize, positions: usize, most: u32): u32 {
  let near: u32 = 0
  for (let at = places; at < last; at += 4) {
    const both = load<u32>(at)
    const before = both >> KEYS_SHIFT
    let place = both & PLACE_MASK
    // Two steps are almost always enough, and a branch for each would be mispredicted.
    place += (before - keysAt(slotPlaces, place)) & 15
    place += (before - keysAt(slotPlaces, place)) & 15
    let here = placeAt(slotPlaces, place)
    for (; ((before ^ (here >> POSITION_BITS)) & 15) != 0; here = placeAt(slotPlaces, place)) {
      place += (before - (here >> POSITION_BITS)) & 15
    }
    do {
      if (near + steps >= most) return u32.MAX_VALUE
      store<u32>(positions + (near++ << 2), here & POSITION_MASK)
      here = placeAt(slotPlaces, ++place)
    } while (((before ^ (here >> POSITION_BITS)) & 15) == 0)
  }
  return near
}

function fetchRows(rows: usize, positions: usize, near: u32): void {
  let fetched: u32 = 0
  for (let last = positions + (near << 2); positions < last; positions += 4) {
    fetched += load<u8>(rows + (load<u32>(positions) << 4))
  }
  sink = fetched
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
  store<u32>(at, isTooMuch ? near : load<u32>(at) + near + steps)
  return isTooMuch
}

/** Whether a slot of the first half has already led to this row. */
function isFoundBefore(row: usize, needle: usize, slot: u32, threshold: u32, count: u32): bool {
  const mask = (1 << keyBits(count)) - 1
  const slots = min(slot, FIRST_SLOTS)
  for (let other: u32 = 0; other < slots; other++) {
    const differing = (slotValue(row, other) ^ slotValue(needle, other)) & mask
    if (<i32>popcnt(differing) <= radiusOf(other, threshold)) return true
  }
  return false
}
