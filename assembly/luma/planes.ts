// The planes of a frame of any format: luma with alpha dropped, as in the reference; and, from the
// first pixel on that is not opaque, luma over white and over black. For a file that programs read
// differently, the second plane is the other reading.

import { allocate } from '../memory'
import { beginPicks, pickRow, pickSamples, restartPicks } from './picks'
import { noteStep } from './work'
import { isOpaque, lumaOverBlack, lumaOverWhite } from './pixels'
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
const toned = changetype<Reducer>(memory.data(offsetof<Reducer>()))
const black = changetype<Reducer>(memory.data(offsetof<Reducer>()))

/**
 * Largest side of an image, in pixels: the most that JPEG and GIF can state. Positions then fit
 * into 32 bits.
 */
export const MAX_SIDE: u32 = 65535

/** Size of the image, in pixels. */
export let imageWidth: u32 = 0
export let imageHeight: u32 = 0

/** Whether the frame has planes over white and black: some pixel so far was not opaque. */
let hasWhite: bool = false
let hasBlack: bool = false
/** Whether there is a plane of tones. */
let hasToned: bool = false
/** Whether the second plane is another reading. */
let hasOther: bool = false
/**
 * Whether something is left out: a plane that memory was too short for, frames, or rows that are
 * missing or broken.
 */
export let isLeftOut: bool = false

/** Something of the image is left out. */
export function leaveOut(): void {
  isLeftOut = true
}

/** Cost of a pixel through a curve, in pixels of planes. */
const TONED_COST: u32 = 3
/** Cost per sample of some samples of a row, and their minimum cost. */
const SAMPLE_COST: u32 = 3
const SAMPLES_COST: u32 = 1000

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

/** Begins the planes of an image whose decoder produces its pixels. */
export function beginPixelPlanes(width: u32, height: u32): bool {
  return beginPlanes(width, height, width, height, width, 1, height, 1)
}

/** Begins the next frame. */
export function restartPlanes(): void {
  hasWhite = false
  hasBlack = false
  hasToned = false
  restartReducer(luma)
  restartPicks()
}

// A row over white, and over black.
let whiteRow: usize = 0
let blackRow: usize = 0

/**
 * Makes `whiteRow` and `blackRow` from a row, or from some of its samples, and begins the planes
 * over white and black at the first sample that is not opaque. Returns whether there is a plane
 * over white; there is none if memory is over its limit.
 */
function needsWhite(row: usize, alpha: usize, count: u32): bool {
  if (!hasWhite) {
    if (!alpha || isOpaque(alpha, count)) return false
    if (!whiteRow) whiteRow = allocate(<usize>luma.cols * 4)
    hasWhite = whiteRow != 0 && forkReducer(luma, white)
    if (!blackRow) blackRow = allocate(<usize>luma.cols * 4)
    hasBlack = hasWhite && blackRow != 0 && forkReducer(luma, black)
    isLeftOut = isLeftOut || !hasBlack
    if (!hasWhite) return false
  }
  if (alpha) lumaOverWhite(row, alpha, count, whiteRow)
  else memory.copy(whiteRow, row, <usize>count * 4)
  if (!hasBlack) return true
  if (alpha) lumaOverBlack(row, alpha, count, blackRow)
  else memory.copy(blackRow, row, <usize>count * 4)
  return true
}

/** Adds the next row, from top to bottom. */
export function addPlaneRow(
  row: usize, // luma, of f32, up to 12 readable bytes after it
  alpha: usize, // the same, 0 to 255; or 0: opaque
): void {
  noteStep(luma.cols)
  if (needsWhite(row, alpha, luma.cols)) {
    noteStep(luma.cols * 2)
    addRow(white, whiteRow)
    if (hasBlack) addRow(black, blackRow)
  }
  pickRow(luma.rowsAdded, row)
  addRow(luma, row)
}

/**
 * Adds the next row of an opaque image, as two decoders read it. The second reading is dropped if
 * memory runs out.
 */
