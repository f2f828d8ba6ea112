// The Jarosz filter of PDQ: two passes of a box filter along rows and along columns, then decimation.
// Reference: pdq/cpp/downscaling/downscaling.cpp, jaroszFilterFloat and decimateFloat.
//
// The reference filters the whole plane four times. Only outRows x outCols values of the last result are used, so
// here rows stream through all four passes, a few at a time, and nothing but a handful of rows is ever stored.
// Each sum is built in the reference's order, so each value has the reference's bits.
//
//   plane ──4 rows──▶ box along rows ──▶ ring of 8 rows ──▶ box along columns ──▶ 4 middle rows
//                                                                                      │
//     out ◀── needed rows ── box along columns ◀── ring of 8 narrow rows ◀── box along rows, needed columns

import { gatherLanes, scatterLanes } from '../lanes'

/** Largest plane side, in pixels. */
export const MAX_SIDE: u32 = 512

/** Largest box window: half of one 64th of MAX_SIDE, rounded up. */
const MAX_WINDOW: u32 = 4

const ROW_BYTES: usize = MAX_SIDE * 4
const RING_ROWS: u32 = 8 // a new group of 4 rows plus the MAX_WINDOW rows before it

// Scratch, in bytes. `lanes` and `boxed` hold one v128 a column: the same column of 4 rows.
const lanes = memory.data(8192 + 16)
const boxed = memory.data(8192 + 16)
const wideRing = memory.data(16384)
const wideSums = memory.data(2048)
const middle = memory.data(8192)
const narrowRing = memory.data(16384)
const narrowSums = memory.data(2048)
const narrowMeans = memory.data(2048) // of a row that is not output
const zeros = memory.data(2048)

/** Box window for one pass along a side of `side` pixels. Reference: computeJaroszFilterWindowSize(side, 64). */
export function jaroszWindow(side: u32): u32 {
  return (side + 127) / 128
}

/** Index of the input sample that output sample `index` takes: the centre of its cell. Reference: decimateFloat. */
export function decimated(index: u32, inCount: u32, outCount: u32): u32 {
  return ((2 * index + 1) * inCount) / (2 * outCount)
}

/** Address of a row in a ring of rows. */
function ringRow(ring: usize, row: u32): usize {
  return ring + <usize>(row % RING_ROWS) * ROW_BYTES
}

/** Address of one of the 4 middle rows. */
function middleRow(row: u32): usize {
  return middle + <usize>(row % 4) * ROW_BYTES
}

/** Samples inside the window after step `step` of a box filter over `count` samples. */
function windowFill(step: u32, count: u32, window: u32): f32 {
  const end = min(step + 1, count)
  const start = step + 1 > window ? step + 1 - window : 0
  return <f32>(end - start)
}

/**
 * Whether multiplication gives the same mean of this many samples as division. It takes a fifth of
 * the time.
 */
function isPowerOfTwo(samples: f32): bool {
  return samples != 3
}

/** Steps by which the output of a box filter lags its input. Reference: box1DFloat's phase 1. */
function windowLag(window: u32): u32 {
  return (window + 2) / 2 - 1
}

/**
 * Box filter along 4 rows at once. Reference: box1DFloat, whose four phases are here one loop each.
 * With a window of 4 over 16 columns, writes lag reads by 2:
 *
 *   phase 1   read 0 1                              add only
 *   phase 2   read 2 3        write 0 1             add, write
 *   phase 3   read 4 .. 15    write 2 .. 13         add, subtract, write
 *   phase 4                   write 14 15           subtract, write
 */
function boxAlongLanes(
  src: usize, // count x v128
  count: u32,
  window: u32, // 1 to MAX_WINDOW, at most count
  dst: usize, // count x v128
): void {
  const lag = windowLag(window)
  let sum = f32x4.splat(0)
  let step: u32 = 0
  for (; step < lag; step++) sum = f32x4.add(sum, v128.load(src + ((<usize>step) << 4)))
  for (; step < window; step++) {
    sum = f32x4.add(sum, v128.load(src + ((<usize>step) << 4)))
    v128.store(
      dst + ((<usize>(step - lag)) << 4),
      f32x4.div(sum, f32x4.splat(windowFill(step, count, window))),
    )
  }
  const full = f32x4.splat(<f32>window)
  const factor = f32x4.splat(1 / <f32>window)
  const isExact = isPowerOfTwo(<f32>window)
  for (; step < count; step++) {
    sum = f32x4.add(sum, v128.load(src + ((<usize>step) << 4)))
    sum = f32x4.sub(sum, v128.load(src + ((<usize>(step - window)) << 4)))
    v128.store(
      dst + ((<usize>(step - lag)) << 4),
      isExact ? f32x4.mul(sum, factor) : f32x4.div(sum, full),
    )
  }
  for (; step < count + lag; step++) {
    sum = f32x4.sub(sum, v128.load(src + ((<usize>(step - window)) << 4)))
    v128.store(
      dst + ((<usize>(step - lag)) << 4),
      f32x4.div(sum, f32x4.splat(windowFill(step, count, window))),
    )
  }
}

