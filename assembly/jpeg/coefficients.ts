// Which coefficients of a block are kept at the chosen scale, and where they wait if a file sends
// them in several scans. The others are skipped; a progressive file needs to know which of those
// are zero, one bit each.
//
// Rows of MCUs are stored in order, so a file that states its height late can be stored as it
// comes:
//
//   row 0: component 0: blocks x kept coefficients of i16 │ component 1 ... │ component 0: blocks x u64 of history ...
//   row 1: ...

import { allocate, extendLast, memoryLeft } from '../memory'
import { Component, component, componentCount, mcusX } from './header'
import { END_OF_BLOCK } from './huffman'
import { coefficients, isBeyondPixels, setCoefficient, writeExact } from './exact'
import { BEHIND_BLOCK, beginBlock, block, FLAT, linesOf, nx, ny, writeBlock } from './synthesis'
import { naturalPlace } from './zigzag'

const NOT_KEPT: u8 = 0xff

/**
 * One more than the farthest place that a block may reach: its last place, and the advance of what
 * ends it.
 */
const REACHED_PLACES: usize = 64 + <usize>END_OF_BLOCK
/**
 * By place in zigzag order: row and column as v << 3 | u, or BEHIND_BLOCK if it is not kept. A run
 * may end beyond place 63 and then counts as 63, as in libjpeg.
 */
export const keptPlaces = memory.data(144)
const slotOf = memory.data(64) // by place in zigzag order: its slot, or NOT_KEPT
const zigzagOf = memory.data(64) // by slot: its place in zigzag order

/** Coefficients kept of each block, and the last place that is kept. */
export let keptCount: u32 = 0
export let lastKept: u32 = 0

/** Marks the coefficients with u < nx and v < ny as kept. */
export function chooseKept(samplesX: u32, samplesY: u32): void {
  keptCount = 0
  memory.fill(keptPlaces, BEHIND_BLOCK, REACHED_PLACES)
  for (let k: u32 = 0; k < 64; k++) {
    const place = naturalPlace(k)
    const isKept = (place & 7) < samplesX && place >> 3 < samplesY
    if (isKept) store<u8>(keptPlaces + k, <u8>place)
    store<u8>(slotOf + k, isKept ? <u8>keptCount : NOT_KEPT)
    if (!isKept) continue
    store<u8>(zigzagOf + keptCount++, <u8>k)
    lastKept = k
  }
  memory.fill(keptPlaces + 64, load<u8>(keptPlaces + 63), 15)
}

let storage: usize = 0
let rowBytes: usize = 0
let storedRows: u32 = 0

/**
 * Whether history is kept. Without it, refinements of all coefficients but the mean are ignored.
 */
export let hasHistory: bool = false

/** Number of coefficients stored for a component's block. */
export function storedCount(c: Component): u32 {
  return c.isFlat ? 1 : keptCount
}

/** Lays out a stored row. Returns its size in bytes. */
export function layOutRow(withHistory: bool): usize {
  hasHistory = withHistory
  rowBytes = 0
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.isNeeded) continue
    c.coefficientOffset = rowBytes
    rowBytes += <usize>mcusX * c.h * c.v * storedCount(c) * 2
  }
  rowBytes = (rowBytes + 7) & ~7
  if (!withHistory) return rowBytes
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.isNeeded || c.isFlat) continue
    c.historyOffset = rowBytes
    rowBytes += <usize>mcusX * c.h * c.v * 8
  }
  return rowBytes
}

/** Whether `rows` stored rows of the current layout leave at least `reserve` bytes of memory. */
export function fitsRows(rows: u32, reserve: usize): bool {
  return <u64>rows * <u64>rowBytes + <u64>reserve <= <u64>memoryLeft()
}

/** Makes room for the first `rows` rows of MCUs. Returns false if memory is over its limit. */
export function storeRows(rows: u32): bool {
  if (rows <= storedRows) return true
  if (!storage) {
    storage = allocate(<usize>rows * rowBytes)
    if (!storage) return false
  } else if (!extendLast(storage, <usize>(rows - storedRows) * rowBytes)) {
    return false
  }
  storedRows = rows
  return true
}

/** Address of the coefficients of the block at `x` in line `line` of a component's blocks in a row of MCUs. */
export function storedBlock(c: Component, mcuRow: u32, line: u32, x: u32): usize {
  const row = storage + <usize>mcuRow * rowBytes + c.coefficientOffset
  return row + (<usize>line * c.paddedX + x) * storedCount(c) * 2
}

/** Address of the same block's history: one bit per place, set if its coefficient is not zero. */
export function storedHistory(c: Component, mcuRow: u32, line: u32, x: u32): usize {
  const row = storage + <usize>mcuRow * rowBytes + c.historyOffset
  return row + (<usize>line * c.paddedX + x) * 8
}

/** Address of the coefficient at place `k` in a stored block; 0 if it is not kept. */
export function storedCoefficient(stored: usize, k: u32): usize {
  const slot = load<u8>(slotOf + k)
  return slot == NOT_KEPT ? 0 : stored + ((<usize>slot) << 1)
}

/** Writes the samples of a stored block. */
function writeStoredBlock(c: Component, stored: usize, dst: usize): void {
  const dc = <f32>load<i16>(stored) * f32.load(c.quant)
  beginBlock(dc)
  let energy = dc * dc
  let lines = FLAT
  for (let slot: usize = 1, count = <usize>storedCount(c); slot < count; slot++) {
    const value = <i32>load<i16>(stored + (slot << 1))
    if (!value) continue
    const k = <u32>load<u8>(zigzagOf + slot)
    const place = naturalPlace(k)
    const dequantised = <f32>value * f32.load(c.quant + ((<usize>k) << 2))
    energy += dequantised * dequantised
    f32.store(block + ((<usize>place) << 2), dequantised)
    lines |= linesOf(place)
  }
  if (energy > c.energyLimit) writeStoredExact(c, stored, dst)
  else writeBlock(lines, dst, c.stride)
}

/** The same for a block with more energy than pixels can have. */
function writeStoredExact(c: Component, stored: usize, dst: usize): void {
  memory.fill(coefficients, 0, 128)
  for (let slot: usize = 0, count = <usize>storedCount(c); slot < count; slot++) {
    setCoefficient(load<u8>(zigzagOf + slot), load<i16>(stored + (slot << 1)))
  }
  isBeyondPixels(c)
  writeExact(c, dst)
}

/** Writes the samples of one row of MCUs from stored blocks. */
export function writeStoredRow(c: Component, mcuRow: u32): void {
  for (let y: u32 = 0; y < c.v; y++) {
    let dst = c.samples + <usize>(y * ny) * c.stride
    if (c.isFlat) {
      writeFlatBlocks(c, storedBlock(c, mcuRow, y, 0), dst)
      continue
    }
    for (let x: u32 = 0; x < c.paddedX; x++, dst += nx) {
      writeStoredBlock(c, storedBlock(c, mcuRow, y, x), dst)
    }
  }
}

/** Writes the means of a line of blocks, for which nothing else is stored. */
function writeFlatBlocks(c: Component, stored: usize, dst: usize): void {
  const step = f32.load(c.quant) / 8
  for (let x: u32 = 0; x < c.paddedX; x++, stored += 2, dst += nx) {
    const mean = <f32>128 + nearest<f32>(<f32>load<i16>(stored) * step)
    const bytes = i8x16.splat(<i8>(<i32>min<f32>(max<f32>(mean, 0), 255)))
    for (let y: u32 = 0; y < ny; y++) v128.store64_lane(dst + <usize>y * c.stride, bytes, 0)
  }
}