export function addPlaneRows(
  row: usize, // luma, of f32, up to 12 readable bytes after it
  other: usize, // the same
): void {
  noteStep(luma.cols * 2)
  hasOther = hasOther || forkReducer(luma, white)
  isLeftOut = isLeftOut || !hasOther
  if (hasOther) addRow(white, other)
  pickRow(luma.rowsAdded, row)
  addRow(luma, row)
}

/**
 * Begins a plane of the frame's channels after a curve, before the first row. Returns false if
 * memory for it is short.
 */
export function beginTonedPlane(): bool {
  hasToned = luma.rowsAdded == 0 && forkReducer(luma, toned)
  return hasToned
}

export function hasTonedPlane(): bool {
  return hasToned
}

/** Adds the next row of the plane of tones: all of it, or some samples. */
export function addTonedRow(row: usize): void {
  noteStep(luma.cols * TONED_COST)
  addRow(toned, row)
}

export function addTonedSamples(
  index: u32,
  first: u32,
  step: u32,
  samples: usize,
  count: u32,
): void {
  noteStep(count * TONED_COST)
  addSamples(toned, index, first, step, samples, count)
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
  noteStep(SAMPLES_COST + count * SAMPLE_COST)
  if (needsWhite(samples, alpha, count)) {
    addSamples(white, index, first, step, whiteRow, count)
    if (hasBlack) addSamples(black, index, first, step, blackRow, count)
  }
  pickSamples(index, first, step, samples, count)
  addSamples(luma, index, first, step, samples, count)
}

/**
 * Samples of a row are missing from the file. Programs that show a partial file leave them
 * transparent in the planes over white and black. In the plane of luma they take their neighbours'
 * values, and if `isGuessed` also in the one over white.
 */
export function addMissingSamples(
  index: u32,
  first: u32,
  step: u32,
  zeros: usize, // count of f32
  count: u32,
  isGuessed: bool,
): void {
  noteStep(SAMPLES_COST + count * SAMPLE_COST)
  if (!needsWhite(zeros, zeros, count)) return
  if (!isGuessed) addSamples(white, index, first, step, whiteRow, count)
  if (hasBlack) addSamples(black, index, first, step, blackRow, count)
}

/** Ends planes that were made by `addPlaneSamples`. */
export function finishPlaneSamples(): void {
  finishSamples(luma)
  if (hasToned) finishSamples(toned)
  if (hasWhite) finishSamples(white)
  if (hasBlack) finishSamples(black)
}

/** Treats the image as opaque after all. */
export function dropTransparency(): void {
  hasWhite = false
  hasBlack = false
}

/** Turns the planes upside down. */
export function flipPlanes(): void {
  flipRows(luma)
  if (hasWhite || hasOther) flipRows(white)
  if (hasBlack) flipRows(black)
}

export function planeAddress(): usize {
  return luma.plane
}

/** Luma of the frame after the tone curve, alpha ignored; 0 if there is no curve. */
export function tonedAddress(): usize {
  return hasToned ? toned.plane : 0
}

/** 0 if the frame is opaque. */
export function whiteAddress(): usize {
  return hasWhite ? white.plane : 0
}

/** 0 if the frame is opaque, or memory for it was short. */
export function blackAddress(): usize {
  return hasBlack ? black.plane : 0
}

/** The image as another decoder reads it; 0 if all read it alike. */
export function otherAddress(): usize {
  return hasOther ? white.plane : 0
}

/**
 * Turns the plane over black into one of alpha, 0 to 255: whatever white shows through is not
 * opaque.
 */
export function makeAlphaPlane(): void {
  const bytes = <usize>luma.targetCols * luma.targetRows * 4
  const full = f32x4.splat(255)
  for (let at: usize = 0; at < bytes; at += 16) {
    const through = f32x4.sub(v128.load(white.plane + at), v128.load(black.plane + at))
    v128.store(black.plane + at, f32x4.sub(full, through))
  }
}

export function planeCols(): u32 {
  return luma.targetCols
}

export function planeRows(): u32 {
  return luma.targetRows
}
