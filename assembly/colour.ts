// What a file says about its tones, unparsed: the host reads it (src/scan/image/tone.ts).

import { lumaOf } from './luma/pixels'
import { beginTonedPlane, leaveOut } from './luma/planes'
import { allocate } from './memory'

/**
 * Longest profile kept: a JPEG segment or a small PNG chunk cannot hold a longer one. Curves are
 * near its beginning.
 */
const MAX_PROFILE_BYTES: u32 = 65536

let address: usize = 0
let bytes: u32 = 0
let gamma: u32 = 0

/** Keeps the file's first ICC profile, or the first part of it. */
export function keepProfile(at: usize, count: u32): void {
  if (address || !count || count > MAX_PROFILE_BYTES) return
  address = allocate(count)
  if (!address) return
  bytes = count
  memory.copy(address, at, count)
}

export function keepGamma(value: u32): void {
  if (!gamma) gamma = value
}

/** Address of the colour profile; 0 if there is none. PNG's still has the form of its chunk. */
export function profileAddress(): usize {
  return address
}

export function profileLength(): u32 {
  return bytes
}

/** PNG's gamma, times 100,000; 0 if the file has none. */
export function gammaOf(): u32 {
  return gamma
}

/** Steps of a curve. */
const STEPS: f32 = 1024
const CURVE_BYTES: usize = 1025 * 4

/** Whether the file says anything about its tones. */
export function hasTones(): bool {
  return address != 0 || gamma != 0
}

let curve: usize = 0
/** The curve at each byte value. */
const ofBytes = memory.data(1024)

/** Room for the curve that all channels of the picture go through from here on, for a plane of its own; 0 if memory is short. */
export function beginTones(): usize {
  if (!beginTonedPlane()) {
    leaveOut()
    return 0
  }
  curve = allocate(CURVE_BYTES)
  return curve
}

/** The host has set the curve. */
export function tonesSet(): void {
  for (let i: u32 = 0; i < 256; i++) f32.store(ofBytes + (i << 2), tonedBy(curve, <f32>i))
}

/** A channel's value, 0 to 255, after the curve. */
export function toned(value: f32): f32 {
  return tonedBy(curve, value)
}

function tonedByte(value: u8): f32 {
  return f32.load(ofBytes + ((<usize>value) << 2))
}

/** Luma of a pixel of three bytes, each after the curve. */
export function tonedLuma(pixel: usize): f32 {
  return lumaOf(
    tonedByte(load<u8>(pixel)),
    tonedByte(load<u8>(pixel, 1)),
    tonedByte(load<u8>(pixel, 2)),
  )
}

function tonedBy(by: usize, value: f32): f32 {
  const place = max<f32>(0, min<f32>(value, 255)) * (STEPS / 255)
  const step = min(<u32>place, <u32>STEPS - 1)
  const from = by + ((<usize>step) << 2)
  const low = f32.load(from)
  return low + (f32.load(from, 4) - low) * (place - <f32>step)
}

/**
 * Applies a curve to a plane of luma: close to the luma of curved channels, if these do not differ
 * much.
 */
export function applyCurve(
  plane: usize, // count of f32
  count: u32,
  by: usize, // STEPS + 1 of f32: lumas for 0 to 255, evenly
  out: usize, // the same size as the plane; may be the plane
): void {
  for (let at: usize = 0, end = (<usize>count) << 2; at < end; at += 4) {
    f32.store(out + at, tonedBy(by, f32.load(plane + at)))
  }
}

/**
 * Puts a plane of luma, alpha dropped, over a background. The difference between the picture over
 * white and over black is what the background shows through.
 */
export function putOver(
  plane: usize, // count of f32
  count: u32,
  white: usize, // the same size
  black: usize,
  background: f32,
): void {
  for (let at: usize = 0, end = (<usize>count) << 2; at < end; at += 4) {
    const through = (f32.load(white + at) - f32.load(black + at)) / 255
    const value = f32.load(plane + at)
    f32.store(plane + at, value + (background - value) * through)
  }
}
