// What the rows and columns of a part of a plane look like: the borders, bars and edges that people
// put around a picture run along them.

/**
 * Maximum of a step between neighbours that counts: a frame's edge shows by its length more than by
 * its contrast.
 */
const MAX_STEP: f32 = 32

const counts = memory.data(1024) // 256 of u32

/** Median of the pixels of a line, as a whole number of luma. */
export function medianOfLine(
  first: usize, // address of its first pixel, a f32
  stride: usize, // bytes from a pixel to the next: of a row 4, of a column a row's
  count: u32,
): u32 {
  memory.fill(counts, 0, 1024)
  for (let k: u32 = 0; k < count; k++) {
    const luma = <u32>min(max(f32.load(first + <usize>k * stride), 0), 255)
    const at = counts + ((<usize>luma) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  let luma: u32 = 0
  for (
    let sum = load<u32>(counts);
    sum * 2 < count;
    sum += load<u32>(counts + ((<usize>luma) << 2))
  )
    luma++
  return luma
}

/** Number of pixels of a line whose luma is within `tolerance` of a value. */
export function countNear(
  first: usize, // see medianOfLine
  stride: usize,
  count: u32,
  luma: f32,
  tolerance: f32,
): u32 {
  let near: u32 = 0
  for (let k: u32 = 0; k < count; k++) {
    near += u32(abs(f32.load(first + <usize>k * stride) - luma) <= tolerance)
  }
  return near
}

/**
 * Sums up, for each row and each column but the first two, how much its pixels differ from those
 * two before it: an edge is seldom sharper than that. Columns use every second row, and rows every
 * second group of four columns.
 */
export function sumSteps(
  plane: usize, // rows x cols of f32, row-major
  rows: u32, // at least 5
  cols: u32,
  byRow: usize, // rows of f32
  byColumn: usize, // cols of f32, with 12 writable bytes after it
): void {
  const stride = (<usize>cols) << 2
  memory.fill(byRow, 0, (<usize>rows) << 2)
  memory.fill(byColumn, 0, stride)
  for (let y: u32 = 0; y < rows; y += 2) addColumnSteps(plane + stride * y, cols, byColumn)
  for (let y: u32 = 2; y < rows; y++) {
    f32.store(byRow + ((<usize>y) << 2), rowStep(plane + stride * y, stride))
  }
}

function addColumnSteps(row: usize, cols: u32, byColumn: usize): void {
  const most = f32x4.splat(MAX_STEP)
  for (let x: u32 = 2; x + 4 <= cols; x += 4) {
    const at = (<usize>x) << 2
    const step = f32x4.abs(f32x4.sub(v128.load(row + at), v128.load(row + at - 8)))
    const to = byColumn + at
    v128.store(to, f32x4.add(v128.load(to), f32x4.min(step, most)))
  }
}

function rowStep(row: usize, stride: usize): f32 {
  const most = f32x4.splat(MAX_STEP)
  let sums = f32x4.splat(0)
  for (let at: usize = 0; at + 16 <= stride; at += 32) {
    const step = f32x4.abs(f32x4.sub(v128.load(row + at), v128.load(row + at - stride * 2)))
    sums = f32x4.add(sums, f32x4.min(step, most))
  }
  return (
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    f32x4.extract_lane(sums, 2) +
    f32x4.extract_lane(sums, 3)
  )
}
