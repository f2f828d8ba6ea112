// The planes of a frame, whatever its format: luma with alpha dropped, as the reference has it, and from the first pixel
// that is not opaque on, luma over white.

import { allocate } from '../memory'
import { beginPicks, pickRow, pickSamples, restartPicks } from './picks'
import { isOpaque, lumaOverWhite } from './pixels'
import {
  addRow,
  addSamples,
  beginReducer,
  finishSamples,
  flipRows,
  forkReducer,
  Reducer,
  restartReducer,
} from './reducer'

const luma = changetype<Reducer>(memory.data(offsetof<Reducer>()))
const white = changetype<Reducer>(memory.data(offsetof<Reducer>()))

/** Largest side of an image, in pixels: what JPEG and GIF can say. Positions then stay within 32 bits. */
export const MAX_SIDE: u32 = 65535

/** Size of the image, in pixels. */
export let imageWidth: u32 = 0
export let imageHeight: u32 = 0

/** Whether the frame has a plane over white: some pixel so far was not opaque. */
let hasWhite: bool = false

/** Begins the planes of an image. See `beginReducer`. */
export function beginPlanes(
  width: u32,
  height: u32,
  cols: u32,
  rows: u32,
  extentX: u32,
  pitchX: u32,
  extentY: u32,
  pitchY: u32,
): bool {
  imageWidth = width
  imageHeight = height
  if (!beginReducer(luma, width, height, cols, rows, extentX, pitchX, extentY, pitchY)) return false
  beginPicks(width, height, cols, rows, extentX, pitchX, extentY, pitchY)
  return true
}

/** Begins the planes of an image whose decoder gives its pixels. */
export function beginPixelPlanes(width: u32, height: u32): bool {
  return beginPlanes(width, height, width, height, width, 1, height, 1)
}

/** Begins the next frame. */
export function restartPlanes(): void {
  hasWhite = false
  restartReducer(luma)
  restartPicks()
}

// A row over white.
let whiteRow: usize = 0

/**
 * Makes `whiteRow` of a row, or of some of its samples, and begins the plane over white with the first that is not opaque.
 * Returns whether there is that plane; if memory for it is over its limit, there is not.
 */
function needsWhite(row: usize, alpha: usize, count: u32): bool {
  if (!hasWhite) {
    if (!alpha || isOpaque(alpha, count)) return false
    if (!whiteRow) whiteRow = allocate(<usize>luma.cols * 4)
    hasWhite = whiteRow != 0 && forkReducer(luma, white)
    if (!hasWhite) return false
  }
  if (alpha) lumaOverWhite(row, alpha, count, whiteRow)
  else memory.copy(whiteRow, row, <usize>count * 4)
  return true
}

/** Adds the next row, from top to bottom. */
export function addPlaneRow(
  row: usize, // luma, of f32, up to 12 readable bytes behind
  alpha: usize, // the same, 0 to 255; or 0: opaque
): void {
  if (needsWhite(row, alpha, luma.cols)) addRow(white, whiteRow)
  pickRow(luma.rowsAdded, row)
  addRow(luma, row)
}

/** Adds some samples of a row. See `addSamples`. */
export function addPlaneSamples(
  index: u32,
  first: u32,
  step: u32,
  samples: usize,
  alpha: usize, // or 0: opaque
  count: u32,
): void {
  if (needsWhite(samples, alpha, count)) addSamples(white, index, first, step, whiteRow, count)
  pickSamples(index, first, step, samples, count)
  addSamples(luma, index, first, step, samples, count)
}

/** Ends planes that were made by `addPlaneSamples`. */
export function finishPlaneSamples(): void {
  finishSamples(luma)
  if (hasWhite) finishSamples(white)
}

/** Turns the planes upside down. */
export function flipPlanes(): void {
  flipRows(luma)
  if (hasWhite) flipRows(white)
}

export function planeAddress(): usize {
  return luma.plane
}

/** 0 if the frame is opaque. */
export function whiteAddress(): usize {
  return hasWhite ? white.plane : 0
}

export function planeCols(): u32 {
  return luma.targetCols
}

export function planeRows(): u32 {
  return luma.targetRows
}
