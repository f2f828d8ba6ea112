// From the samples of one row of MCUs to rows of luma.

import { allocate } from '../memory'
import { lumaFromGrey, lumaOf } from '../luma/pixels'
import { addPlaneRow, addPlaneRows, addTonedRow, beginPlanes, hasTonedPlane } from '../luma/planes'
import { toned } from '../colour'
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

/** Begins the plane and the rows of samples. Returns false if memory is over its limit. */
export function beginOutput(): bool {
  if (!beginSamples()) return false
  // Luma may be subsampled. Alone it keeps its own samples, which cover more pixels; with others it
  // is scaled up to theirs.
  const c = component(0)
  const h = isLumaStored() ? c.h : maxH
  const v = isLumaStored() ? c.v : maxV
  const pitchX = maxH * (8 / nx)
  const pitchY = maxV * (8 / ny)
  cols = divideUp(width * h, pitchX)
  const rows = divideUp(height * v, pitchY)
  luma = allocate(<usize>cols * 4)
  return luma != 0 && beginPlanes(width, height, cols, rows, width * h, pitchX, height * v, pitchY)
}

/** Makes room for a row of MCUs for the needed components that have none yet. */
export function beginSamples(): bool {
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.isNeeded || c.samples) continue
    c.rowCount = c.v * ny
    c.stride = <usize>c.paddedX * nx + 8 // a block's rows write 8 bytes, however few are its own
    c.samples = allocate(c.stride * c.rowCount)
    if (!c.samples) return false
  }
  return true
}

/**
 * Rows from here on are missing from the file. libjpeg shows them grey; browsers leave them
 * transparent. If memory for that is short, they are only grey.
 */
export function beginMissingRows(): void {
  noAlpha = allocate(<usize>cols * 4)
}

/** Passes on the first `sampleRows` rows of samples as luma. */
export function writeLumaRows(sampleRows: u32): void {
  if (hasOthers && !otherLuma) otherLuma = allocate(<usize>cols * 4)
  const isTwofold = hasOthers && otherLuma != 0
  if (isTwofold) completeAll()
  for (let y: u32 = 0; y < sampleRows; y++) {
    writeLumaRow(y, luma)
    if (hasTonedPlane()) addTones(y)
    if (!isTwofold) {
      addPlaneRow(luma, noAlpha)
      continue
    }
    swapAll()
    writeLumaRow(y, otherLuma)
    swapAll()
    addPlaneRows(luma, otherLuma)
  }
}

/**
 * Adds a row whose channels go through the tone curve. If memory for that is short, only luma
 * counts.
 */
function addTones(y: u32): void {
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

function writeLumaRow(y: u32, to: usize): void {
  if (isLumaStored()) lumaFromGrey(sampleRow(component(0), y, 1), cols, to)
  else if (colour == RGB) writeRgbRow(y, to)
  else writeInkRow(y, to)
  if (colour == YCC) clampRow(y, to)
}

/**
 * Adds the effect of clamping the channels to a row of luma. Chroma is scaled up to the samples of
 * luma.
 */
function clampRow(y: u32, to: usize): void {
  const key = component(0)
  const blue = component(1)
  const red = component(2)
  const blues = sampleRow(blue, (y * blue.v) / key.v, 1)
  const reds = sampleRow(red, (y * red.v) / key.v, 1)
  for (let x: u32 = 0; x < cols; x++, to += 4) {
    const cb = <f32>load<u8>(blues + (x * blue.h) / key.h) - 128
    const cr = <f32>load<u8>(reds + (x * red.h) / key.h) - 128
    f32.store(to, clampedLuma(f32.load(to), cb, cr))
  }
}

/**
 * Luma of the channels after the tone curve, at the samples of luma. Grey alone counts as three
 * equal channels.
 */
function writeTonedRow(y: u32, to: usize): void {
  const first = component(0)
  const second = colour == GREY ? first : component(1)
  const third = colour == GREY ? first : component(2)
  const h = isLumaStored() ? first.h : maxH
  const v = isLumaStored() ? first.v : maxV
  const firsts = sampleRow(first, (y * first.v) / v, 1)
  const seconds = sampleRow(second, (y * second.v) / v, 1)
  const thirds = sampleRow(third, (y * third.v) / v, 1)
  for (let x: u32 = 0; x < cols; x++, to += 4) {
    const a = <f32>load<u8>(firsts + (x * first.h) / h)
    const b = <f32>load<u8>(seconds + (x * second.h) / h)
    const c = <f32>load<u8>(thirds + (x * third.h) / h)
    const value =
      colour == YCC ? tonedYcc(a, b - 128, c - 128) : lumaOf(toned(a), toned(b), toned(c))
    f32.store(to, value)
  }
}

/** Row of a component's samples for row `y` of the image's: `spread` is the largest vertical sampling factor. */
function sampleRow(c: Component, y: u32, spread: u32): usize {
  return c.samples + <usize>(spread == 1 ? y : (y * c.v) / spread) * c.stride
}

function writeRgbRow(y: u32, to: usize): void {
  const red = component(0)
  const green = component(1)
  const blue = component(2)
  const reds = sampleRow(red, y, maxV)
  const greens = sampleRow(green, y, maxV)
  const blues = sampleRow(blue, y, maxV)
  for (let x: u32 = 0; x < cols; x++) {
    const r = <f32>load<u8>(reds + (x * red.h) / maxH)
    const g = <f32>load<u8>(greens + (x * green.h) / maxH)
    const b = <f32>load<u8>(blues + (x * blue.h) / maxH)
    f32.store(to + ((<usize>x) << 2), lumaOf(r, g, b))
  }
}

/**
 * CMYK and YCCK, without colour management: each channel is its light times the light that black
 * lets through. Values are light, not ink, with or without Adobe's marker, as in browsers. YCCK is
 * the complement of YCbCr, which is clamped first.
 */
function writeInkRow(y: u32, to: usize): void {
  const cyan = component(0)
  const magenta = component(1)
  const yellow = component(2)
  const black = component(3)
  const cyans = sampleRow(cyan, y, maxV)
  const magentas = sampleRow(magenta, y, maxV)
  const yellows = sampleRow(yellow, y, maxV)
  const blacks = sampleRow(black, y, maxV)
  for (let x: u32 = 0; x < cols; x++) {
    const c = <f32>load<u8>(cyans + (x * cyan.h) / maxH)
    const m = <f32>load<u8>(magentas + (x * magenta.h) / maxH)
    const yellowLight = <f32>load<u8>(yellows + (x * yellow.h) / maxH)
    const light =
      colour == CMYK ? lumaOf(c, m, yellowLight) : 255 - clampedLuma(c, m - 128, yellowLight - 128)
    const key = <f32>load<u8>(blacks + (x * black.h) / maxH)
    f32.store(to + ((<usize>x) << 2), (light * key) / 255)
  }
}
