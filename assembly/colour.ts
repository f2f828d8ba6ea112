// What a file says about its tones, unparsed: the host reads it (src/scan/image/tone.ts).

import { lumaOf } from './luma/pixels'
import { beginTonedPlane, leaveOut } from './luma/planes'
import { allocate } from './memory'

/** Parts of a profile that are kept, each of up to 64 KB. */
const MAX_PARTS: u32 = 4
const CHROMATICITY_BYTES: u32 = 32

/** Addresses and lengths of the profile's parts, by their numbers. */
const parts = memory.data(MAX_PARTS * 8)
let partCount: u32 = 0
let address: usize = 0
let bytes: u32 = 0
let gamma: u32 = 0
const chromaticities = memory.data(CHROMATICITY_BYTES)
let hasChromaticities: bool = false
/** PNG's cICP: code points of primaries, transfer and matrix, and the range. */
let codePoints: u32 = 0
/** The brightest light of the content, and of the display that it was made on, in 1/10,000 nits. */
let contentPeak: u32 = 0
let displayPeak: u32 = 0

/** Keeps the file's first ICC profile, which comes in parts that are numbered from 1. */
export function keepProfile(at: usize, count: u32, number: u32, total: u32): void {
  if (!count || !number || number > total) return
  if (total > MAX_PARTS || isInkProfile(at, count, number)) {
    leaveOut()
    return
  }
  const part = parts + ((<usize>number - 1) << 3)
  if (load<u32>(part) || (partCount && partCount != total)) return
  const copy = allocate(count)
  if (!copy) {
    leaveOut()
    return
  }
  partCount = total
  memory.copy(copy, at, count)
  store<u32>(part, <u32>copy)
  store<u32>(part, count, 4)
}

/** Whether a profile's first part says that it is for CMYK: those are not applied. */
function isInkProfile(at: usize, count: u32, number: u32): bool {
  return number == 1 && count >= 20 && load<u32>(at, 16) == 0x4b594d43
}

/** Joins the parts of the profile, as far as they have come. */
function joinParts(): void {
  if (address || !partCount) return
  let count: u32 = 0
  for (let i: u32 = 0; i < partCount; i++) count += load<u32>(parts + ((<usize>i) << 3), 4)
  address = allocate(count)
  if (!address) return
  for (let i: u32 = 0; i < partCount; i++) {
    const part = parts + ((<usize>i) << 3)
    memory.copy(address + bytes, load<u32>(part), load<u32>(part, 4))
    bytes += load<u32>(part, 4)
  }
}

export function keepGamma(value: u32): void {
  if (!gamma) gamma = value
}

/** Keeps the places of white, red, green and blue in CIE xy: eight numbers of four bytes. */
export function keepChromaticities(at: usize): void {
  if (hasChromaticities) return
  hasChromaticities = true
  memory.copy(chromaticities, at, CHROMATICITY_BYTES)
}

export function keepCodePoints(at: usize): void {
  if (!codePoints) codePoints = load<u32>(at)
}

/** PNG's cLLI. */
export function keepContentPeak(value: u32): void {
  if (!contentPeak) contentPeak = value
}

/** PNG's mDCV. */
export function keepDisplayPeak(value: u32): void {
  if (!displayPeak) displayPeak = value
}

/** Address of the colour profile, for PNG of its whole iCCP chunk; 0 if the file has no profile. */
export function profileAddress(): usize {
  joinParts()
  return address
}

export function profileLength(): u32 {
  return bytes
}

/** PNG's gamma, times 100,000; 0 if the file has none. */
export function gammaOf(): u32 {
  return gamma
}

/** Address of what PNG's cHRM says; 0 if the file has none. */
export function chromaticitiesAddress(): usize {
  return hasChromaticities ? chromaticities : 0
}

/** The four bytes of PNG's cICP; 0 if the file has none. */
export function codePointsOf(): u32 {
  return codePoints
}

