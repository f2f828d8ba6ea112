// The canvas of an animation: luma and alpha of each pixel, a byte each. Frames are drawn on it,
// and it is reduced to the planes again for each frame that shows something new. If it does not fit
// in memory, only the first frame counts.

import { allocate, memoryLeft } from '../memory'
import {
  addPlaneRow,
  blackAddress,
  imageHeight,
  imageWidth,
  leaveOut,
  planeAddress,
  planeCols,
  planeRows,
  restartPlanes,
  whiteAddress,
} from './planes'
import { isOverspent, spendPixels } from './work'

/** Maximum frames of an animation that are hashed: bounds the time that one file may take. */
const MAX_HASHED_FRAMES: u32 = 64
/** Parts a side whose means decide whether a frame is new. */
const POINTS: u32 = 32
/**
 * Minimum average difference of the means: less if the frame has little contrast, since its hash
 * does not depend on contrast, and a tone curve may stretch it.
 */
const MIN_DIFFERENCE: f32 = 2
const SHARE_OF_CONTRAST: f32 = 0.125
const LEAST_DIFFERENCE: f32 = 0.05
/** Share of the canvas that must be drawn on before it is looked at again: a 16th. */
const LOOK_AFTER: u64 = 16
/** Memory that must be left beside the canvas: planes over white and over black, and rows. */
const RESERVE: usize = 2_600_000

// What happens after a frame. GIF's 2 and 3 mean the same as APNG's 1 and 2.
export const KEEP: u32 = 0
export const CLEAR: u32 = 1
export const PUT_BACK: u32 = 2

let pixels: usize = 0 // imageWidth x imageHeight x (luma, alpha)
let saved: usize = 0 // the same: the state before a frame that must be undone
let rowLuma: usize = 0
let rowAlpha: usize = 0
const POINTS_BYTES: usize = 4096
const points = memory.data(12288) // of the last hashed frame, stored, over white, over black: POINTS x POINTS of f32
const newPoints = memory.data(12288)

let drawnSinceLook: u64 = 0
let hashedFrames: u32 = 0

/** Makes the canvas, transparent black. Returns false if it does not fit. */
export function beginCanvas(): bool {
  const bytes = <u64>imageWidth * <u64>imageHeight * 2
  if (bytes + <u64>RESERVE > <u64>memoryLeft()) return false
  pixels = allocate(<usize>bytes)
  rowLuma = allocate(<usize>imageWidth * 4)
  rowAlpha = allocate(<usize>imageWidth * 4)
  return pixels != 0 && rowLuma != 0 && rowAlpha != 0
}

/** How often the canvas was looked at: whatever was drawn before that is known. */
export let looks: u32 = 0

export function hasCanvas(): bool {
  return pixels != 0
}

function pixelAt(x: u32, y: u32): usize {
  return pixels + (<usize>y * imageWidth + x) * 2
}

/** Draws a row of pixels: blended over what is there, or in its place. */
export function drawRow(
  x: u32,
  y: u32,
  luma: usize, // count of f32
  alpha: usize, // count of f32, 0 to 255; or 0: opaque
  count: u32,
  blends: bool,
): void {
  let to = pixelAt(x, y)
  for (let k: usize = 0; k < (<usize>count) << 2; k += 4, to += 2) {
    const value = f32.load(luma + k)
    const opacity: f32 = alpha ? f32.load(alpha + k) : 255
    if (opacity == 255 || !blends) {
      drawPixel(to, value, opacity)
    } else if (opacity > 0) {
      // PNG specification, 13.16, applied to luma, which is linear in the channels.
      const under = <f32>load<u8>(to, 1) * (1 - opacity / 255)
      const sum = opacity + under
      drawPixel(to, (value * opacity + <f32>load<u8>(to) * under) / sum, sum)
    }
  }
  drawnSinceLook += count
}

function drawPixel(to: usize, luma: f32, alpha: f32): void {
  store<u8>(to, <u8>(luma + 0.5))
  store<u8>(to, <u8>(alpha + 0.5), 1)
}

/** Saves what a frame is about to cover, if the frame must be undone later. */
export function beforeFrame(disposal: u32): void {
  if (disposal != PUT_BACK) return
  const bytes = <usize>imageWidth * imageHeight * 2
  if (!saved) saved = allocate(bytes)
  if (saved) memory.copy(saved, pixels, bytes)
  else leaveOut() // no memory to restore this frame from, so later frames would be wrong
}

