// Luma where the channels of YCbCr leave their range. Decoders clamp red, green and blue, which
// gives another luma than Y: a picture can be hidden in chroma alone. Files from encoders only
// leave the range by rounding. So chroma is read for small pictures. For large ones, the mean colour
// of each MCU is inspected, which costs nothing to read, and all of the colours of some. Encoders
// average colours that are in range, so their mean is, too.

import {
  blockEnergy,
  isBeyondPixels,
  makeVectorPixels,
  readCoefficients,
  vectorPixels,
} from './exact'
import { Component } from './header'
import { tonedLumaOf } from '../colour'

/** Chroma is read if clamping moves the mean luma of a block of one MCU by this much. */
const MAX_SHIFT: f32 = 10

/** The same, for the means of an MCU. */
const MAX_MEAN_SHIFT: f32 = 6
// What clamping moves luma by at most, for each unit of chroma: at luma 0, where red is below 0 by
// 1.402, or blue by 1.772.
const SHIFT_OF_RED: f32 = 0.42
const SHIFT_OF_BLUE: f32 = 0.203

/**
 * With less energy in a block of chroma, clamping cannot move luma that much: 12 of 128, squared,
 * in 64 pixels.
 */
const FAINT_ENERGY: f32 = 9216

const bluePixels = memory.data(64)
const redPixels = memory.data(64)

/** Luma that programs show for a pixel. Its channels are clamped, as bytes, since curves are steep. */
export function tonedYcc(luma: f32, blue: f32, red: f32): f32 {
  return tonedLumaOf(
    nearest<f32>(luma + 1.402 * red),
    nearest<f32>(luma - 0.344136 * blue - 0.714136 * red),
    nearest<f32>(luma + 1.772 * blue),
  )
}

/** Luma of a pixel after clamping its channels, from a luma and chroma around 0. */
export function clampedLuma(luma: f32, blue: f32, red: f32): f32 {
  return isInRange(luma, blue, red) ? luma : luma + clampedBy(luma, blue, red)
}

/** Whether no channel leaves its range. */
function isInRange(luma: f32, blue: f32, red: f32): bool {
  const room = luma < 128 ? luma : 255 - luma
  const a = abs(blue)
  const b = abs(red)
  return 1.772 * a <= room && 1.402 * b <= room && 0.344136 * a + 0.714136 * b <= room
}

/** What clamping adds to luma, for a luma and chroma around 0 (JFIF 1.02). */
function clampedBy(luma: f32, blue: f32, red: f32): f32 {
  return (
    0.299 * excess(luma + 1.402 * red) +
    0.587 * excess(luma - 0.344136 * blue - 0.714136 * red) +
    0.114 * excess(luma + 1.772 * blue)
  )
}

function excess(channel: f32): f32 {
  return max<f32>(0, min<f32>(255, channel)) - channel
}

/** Reads a block of chroma for inspection. Returns the position after it. */
export function lookAtChroma(c: Component, position: u32, isBlue: bool): u32 {
  const next = readCoefficients(c, position)
  isBeyondPixels(c)
  const pixels = isBlue ? bluePixels : redPixels
  if (blockEnergy <= FAINT_ENERGY) {
    memory.fill(pixels, 128, 64)
  } else {
    makeVectorPixels()
    memory.copy(pixels, vectorPixels, 64)
  }
  return next
}

/** Whether clamping moves luma much, given the inspected chroma and this luma. */
export function isClamped(luma: u8): bool {
  let moved: f32 = 0
  for (let at: usize = 0; at < 64; at++) {
    const blue = <f32>load<u8>(bluePixels + at) - 128
    const red = <f32>load<u8>(redPixels + at) - 128
    const shift = clampedBy(luma, blue, red)
    moved += abs(shift)
  }
  return moved > 64 * MAX_SHIFT
}

/** Whether chroma around 0 is too faint to move luma by as much as counts. */
export function isFaint(blue: f32, red: f32): bool {
  return SHIFT_OF_BLUE * abs(blue) + SHIFT_OF_RED * abs(red) < MAX_MEAN_SHIFT
}

/**
 * Whether clamping moves the mean luma of an MCU much, by the means of its chroma, around 0. Every
 * second sample of every second line counts.
 */
export function areMeansClamped(
  samples: usize, // rows x cols of u8, in lines of `stride`
  stride: usize,
  cols: u32,
  rows: u32,
  blue: f32,
  red: f32,
): bool {
  let moved: f32 = 0
  let count: f32 = 0
  for (let y: u32 = 0; y < rows; y += 2) {
    const line = samples + <usize>y * stride
    for (let x: u32 = 0; x < cols; x += 2) {
      const luma = <f32>load<u8>(line + x)
      if (!isInRange(luma, blue, red)) moved += abs(clampedBy(luma, blue, red))
      count++
    }
  }
  return moved > MAX_MEAN_SHIFT * count
}