/** The brightest light that a PNG states, in 1/10,000 nits; 0 if it states none. */
export function peakOf(): u32 {
  return contentPeak ? contentPeak : displayPeak
}

/** Steps of a curve. */
const STEPS: f32 = 1024
const CURVE_BYTES: usize = 1025 * 4

/** Whether the file says anything about its tones. */
export function hasTones(): bool {
  return partCount != 0 || gamma != 0 || hasChromaticities || codePoints != 0
}

let curve: usize = 0
/** The curve at each byte value. */
const ofBytes = memory.data(1024)

/** A place in a grid of lumas for each of the steps, a curve a channel. */
let places: usize = 0
/** Address of the grid of lumas, in which blue changes fastest; 0 if there is no grid. */
let grid: usize = 0
/** Nodes of the grid along each channel. */
const sides = memory.data(12)

/**
 * Room for what the channels of the picture go through from here on, for a plane of its own; 0 if
 * memory is short. First a curve. If it does not say all of colours, the grid follows: a curve of
 * places for each channel, and its lumas.
 */
export function beginTones(red: u32, green: u32, blue: u32): usize {
  const nodes = <usize>red * green * blue
  const room = CURVE_BYTES + (nodes ? 3 * CURVE_BYTES + (nodes << 2) : 0)
  curve = beginTonedPlane() ? allocate(room) : 0
  if (!curve) {
    leaveOut()
    return 0
  }
  places = curve + CURVE_BYTES
  grid = nodes ? places + 3 * CURVE_BYTES : 0
  store<u32>(sides, red)
  store<u32>(sides, green, 4)
  store<u32>(sides, blue, 8)
  return curve
}

/** The host has set the curve. */
export function tonesSet(): void {
  for (let i: u32 = 0; i < 256; i++) f32.store(ofBytes + (i << 2), tonedBy(curve, <f32>i))
}

function tonedByte(value: u8): f32 {
  return f32.load(ofBytes + ((<usize>value) << 2))
}

/** Luma that programs show for channels of 0 to 255. */
export function tonedLumaOf(red: f32, green: f32, blue: f32): f32 {
  if (!grid) return lumaOf(tonedBy(curve, red), tonedBy(curve, green), tonedBy(curve, blue))
  const z = tonedBy(places + 2 * CURVE_BYTES, blue)
  const inRed = tonedBy(places, red)
  const inGreen = tonedBy(places + CURVE_BYTES, green)
  const first = firstNode(inRed, 0)
  const second = firstNode(inGreen, 4)
  const x = inRed - <f32>first
  const y = inGreen - <f32>second
  const columns = (<usize>load<u32>(sides, 8)) << 2
  const rows = columns * load<u32>(sides, 4)
  const at = grid + first * rows + second * columns
  const low = mix(alongBlue(at, z), alongBlue(at + columns, z), y)
  const high = mix(alongBlue(at + rows, z), alongBlue(at + rows + columns, z), y)
  return mix(low, high, x)
}

/** The node below a place, along a side: never the last one. */
function firstNode(place: f32, side: usize): usize {
  return <usize>min<u32>(<u32>place, load<u32>(sides + side) - 2)
}

function alongBlue(at: usize, place: f32): f32 {
  const node = firstNode(place, 8)
  const low = at + (node << 2)
  return mix(f32.load(low), f32.load(low, 4), place - <f32>node)
}

function mix(low: f32, high: f32, share: f32): f32 {
  return low + (high - low) * share
}

/** Luma that programs show for a pixel of three bytes. */
export function tonedLuma(pixel: usize): f32 {
  const red = load<u8>(pixel)
  const green = load<u8>(pixel, 1)
  const blue = load<u8>(pixel, 2)
  return grid
    ? tonedLumaOf(<f32>red, <f32>green, <f32>blue)
    : lumaOf(tonedByte(red), tonedByte(green), tonedByte(blue))
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
