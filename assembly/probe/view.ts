// A view of a plane: the picture that somebody may have had before it was cropped, framed, mirrored or turned, hashed from
// what is left of it in the plane.
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

/** Filters a plane at every pixel, as PDQ does at 64 x 64. One of 64 x 64 is taken as it is, as in the reference. */
export function filterPlane(
  plane: usize, // rows x cols of f32, row-major, 16 readable bytes behind it
  rows: u32, // 5 to 512
  cols: u32,
  out: usize, // the same size, 12 writable bytes behind it
): void {
  if (rows == SIDE && cols == SIDE) memory.copy(out, plane, 16384)
  else jaroszDecimate(plane, rows, cols, jaroszWindow(cols), jaroszWindow(rows), out, rows, cols)
}

/** Takes the points that PDQ takes of the picture as it is. The hash then has the same bits as by `hashPlane`. */
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

/** What a side of points needs to know of the plane's: two neighbours, and how much the farther one counts. */
const nearer = memory.data(256) // 64 of u32: offset of the nearer neighbour, in bytes
const farther = memory.data(256) // 64 of u32
const shares = memory.data(256) // 64 of f32

/**
 * Takes the points of an upright view: columns of points are columns of the plane, rows are rows; a step may be negative.
 * Points outside of the plane are guessed from its edge, by `guessOutside`.
 */
export function sampleUpright(
  plane: usize, // rows x cols of f32, filtered
  rows: u32,
  cols: u32,
  x: f32, // of the first column of points, in pixels: 0 is the centre of the first column of the plane
  stepX: f32,
  y: f32,
  stepY: f32,
): void {
  for (let j: usize = 0; j < SIDE; j++) {
    const at = clamp(x + <f32>j * stepX, cols)
    const left = <u32>at
    store<u32>(nearer + (j << 2), left << 2)
    store<u32>(farther + (j << 2), (left + 1 < cols ? left + 1 : left) << 2)
    f32.store(shares + (j << 2), at - <f32>left)
  }
  const stride = <usize>cols * 4
  let to = block
  for (let i: u32 = 0; i < SIDE; i++) {
    const at = clamp(y + <f32>i * stepY, rows)
    const top = <u32>at
    const share = at - <f32>top
    const upper = plane + <usize>top * stride
    const lower = top + 1 < rows ? upper + stride : upper
    for (let j: usize = 0; j < SIDE * 4; j += 4, to += 4) {
      const near = <usize>load<u32>(nearer + j)
      const far = <usize>load<u32>(farther + j)
      const weight = f32.load(shares + j)
      const above = mix(f32.load(upper + near), f32.load(upper + far), weight)
      const below = mix(f32.load(lower + near), f32.load(lower + far), weight)
      f32.store(to, mix(above, below, share))
    }
  }
  guessOutside(plane, rows, cols, x, stepX, y, stepY)
}

/**
 * Gives points outside of the plane a value: that of the nearest edge, the more blurred along the edge the farther they
 * are. What a picture goes on with is like its edge, but its details are not the edge's.
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
  let to = block
  for (let i: u32 = 0; i < SIDE; i++) {
    const atY = y + <f32>i * stepY
    const depthY = abs(atY - clamp(atY, rows))
    for (let j: u32 = 0; j < SIDE; j++, to += 4) {
      const atX = x + <f32>j * stepX
      const depthX = abs(atX - clamp(atX, cols))
      const depth = max(depthX, depthY)
      if (depth < 1) continue
      const alongX = depthY > 0 ? depth : 0
      const alongY = depthX > 0 ? depth : 0
      let sum: f32 = 0
      for (let tap = -2; tap <= 2; tap++) {
        const weight = 3 - abs(tap)
        const tapX = <u32>clamp(atX + <f32>tap * alongX, cols)
        const tapY = <u32>clamp(atY + <f32>tap * alongY, rows)
        sum += <f32>weight * f32.load(plane + ((<usize>(tapY * cols + tapX)) << 2))
      }
      f32.store(to, sum / 9)
    }
  }
}

function clamp(at: f32, count: u32): f32 {
  return min(max(at, 0), <f32>(count - 1))
}

function mix(a: f32, b: f32, share: f32): f32 {
  return a + (b - a) * share
}

/** Takes the points of a view that is turned. See `sampleUpright`. */
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
 * Gives the points in a corner values that go on with what is around it, instead of those of a logo that may be there:
 * each is between the nearest point to its side and the nearest one above or below, by how near they are.
 */
export function fillCorner(
  corner: u32, // 0 to 3: bit 0 for the right, bit 1 for the bottom
  across: u32, // points, below 64
  down: u32,
): void {
  for (let i: u32 = 0; i < down; i++) {
    for (let j: u32 = 0; j < across; j++) {
      const beside = f32.load(pointIn(corner, i, across))
      const under = f32.load(pointIn(corner, down, j))
      const share = <f32>(across - j) / <f32>(across - j + down - i)
      f32.store(pointIn(corner, i, j), mix(beside, under, share))
    }
  }
}

/** Address of a point, counted from a corner. */
function pointIn(corner: u32, row: u32, col: u32): usize {
  const i = corner & 2 ? SIDE - 1 - row : row
  const j = corner & 1 ? SIDE - 1 - col : col
  return block + ((<usize>(i * SIDE + j)) << 2)
}

/** Hash of the points that were taken; of their transpose, if `transposes`. Returns the quality, 0 to 100. */
export function hashSampled(
  transposes: bool,
  out: usize, // 32 bytes
): i32 {
  dct64To16(block, amplitudes)
  if (transposes) transposeAmplitudes()
  hashBits(amplitudes, out)
  return quality64(block)
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
