// Reduces rows of luma, as a decoder produces them, to the plane that is hashed: at most 512 x 512.
// An image with a side over 512 pixels becomes 512 x 512 without keeping its aspect, as in the
// reference, but by an area average instead of every n-th pixel. Any other image keeps its size.
// The image itself never exists in memory.
//
// A decoder's samples need not be pixels: at half scale each covers 2 x 2 of them, the last ones
// perhaps only 1. All positions are integers. Along one axis, with `target` cells over an image of
// `extent` units:
//
//   sample i covers  [i x pitch, (i + 1) x pitch) x target     clipped to extent x target
//   cell j covers    [j, j + 1) x extent
//
// and each sample adds to a cell the length that they share. The lengths of one cell add up to
// `extent`.

import { gatherLanes } from '../lanes'
import { allocate } from '../memory'

/** Largest side of the plane, in cells. */
const MAX_CELLS: u32 = 512

@unmanaged
export class Reducer {
  /** The plane: targetRows x targetCols of f32, row-major. */
  plane: usize
  targetCols: u32
  targetRows: u32

  /** Samples in a row, and rows. */
  cols: u32
  rows: u32

  // Sizes of the image and of a sample, in units that make both whole: pixels, or thirds of them.
  extentX: u32
  pitchX: u32
  extentY: u32
  pitchY: u32

  /** Rows added so far, by `addRow`. */
  rowsAdded: u32

  // addRow's state: which cell row is being filled, and 4 rows of sums, one per column of samples.
  // Cell row k has its sums in row k % 4; four cell rows are reduced at once.
  cellRow: u32
  isCellRowEmpty: bool
  columnSums: usize
  columnStride: usize
  lanes: usize // cols x v128: a column of the 4 rows
  // The columns that make up a cell: targetCols x (index of its first column, then tapCount weights
  // of f32).
  taps: usize
  tapCount: u32

  // addSamples' state: one row of cells, and the share of each row of cells that has arrived.
  cellSums: usize
  rowShares: usize
}

/**
 * Begins an image of width x height pixels whose decoder produces cols x rows samples. Returns
 * false if memory is over its limit.
 */
export function beginReducer(
  r: Reducer,
  width: u32, // pixels
  height: u32,
  cols: u32, // samples
  rows: u32,
  extentX: u32, // units; at most 2^23
  pitchX: u32, // units a sample
  extentY: u32,
  pitchY: u32,
): bool {
  const isLarge = width > MAX_CELLS || height > MAX_CELLS
  r.targetCols = isLarge ? MAX_CELLS : width
  r.targetRows = isLarge ? MAX_CELLS : height
  r.cols = cols
  r.rows = rows
  r.extentX = extentX
  r.pitchX = pitchX
  r.extentY = extentY
  r.pitchY = pitchY
  r.plane = allocate(<usize>r.targetCols * r.targetRows * 4)
  r.columnStride = (<usize>cols * 4 + 15) & ~15
  r.columnSums = allocate(r.columnStride * 4)
  r.cellSums = allocate(MAX_CELLS * 4)
  r.rowShares = allocate(MAX_CELLS * 4)
  r.isCellRowEmpty = true
  if (!r.plane || !r.columnSums || !r.cellSums || !r.rowShares) return false
  if (isIdentity(r)) return true

  r.lanes = allocate((<usize>cols + 3) * 16)
  // A cell of `extent` units in `pitch x target` pieces touches up to two more than fit, but never
  // more than there are.
  r.tapCount = min(extentX / (pitchX * r.targetCols) + 2, cols)
  r.taps = allocate(<usize>r.targetCols * (r.tapCount + 1) * 4)
  if (!r.lanes || !r.taps) return false
  fillTaps(r)
  return true
}

/**
 * Makes `copy` continue from where `r` is, with a plane of its own: for another view of the image
 * that differs from here on. Returns false if memory is over its limit.
 */
export function forkReducer(r: Reducer, copy: Reducer): bool {
  const planeBytes = <usize>r.targetCols * r.targetRows * 4
  const plane = copy.plane ? copy.plane : allocate(planeBytes)
  const columnSums = copy.columnSums ? copy.columnSums : allocate(r.columnStride * 4)
  const rowShares = copy.rowShares ? copy.rowShares : allocate(MAX_CELLS * 4)
  if (!plane || !columnSums || !rowShares) return false
  memory.copy(plane, r.plane, planeBytes)
  memory.copy(columnSums, r.columnSums, r.columnStride * 4)
  memory.copy(rowShares, r.rowShares, MAX_CELLS * 4)
  memory.copy(changetype<usize>(copy), changetype<usize>(r), offsetof<Reducer>())
  copy.plane = plane
  copy.columnSums = columnSums
  copy.rowShares = rowShares
  return true
}

