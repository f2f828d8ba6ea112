// A view of a plane: the picture as it may have been before someone cropped, framed, mirrored or
// turned it, hashed from what the plane still has of it.
//
// PDQ looks at 64 x 64 points of a filtered plane. The filter's tent is about as wide as a 64th of the picture, and what it
// leaves of the 16 frequencies that are hashed hardly depends on its exact width. So the plane is filtered once, at every
// pixel, and each view takes its 64 x 64 points from it, wherever they lie: nothing else is as cheap.
//
//   plane ──filter, once──▶ filtered plane ──64 x 64 points──▶ block ──▶ DCT ──▶ hash
//                                             ▲
//            view: where point (0, 0) lies, and the steps to the next column and row

import { dct64To16 } from '../pdq/dct'
import { hashBits } from '../pdq/hash'
import { decimated, jaroszDecimate, jaroszWindow } from '../pdq/jarosz'
import { quality64 } from '../pdq/quality'

const SIDE: u32 = 64
const FREQUENCIES: u32 = 16

const block = memory.data(16384 + 16) // 64 x 64 of f32
const amplitudes = memory.data(1024) // 16 x 16 of f32

/**
 * Filters a plane at every pixel, as PDQ does at 64 x 64. A 64 x 64 plane is used as it is, as in
 * the reference.
 */
export function filterPlane(
  plane: usize, // rows x cols of f32, row-major, 16 readable bytes after it
  rows: u32, // 5 to 512
  cols: u32,
  out: usize, // the same size, 12 writable bytes after it
): void {
  if (rows == SIDE && cols == SIDE) memory.copy(out, plane, 16384)
  else jaroszDecimate(plane, rows, cols, jaroszWindow(cols), jaroszWindow(rows), out, rows, cols)
}

/**
 * Takes PDQ's points of the picture as it is. The hash then has the same bits as that of
 * `hashPlane`.
 */
export function sampleIdentity(
  plane: usize, // rows x cols of f32, filtered
  rows: u32,
  cols: u32,
): void {
  let to = block
  for (let i: u32 = 0; i < SIDE; i++) {
    const row = plane + ((<usize>(decimated(i, rows, SIDE) * cols)) << 2)
    for (let j: u32 = 0; j < SIDE; j++, to += 4) {
      f32.store(to, f32.load(row + ((<usize>decimated(j, cols, SIDE)) << 2)))
    }
  }
}

// For each point along a side: its two neighbours in the plane, the weight of the second, and how
// far it is outside.
const offsets = memory.data(256) // 64 of u32: of the first neighbour, in bytes; the second follows it
const shares = memory.data(256) // 64 of f32
const depths = memory.data(256) // 64 of f32: pixels by which it is outside of the plane

/**
 * Takes the points of an upright view: columns of points are columns of the plane, rows are rows; a
 * step may be negative. `guessOutside` guesses points outside the plane from its edge.
 */
export function sampleUpright(
  plane: usize, // rows x cols of f32, filtered, 4 readable bytes after it
  rows: u32,
  cols: u32,
  x: f32, // of the first column of points, in pixels: 0 is the centre of the first column of the plane
  stepX: f32,
  y: f32,
  stepY: f32,
): void {
  for (let j: usize = 0; j < SIDE; j++) {
    const atX = x + <f32>j * stepX
    const at = clamp(atX, cols)
    const left = <u32>at
    store<u32>(offsets + (j << 2), left << 2)
    f32.store(shares + (j << 2), at - <f32>left)
    f32.store(depths + (j << 2), abs(atX - at))
  }
  const stride = <usize>cols * 4
  let to = block
  for (let i: u32 = 0; i < SIDE; i++) {
    const at = clamp(y + <f32>i * stepY, rows)
    const top = <u32>at
    const share = f32x4.splat(at - <f32>top)
    const upper = plane + <usize>top * stride
    const lower = top + 1 < rows ? upper + stride : upper
    for (let j: usize = 0; j < SIDE * 4; j += 16, to += 16) {
      const above = mixFour(upper, j)
      v128.store(to, f32x4.add(above, f32x4.mul(f32x4.sub(mixFour(lower, j), above), share)))
    }
  }
  guessOutside(plane, rows, cols, x, stepX, y, stepY)
}

/**
 * Four points of a row of the plane, each between two neighbours. The pixel after the row's last
 * belongs to another row and has no weight: a point is at most on the last pixel.
 */
function mixFour(
  row: usize,
  j: usize, // of the first, in bytes of `offsets`
): v128 {
  let low = v128.load64_zero(row + <usize>load<u32>(offsets + j))
  low = v128.load64_lane(row + <usize>load<u32>(offsets + j, 4), low, 1)
  let high = v128.load64_zero(row + <usize>load<u32>(offsets + j, 8))
  high = v128.load64_lane(row + <usize>load<u32>(offsets + j, 12), high, 1)
  const first = v128.shuffle<f32>(low, high, 0, 2, 4, 6)
  const second = v128.shuffle<f32>(low, high, 1, 3, 5, 7)
  return f32x4.add(first, f32x4.mul(f32x4.sub(second, first), v128.load(shares + j)))
}

/**
 * Gives points outside the plane the value of the nearest edge, blurred along the edge the more,
 * the farther away they are. A picture continues like its edge, but not with its details. Columns
 * are in `depths`.
 */
