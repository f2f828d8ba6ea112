// From the samples of one row of MCUs to rows of luma.

import { allocate } from '../memory'
import { lumaFromGrey, lumaOf } from '../luma/pixels'
import { addPlaneRow, addPlaneRows, addTonedRow, beginPlanes, hasTonedPlane } from '../luma/planes'
import { tonedLumaOf } from '../colour'
import { clampedLuma, tonedYcc } from './clamp'
import { completeOthers, hasOthers, swapOthers } from './exact'
import {
  CMYK,
  Component,
  GREY,
  RGB,
  YCC,
  colour,
  component,
  componentCount,
  divideUp,
  height,
  isLumaStored,
  maxH,
  maxV,
  width,
} from './header'
import { nx, ny } from './synthesis'

let luma: usize = 0
let otherLuma: usize = 0 // by other arithmetic
let tones: usize = 0 // luma of channels after a tone curve
let noAlpha: usize = 0 // for rows missing from the file: zeros
let cols: u32 = 0
/**
 * Sampling factors of the rows of luma. At full scale all components are scaled up to the largest
 * factors. At a reduced scale, luma without other components keeps its own samples, which may cover
 * more pixels.
 */
let planeH: u32 = 1
export let planeV: u32 = 1
/** Whether the last row of each row of MCUs waits for the first of the next, to be interpolated. */
let isHolding: bool = false
let isHeld: bool = false
let isAtBottom: bool = false
let linesPassed: u32 = 0 // lines of the picture above the current row of MCUs, at full scale

/** Begins the plane and the rows of samples. Returns false if memory is over its limit. */
export function beginOutput(): bool {
  const c = component(0)
  const isOwn = isLumaStored() && !isSmooth()
  planeH = isOwn ? c.h : maxH
  planeV = isOwn ? c.v : maxV
  const pitchX = maxH * (8 / nx)
  const pitchY = maxV * (8 / ny)
  cols = divideUp(width * planeH, pitchX)
  const rows = divideUp(height * planeV, pitchY)
  for (let i: u32 = 0; i < componentCount; i++) {
    isHolding = isHolding || (isSmooth() && component(i).v * 2 == planeV)
  }
  if (!beginSamples()) return false
  luma = allocate(<usize>cols * 4)
  if (!luma) return false
  return beginPlanes(width, height, cols, rows, width * planeH, pitchX, height * planeV, pitchY)
}

/** Whether samples are interpolated. At a reduced scale that would move no hash. */
function isSmooth(): bool {
  return nx == 8 && ny == 8
}

/** Makes room for a row of MCUs for the needed components that have none yet. */
export function beginSamples(): bool {
  const isWithinRow = component(0).samples != 0 // then chroma is grey up to here
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.isNeeded || c.samples) continue
    c.rowCount = c.v * ny
    c.stride = <usize>c.paddedX * nx + 8 // a block's rows write 8 bytes, however few are its own
    const rows = allocate(c.stride * (c.rowCount + 1))
    c.spread = allocate(<usize>cols + ROW_PADDING)
    if (!rows || !c.spread) return false
    memory.fill(rows, 128, isWithinRow ? c.stride * (c.rowCount + 1) : c.stride)
    c.samples = rows + c.stride
  }
  return true
}

/** Bytes after a row: vector code reads them, and interpolation writes one. */
const ROW_PADDING: usize = 16

/**
 * Rows from here on are missing from the file. libjpeg shows them grey; browsers leave them
 * transparent. If memory for that is short, they are only grey.
 */
export function beginMissingRows(): void {
  endRows()
  noAlpha = allocate(<usize>cols * 4)
}

/**
 * Passes on the first `sampleRows` rows of samples as luma. If rows are interpolated, the last one
 * is passed on with the next call.
 */
export function writeLumaRows(sampleRows: u32): void {
  if (isHolding) {
    repeatBottom()
    linesPassed += sampleRows
  }
  if (hasOthers && !otherLuma) otherLuma = allocate(<usize>cols * 4)
  const isTwofold = hasOthers && otherLuma != 0
  if (isTwofold) completeAll()
  if (isHeld) writePlaneRow(-1, isTwofold)
  const rows = <i32>sampleRows - (isHolding ? 1 : 0)
  for (let y: i32 = 0; y < rows; y++) writePlaneRow(y, isTwofold)
  if (isHolding) holdRows(isTwofold)
}