/** Begins the same image again: the next frame of an animation. */
export function restartReducer(r: Reducer): void {
  r.rowsAdded = 0
  r.cellRow = 0
  r.isCellRowEmpty = true
  memory.fill(r.rowShares, 0, MAX_CELLS * 4)
  memory.fill(r.plane, 0, <usize>r.targetCols * r.targetRows * 4)
}

/** Whether samples are the cells, with nothing to reduce. */
function isIdentity(r: Reducer): bool {
  return r.pitchX * r.targetCols == r.extentX && r.pitchY * r.targetRows == r.extentY
}

/** Adds the next row, from top to bottom. Rows beyond the last are ignored. */
export function addRow(
  r: Reducer,
  row: usize, // cols of f32, up to 12 readable bytes after it
): void {
  if (r.rowsAdded >= r.rows) return
  const index = r.rowsAdded++
  if (isIdentity(r)) {
    memory.copy(r.plane + <usize>index * r.targetCols * 4, row, <usize>r.targetCols * 4)
    return
  }
  const pitch = r.pitchY * r.targetRows
  let at = index * pitch
  const end = min(at + pitch, r.extentY * r.targetRows)
  while (at < end) {
    const cellEnd = (r.cellRow + 1) * r.extentY
    const shared = min(end, cellEnd) - at
    const sums = r.columnSums + <usize>(r.cellRow % 4) * r.columnStride
    addWeighted(sums, row, r.cols, <f32>shared, r.isCellRowEmpty)
    r.isCellRowEmpty = false
    at += shared
    if (at < cellEnd) continue
    r.isCellRowEmpty = true
    r.cellRow++
    if (r.cellRow % 4 == 0 || r.cellRow == r.targetRows) writeCellRows(r)
  }
}

/** sums += row x weight; or sums = row x weight. */
function addWeighted(sums: usize, row: usize, count: u32, weight: f32, replaces: bool): void {
  const factor = f32x4.splat(weight)
  const end = <usize>count * 4
  if (replaces) {
    for (let at: usize = 0; at < end; at += 16) {
      v128.store(sums + at, f32x4.mul(v128.load(row + at), factor))
    }
  } else {
    for (let at: usize = 0; at < end; at += 16) {
      v128.store(sums + at, f32x4.add(v128.load(sums + at), f32x4.mul(v128.load(row + at), factor)))
    }
  }
}

/** Fills `taps`. The weights are shared lengths over the cell's area, so that sums need no division. */
function fillTaps(r: Reducer): void {
  const pitch = r.pitchX * r.targetCols
  const limit = r.extentX * r.targetCols
  const area = <f64>r.extentX * <f64>r.extentY
  const tapBytes = <usize>(r.tapCount + 1) * 4
  for (let cell: u32 = 0; cell < r.targetCols; cell++) {
    const to = r.taps + <usize>cell * tapBytes
    let at = cell * r.extentX
    const end = at + r.extentX
    // Taps must not reach beyond the last column; excess ones at the front have no weight.
    const first = min(at / pitch, r.cols - r.tapCount)
    store<u32>(to, first)
    for (let tap: u32 = 0; tap < r.tapCount; tap++) {
      const sampleEnd = min((first + tap + 1) * pitch, limit)
      const shared = sampleEnd > at ? min(sampleEnd, end) - at : 0
      f32.store(to + 4 + ((<usize>tap) << 2), <f32>(<f64>shared / area))
      at += shared
    }
  }
}

/** Reduces the sums of the last four cell rows, or of those left at the end: a lane is a row. */
function writeCellRows(r: Reducer): void {
  const first = (r.cellRow - 1) & ~3
  const rowBytes = <usize>r.targetCols * 4
  let dst = r.plane + <usize>first * rowBytes
  const dst1 = r.cellRow > first + 1 ? rowBytes : 0 // a lane without a row writes where lane 0 will overwrite it
  const dst2 = r.cellRow > first + 2 ? rowBytes * 2 : 0
  const dst3 = r.cellRow > first + 3 ? rowBytes * 3 : 0

  const sums = r.columnSums
  const stride = r.columnStride
  gatherLanes(sums, sums + stride, sums + stride * 2, sums + stride * 3, r.cols, r.lanes)
  const lanes = r.lanes
  const tapCount = <usize>r.tapCount
  let tap = r.taps
  for (const end = dst + rowBytes; dst < end; dst += 4) {
    let column = lanes + ((<usize>load<u32>(tap)) << 4)
    tap += 4
    let total = f32x4.splat(0)
    for (const last = tap + (tapCount << 2); tap < last; tap += 4, column += 16) {
      total = f32x4.add(total, f32x4.mul(v128.load(column), v128.load_splat<f32>(tap)))
    }
    v128.store_lane<f32>(dst + dst3, total, 3)
    v128.store_lane<f32>(dst + dst2, total, 2)
    v128.store_lane<f32>(dst + dst1, total, 1)
    v128.store_lane<f32>(dst, total, 0)
  }
}