function guessOutside(
  plane: usize,
  rows: u32,
  cols: u32,
  x: f32,
  stepX: f32,
  y: f32,
  stepY: f32,
): void {
  // The columns inside are those in the middle.
  let left: u32 = 0
  let right = SIDE
  while (left < SIDE && f32.load(depths + ((<usize>left) << 2)) >= 1) left++
  while (right > left && f32.load(depths + ((<usize>(right - 1)) << 2)) >= 1) right--
  for (let i: u32 = 0; i < SIDE; i++) {
    const atY = y + <f32>i * stepY
    const depthY = abs(atY - clamp(atY, rows))
    const isInside = depthY < 1
    for (let j: u32 = 0; j < SIDE; j++) {
      if (isInside && j == left) j = right
      if (j == SIDE) break
      const depthX = f32.load(depths + ((<usize>j) << 2))
      guessPoint(plane, rows, cols, x + <f32>j * stepX, depthX, atY, depthY, i, j)
    }
  }
}

function guessPoint(
  plane: usize,
  rows: u32,
  cols: u32,
  atX: f32,
  depthX: f32,
  atY: f32,
  depthY: f32,
  i: u32,
  j: u32,
): void {
  const depth = max(depthX, depthY)
  const alongX = depthY > 0 ? depth : 0
  const alongY = depthX > 0 ? depth : 0
  let sum: f32 = 0
  for (let tap = -2; tap <= 2; tap++) {
    const weight = 3 - abs(tap)
    const tapX = <u32>clamp(atX + <f32>tap * alongX, cols)
    const tapY = <u32>clamp(atY + <f32>tap * alongY, rows)
    sum += <f32>weight * f32.load(plane + ((<usize>(tapY * cols + tapX)) << 2))
  }
  f32.store(block + ((<usize>(i * SIDE + j)) << 2), sum / 9)
}

function clamp(at: f32, count: u32): f32 {
  return min(max(at, 0), <f32>(count - 1))
}

function mix(a: f32, b: f32, share: f32): f32 {
  return a + (b - a) * share
}

/** Takes the points of a turned view. See `sampleUpright`. */
export function sampleTurned(
  plane: usize, // rows x cols of f32, filtered
  rows: u32,
  cols: u32,
  x: f32, // of the first point
  y: f32,
  columnX: f32, // step to the point of the next column
  columnY: f32,
  rowX: f32, // step to the point of the next row
  rowY: f32,
): void {
  const stride = <usize>cols * 4
  let to = block
  for (let i: u32 = 0; i < SIDE; i++) {
    for (let j: u32 = 0; j < SIDE; j++, to += 4) {
      const atX = clamp(x + <f32>i * rowX + <f32>j * columnX, cols)
      const atY = clamp(y + <f32>i * rowY + <f32>j * columnY, rows)
      const left = <u32>atX
      const top = <u32>atY
      const upper = plane + <usize>top * stride + ((<usize>left) << 2)
      const lower = top + 1 < rows ? upper + stride : upper
      const right: usize = left + 1 < cols ? 4 : 0
      const above = mix(f32.load(upper), f32.load(upper + right), atX - <f32>left)
      const below = mix(f32.load(lower), f32.load(lower + right), atX - <f32>left)
      f32.store(to, mix(above, below, atY - <f32>top))
    }
  }
}

/**
 * Fills covered points from their surroundings: with the mean of the nearest uncovered points to
 * the left, right, above and below, weighted by proximity. A point whose row and column are
 * entirely covered stays as it is.
 */
export function fillCovered(
  covered: usize, // 64 x 64 bytes, row-major; 0: not covered
): void {
  for (let i: u32 = 0; i < SIDE; i++) {
    for (let j: u32 = 0; j < SIDE; j++) {
      if (load<u8>(covered + <usize>(i * SIDE + j))) fillPoint(covered, i, j)
    }
  }
}

function fillPoint(covered: usize, i: u32, j: u32): void {
  const at = <usize>(i * SIDE + j)
  let sum: f32 = 0
  let weights: f32 = 0
  for (let direction = 0; direction < 4; direction++) {
    const step: isize = direction == 0 ? -1 : direction == 1 ? 1 : direction == 2 ? -64 : 64
    // Points in this direction.
    const most = direction == 0 ? j : direction == 1 ? 63 - j : direction == 2 ? i : 63 - i
    let near = at
    for (let far: u32 = 1; far <= most; far++) {
      near += step
      if (load<u8>(covered + near)) continue
      const weight: f32 = 1 / <f32>far
      sum += weight * f32.load(block + (near << 2))
      weights += weight
      break
    }
  }
  if (weights > 0) f32.store(block + (at << 2), sum / weights)
}

/** Hash of the points taken; of their transpose, if `transposes`. Returns the quality, 0 to 100. */
export function hashSampled(
  transposes: bool,
  out: usize, // 32 bytes
): i32 {
  dct64To16(block, amplitudes)
  if (transposes) transposeAmplitudes()
  hashBits(amplitudes, out)
  return quality64(block)
}

/** Where the amplitudes of the last view lie: 16 x 16 of f32, row-major, transposed if it was. */
export function sampledAmplitudes(): usize {
  return amplitudes
}

/** The DCT of a transposed block is the transposed DCT. */
function transposeAmplitudes(): void {
  for (let i: u32 = 0; i < FREQUENCIES; i++) {
    for (let j: u32 = 0; j < i; j++) {
      const a = amplitudes + ((<usize>(i * FREQUENCIES + j)) << 2)
      const b = amplitudes + ((<usize>(j * FREQUENCIES + i)) << 2)
      const value = f32.load(a)
      f32.store(a, f32.load(b))
      f32.store(b, value)
    }
  }
}