/**
 * Repeats the picture's last row of samples of each component that is interpolated. Blocks go on
 * below it, but libjpeg does not look at that (set_bottom_pointers of jdmainct.c).
 */
function repeatBottom(): void {
  const lines = height - linesPassed
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    const count = divideUp(lines * c.v, maxV)
    if (!c.samples || count == 0 || count >= c.rowCount) continue
    const from = <usize>(count - 1) * c.stride
    memory.copy(c.samples + from + c.stride, c.samples + from, c.stride)
    if (c.others) memory.copy(c.others + from + c.stride, c.others + from, c.stride)
  }
}

/** Passes on the row that waits for a next one. */
export function endRows(): void {
  isAtBottom = true
  if (isHeld) writePlaneRow(-1, hasOthers && otherLuma != 0)
  isAtBottom = false
  isHeld = false
}

function writePlaneRow(y: i32, isTwofold: bool): void {
  writeLumaRow(y, luma)
  if (hasTonedPlane()) addTones(y)
  if (!isTwofold) {
    addPlaneRow(luma, noAlpha)
    return
  }
  swapAll()
  writeLumaRow(y, otherLuma)
  swapAll()
  addPlaneRows(luma, otherLuma)
}

/** Copies the last row of each component to the place above its first. */
function holdRows(isTwofold: bool): void {
  isHeld = true
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.samples) continue
    const last = <usize>(c.rowCount - 1) * c.stride
    const others = isTwofold && c.others ? c.others : c.samples
    if (c.others) memory.copy(c.others - c.stride, others + last, c.stride)
    memory.copy(c.samples - c.stride, c.samples + last, c.stride)
  }
}

/**
 * Adds a row whose channels go through the tone curve. If memory for that is short, only luma
 * counts.
 */
function addTones(y: i32): void {
  if (!tones) tones = allocate(<usize>cols * 4)
  if (tones) {
    writeTonedRow(y, tones)
    addTonedRow(tones)
  }
}

function completeAll(): void {
  for (let i: u32 = 0; i < componentCount; i++) {
    if (component(i).isNeeded) completeOthers(component(i))
  }
}

function swapAll(): void {
  for (let i: u32 = 0; i < componentCount; i++) {
    if (component(i).isNeeded) swapOthers(component(i))
  }
}

function writeLumaRow(y: i32, to: usize): void {
  if (isLumaStored()) lumaFromGrey(spreadRow(component(0), y), cols, to)
  else if (colour == RGB) writeRgbRow(y, to)
  else writeInkRow(y, to)
  if (colour == YCC) clampRow(y, to)
}

/** Adds the effect of clamping the channels to a row of luma. */
function clampRow(y: i32, to: usize): void {
  const blues = spreadRow(component(1), y)
  const reds = spreadRow(component(2), y)
  for (let x: usize = 0; x < <usize>cols; x++, to += 4) {
    const cb = <f32>load<u8>(blues + x) - 128
    const cr = <f32>load<u8>(reds + x) - 128
    f32.store(to, clampedLuma(f32.load(to), cb, cr))
  }
}

/** Luma of the channels after the tone curve. Grey alone counts as three equal channels. */
function writeTonedRow(y: i32, to: usize): void {
  const firsts = spreadRow(component(0), y)
  const seconds = colour == GREY ? firsts : spreadRow(component(1), y)
  const thirds = colour == GREY ? firsts : spreadRow(component(2), y)
  for (let x: usize = 0; x < <usize>cols; x++, to += 4) {
    const a = <f32>load<u8>(firsts + x)
    const b = <f32>load<u8>(seconds + x)
    const c = <f32>load<u8>(thirds + x)
    const value = colour == YCC ? tonedYcc(a, b - 128, c - 128) : tonedLumaOf(a, b, c)
    f32.store(to, value)
  }
}

/**
 * Row `y` of a component, from -1, scaled up to the samples of luma as in libjpeg (jdsample.c): a
 * side with half of the samples is interpolated, others are repeated. Valid until the next call for
 * the component.
 */