/**
 * One step of the box filter along columns: adds row `step` to the sums, subtracts the row that
 * left the window, and writes the means of the window. Where no row enters or leaves any more, a
 * row of zeros stands in, which changes no sum.
 */
function boxAlongColumns(
  ring: usize, // RING_ROWS x cols, ROW_BYTES apart
  sums: usize, // cols
  step: u32,
  rows: u32,
  cols: u32,
  window: u32,
  means: usize, // cols
): void {
  const entering = step < rows ? ringRow(ring, step) : zeros
  const leaving = step >= window ? ringRow(ring, step - window) : zeros
  const samples = windowFill(step, rows, window)
  const divisor = f32x4.splat(samples)
  const factor = f32x4.splat(1 / samples)
  const isExact = isPowerOfTwo(samples)
  const end = <usize>cols * 4
  for (let at: usize = 0; at < end; at += 16) {
    const more = f32x4.add(v128.load(sums + at), v128.load(entering + at))
    const sum = f32x4.sub(more, v128.load(leaving + at))
    v128.store(sums + at, sum)
    v128.store(means + at, isExact ? f32x4.mul(sum, factor) : f32x4.div(sum, divisor))
  }
}

/** Box filter along the `count` middle rows, of which only the decimated columns go to the narrow ring. */
function narrow(count: u32, firstRow: u32, cols: u32, window: u32, outCols: u32): void {
  gatherLanes(
    middle,
    middleRow(min(1, count - 1)),
    middleRow(min(2, count - 1)),
    middleRow(min(3, count - 1)),
    cols,
    lanes,
  )
  boxAlongLanes(lanes, cols, window, boxed)
  const dst = ringRow(narrowRing, firstRow)
  for (let col: u32 = 0; col < outCols; col++) {
    const column = v128.load(boxed + ((<usize>decimated(col, cols, outCols)) << 4))
    const to = dst + ((<usize>col) << 2)
    f32.store(to, f32x4.extract_lane(column, 0))
    f32.store(to + ROW_BYTES, f32x4.extract_lane(column, 1))
    f32.store(to + ROW_BYTES * 2, f32x4.extract_lane(column, 2))
    f32.store(to + ROW_BYTES * 3, f32x4.extract_lane(column, 3))
  }
}

/**
 * Filters a plane twice and takes outRows x outCols samples of the result.
 * With outRows = rows and outCols = cols it is the filter alone.
 */
export function jaroszDecimate(
  plane: usize, // rows x cols of f32, row-major, 16 readable bytes after it
  rows: u32, // columnWindow to MAX_SIDE
  cols: u32, // rowWindow to MAX_SIDE
  rowWindow: u32, // along rows, 1 to MAX_WINDOW
  columnWindow: u32, // along columns, 1 to MAX_WINDOW
  out: usize, // outRows x outCols of f32, row-major; outCols is a multiple of 4, or 12 writable bytes follow
  outRows: u32,
  outCols: u32,
): void {
  if (rows > MAX_SIDE || cols > MAX_SIDE || rowWindow > MAX_WINDOW || columnWindow > MAX_WINDOW)
    unreachable()
  if (rows < columnWindow || cols < rowWindow || outCols > MAX_SIDE) unreachable()
  memory.fill(wideSums, 0, ROW_BYTES)
  memory.fill(narrowSums, 0, ROW_BYTES)
  const stride = <usize>cols * 4
  const lag = windowLag(columnWindow)
  let outRow: u32 = 0

  for (let step: u32 = 0; step < rows + lag; step++) {
    if (step < rows && step % 4 == 0) {
      const last = rows - 1
      gatherLanes(
        plane + stride * step,
        plane + stride * min(step + 1, last),
        plane + stride * min(step + 2, last),
        plane + stride * min(step + 3, last),
        cols,
        lanes,
      )
      boxAlongLanes(lanes, cols, rowWindow, boxed)
      scatterLanes(boxed, cols, ringRow(wideRing, step), ROW_BYTES)
    }
    const row = step - lag // of the first pass's result
    boxAlongColumns(wideRing, wideSums, step, rows, cols, columnWindow, middleRow(row))
    if (step < lag) continue

    const isLast = row == rows - 1
    if (row % 4 != 3 && !isLast) continue

    const first = row - (row % 4)
    narrow(row - first + 1, first, cols, rowWindow, outCols)
    const end = isLast ? rows + lag : row + 1
    for (let narrowStep = first; narrowStep < end; narrowStep++) {
      const firstOut = outRow
      while (outRow < outRows && decimated(outRow, rows, outRows) + lag == narrowStep) outRow++
      const means = outRow > firstOut ? out + <usize>firstOut * outCols * 4 : narrowMeans
      boxAlongColumns(narrowRing, narrowSums, narrowStep, rows, outCols, columnWindow, means)
      // If the plane has fewer rows than the output, rows repeat.
      for (let again = firstOut + 1; again < outRow; again++) {
        memory.copy(out + <usize>again * outCols * 4, means, <usize>outCols * 4)
      }
    }
  }
}