/** Disposes of a frame's rectangle before the next one. */
export function disposeFrame(disposal: u32, x: u32, y: u32, width: u32, height: u32): void {
  if (!width || !height) return
  for (let row = y; row < y + height; row++) {
    const at = pixelAt(x, row)
    if (disposal == CLEAR) memory.fill(at, 0, <usize>width * 2)
    else if (disposal == PUT_BACK && saved) memory.copy(at, saved + (at - pixels), <usize>width * 2)
  }
  if (disposal != KEEP) drawnSinceLook += <u64>width * <u64>height
}

/** Whether another frame may be decoded, after this many bytes of the file. */
export function mayGoOn(bytesTaken: u64): bool {
  if (hashedFrames < MAX_HASHED_FRAMES && !isOverspent(bytesTaken)) return true
  leaveOut()
  return false
}

/** Notes the first frame, which is in the planes. */
export function noteFirstFrame(): void {
  hashedFrames = 1
  drawnSinceLook = 0
  isNewScene()
}

/**
 * Makes the planes from the canvas, if enough was drawn. Returns whether they show something new.
 */
export function lookAtCanvas(): bool {
  const area = <u64>imageWidth * <u64>imageHeight
  if (drawnSinceLook * LOOK_AFTER < area) return false
  drawnSinceLook = 0
  looks++
  spendPixels(area)
  restartPlanes()
  for (let y: u32 = 0; y < imageHeight; y++) {
    let from = pixelAt(0, y)
    for (let k: usize = 0; k < (<usize>imageWidth) << 2; k += 4, from += 2) {
      f32.store(rowLuma + k, <f32>load<u8>(from))
      f32.store(rowAlpha + k, <f32>load<u8>(from, 1))
    }
    addPlaneRow(rowLuma, rowAlpha)
  }
  if (!isNewScene()) return false
  hashedFrames++
  return true
}

/**
 * Whether any of the planes differs from that of the last frame that was new; if so, they become
 * the new reference. Frames may have the same luma but another alpha, and show another picture.
 */
function isNewScene(): bool {
  const stored = planeAddress()
  const white = whiteAddress() ? whiteAddress() : stored
  const black = blackAddress() ? blackAddress() : stored
  const differsStored = differsFrom(stored, 0)
  const differsWhite = differsFrom(white, POINTS_BYTES)
  const differsBlack = differsFrom(black, 2 * POINTS_BYTES)
  if (!differsStored && !differsWhite && !differsBlack) return false
  memory.copy(points, newPoints, 3 * POINTS_BYTES)
  return true
}

/**
 * Whether a plane differs from the last frame's, whose points lie at an offset. Leaves its own
 * points in `newPoints`.
 */
function differsFrom(plane: usize, offset: usize): bool {
  for (let i: u32 = 0; i < POINTS * POINTS; i++) {
    f32.store(newPoints + offset + ((<usize>i) << 2), pointOf(plane, i))
  }
  return isOtherScene(newPoints + offset, points + offset)
}

/** Whether a picture's points show something that another picture's, `before`, did not. */
export function isOtherScene(
  own: usize, // POINTS x POINTS of f32
  before: usize, // the same
): bool {
  const count = <f32>(POINTS * POINTS)
  let difference: f32 = 0
  let sum: f32 = 0
  for (let i: usize = 0; i < POINTS_BYTES; i += 4) {
    const value = f32.load(own + i)
    difference += abs(value - f32.load(before + i))
    sum += value
  }
  let contrast: f32 = 0
  for (let i: usize = 0; i < POINTS_BYTES; i += 4) {
    contrast += abs(f32.load(own + i) - sum / count)
  }
  const least = max(LEAST_DIFFERENCE * count, contrast * SHARE_OF_CONTRAST)
  return difference >= min(MIN_DIFFERENCE * count, least)
}

/** Mean luma of a part of a plane: a hash does not see finer detail. */
function pointOf(plane: usize, i: u32): f32 {
  const rows = planeRows()
  const cols = planeCols()
  const top = ((i / POINTS) * rows) / POINTS
  const left = ((i % POINTS) * cols) / POINTS
  const bottom = max(top + 1, ((i / POINTS + 1) * rows) / POINTS)
  const right = max(left + 1, (((i % POINTS) + 1) * cols) / POINTS)
  let sum: f32 = 0
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      sum += f32.load(plane + ((<usize>(y * cols + x)) << 2))
    }
  }
  return sum / <f32>((bottom - top) * (right - left))
}