function spreadRow(c: Component, y: i32): usize {
  const line: i32 = y < 0 ? -1 : (y * <i32>c.v) / <i32>planeV
  const from = c.samples + <usize>line * c.stride
  const count = divideUp(width * c.h, maxH)
  const isHalfWide = isSmooth() && c.h * 2 == planeH && count > 2
  const isHalfHigh = isSmooth() && c.v * 2 == planeV
  const isBelow = !!(y & 1)
  if (isHalfHigh && c.h == planeH) {
    blendRows(from, nextRow(c, line, isBelow), isBelow ? 2 : 1, c.spread)
  } else if (isHalfHigh && isHalfWide) {
    interpolate(from, nextRow(c, line, isBelow), count, 8, 7, c.spread)
  } else if (isHalfWide && c.v == planeV) {
    interpolate(from, from, count, 7, 8, c.spread)
  } else if (c.h == planeH) {
    return from
  } else {
    for (let x: u32 = 0; x < cols; x++) {
      store<u8>(c.spread + <usize>x, load<u8>(from + <usize>((x * c.h) / planeH)))
    }
  }
  return c.spread
}

/** The row above or below; at the borders of the picture, the row itself. */
function nextRow(c: Component, line: i32, isBelow: bool): usize {
  const from = c.samples + <usize>line * c.stride
  if (isBelow) return isAtBottom ? from : from + c.stride
  return line > 0 || isHeld ? from - c.stride : from
}

/** Makes samples of three quarters of a row and a quarter of the next. */
function blendRows(from: usize, next: usize, rounding: u32, to: usize): void {
  for (let x: usize = 0; x < <usize>cols; x++) {
    const sum = 3 * <u32>load<u8>(from + x) + load<u8>(next + x) + rounding
    store<u8>(to + x, <u8>(sum >> 2))
  }
}

/**
 * Makes two samples of each: three quarters of it, and a quarter of its neighbour on that side. If
 * `next` is another row, a quarter of both comes from there.
 */
function interpolate(
  from: usize,
  next: usize,
  count: u32, // at least 2
  leftRounding: u32,
  rightRounding: u32,
  to: usize, // 2 x count bytes: a row has one more at most
): void {
  let before = 3 * <u32>load<u8>(from) + load<u8>(next)
  let own = before
  for (let i: u32 = 0; i < count; i++) {
    const behind = min<u32>(i + 1, count - 1)
    const after = 3 * <u32>load<u8>(from + behind) + load<u8>(next + behind)
    store<u8>(to, <u8>((3 * own + before + leftRounding) >> 4))
    store<u8>(to, <u8>((3 * own + after + rightRounding) >> 4), 1)
    to += 2
    before = own
    own = after
  }
}

function writeRgbRow(y: i32, to: usize): void {
  const reds = spreadRow(component(0), y)
  const greens = spreadRow(component(1), y)
  const blues = spreadRow(component(2), y)
  for (let x: usize = 0; x < <usize>cols; x++, to += 4) {
    const r = <f32>load<u8>(reds + x)
    const g = <f32>load<u8>(greens + x)
    const b = <f32>load<u8>(blues + x)
    f32.store(to, lumaOf(r, g, b))
  }
}

/**
 * CMYK and YCCK, without colour management: each channel is its light times the light that black
 * lets through. Values are light, not ink, with or without Adobe's marker, as in browsers. YCCK is
 * the complement of YCbCr, which is clamped first.
 */
function writeInkRow(y: i32, to: usize): void {
  const cyans = spreadRow(component(0), y)
  const magentas = spreadRow(component(1), y)
  const yellows = spreadRow(component(2), y)
  const blacks = spreadRow(component(3), y)
  for (let x: usize = 0; x < <usize>cols; x++, to += 4) {
    const c = <f32>load<u8>(cyans + x)
    const m = <f32>load<u8>(magentas + x)
    const yellowLight = <f32>load<u8>(yellows + x)
    const light =
      colour == CMYK ? lumaOf(c, m, yellowLight) : 255 - clampedLuma(c, m - 128, yellowLight - 128)
    f32.store(to, (light * <f32>load<u8>(blacks + x)) / 255)
  }
}