/**
 * Adds samples of one row in any order, as in interlaced files: `count` samples, `step` apart,
 * starting at `first`. Each may come once; `finishSamples` then turns sums into means.
 */
export function addSamples(
  r: Reducer,
  index: u32, // of the row
  first: u32,
  step: u32,
  samples: usize, // count of f32
  count: u32,
): void {
  if (index >= r.rows) return
  const share = <f32>count / <f32>r.cols
  if (isIdentity(r)) {
    let to = r.plane + (<usize>index * r.targetCols + first) * 4
    for (let k: u32 = 0; k < count; k++, to += <usize>step * 4) {
      f32.store(to, f32.load(samples + <usize>k * 4))
    }
    addShare(r, index, share)
    return
  }
  sumCells(r, first, step, samples, count)
  const pitch = r.pitchY * r.targetRows
  let at = index * pitch
  const end = min(at + pitch, r.extentY * r.targetRows)
  let cellRow = at / r.extentY
  while (at < end) {
    const shared = min(end, (cellRow + 1) * r.extentY) - at
    const row = r.plane + <usize>cellRow * r.targetCols * 4
    addWeighted(row, r.cellSums, r.targetCols, <f32>shared, false)
    addShare(r, cellRow, (share * <f32>shared) / <f32>r.extentY)
    at += shared
    cellRow++
  }
}

function addShare(r: Reducer, cellRow: u32, share: f32): void {
  const at = r.rowShares + ((<usize>cellRow) << 2)
  f32.store(at, f32.load(at) + share)
}

/** Sums of samples by cell, in `cellSums`. */
function sumCells(r: Reducer, first: u32, step: u32, samples: usize, count: u32): void {
  const pitch = r.pitchX * r.targetCols
  const limit = r.extentX * r.targetCols
  const cells = r.cellSums
  memory.fill(cells, 0, <usize>r.targetCols * 4)
  let start = first * pitch
  let cell = start / r.extentX
  let cellEnd = (cell + 1) * r.extentX
  for (const last = samples + <usize>count * 4; samples < last; samples += 4) {
    for (; start >= cellEnd; cellEnd += r.extentX) cell++
    const value = f32.load(samples)
    const end = min(start + pitch, limit)
    let to = cells + <usize>cell * 4
    let at = start
    for (let border = cellEnd; border < end; border += r.extentX, to += 4) {
      f32.store(to, f32.load(to) + value * <f32>(border - at))
      at = border
    }
    f32.store(to, f32.load(to) + value * <f32>(end - at))
    start += step * pitch
  }
}

/**
 * Turns the sums of `addSamples` into means of the samples that came; rows without any copy the
 * last one.
 */
export function finishSamples(r: Reducer): void {
  const rowBytes = <usize>r.targetCols * 4
  const area: f32 = isIdentity(r) ? 1 : <f32>(<f64>r.extentX * <f64>r.extentY)
  for (let cellRow: u32 = 0; cellRow < r.targetRows; cellRow++) {
    const row = r.plane + <usize>cellRow * rowBytes
    const share = f32.load(r.rowShares + ((<usize>cellRow) << 2))
    if (share > 0) {
      if (area != 1) addWeighted(row, row, r.targetCols, 1 / (area * share), true) // then targetCols is 512
    } else if (cellRow) {
      memory.copy(row, row - rowBytes, rowBytes)
    }
  }
}

/** Turns the plane upside down: for files that store the bottom row first. */
export function flipRows(r: Reducer): void {
  const rowBytes = <usize>r.targetCols * 4
  let upper = r.plane
  let lower = r.plane + rowBytes * (r.targetRows - 1)
  for (; upper < lower; upper += rowBytes, lower -= rowBytes) {
    memory.copy(r.cellSums, upper, rowBytes)
    memory.copy(upper, lower, rowBytes)
    memory.copy(lower, r.cellSums, rowBytes)
  }
}
