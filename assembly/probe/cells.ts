// What the cells of a plane look like: a flat overlay fills many of them, and outlined text has
// black and white in one.

/** Cells a side. */
export const CELLS: u32 = 128

/**
 * Least and greatest luma of each cell, as whole numbers. In a plane with fewer pixels than cells,
 * a pixel is in several cells.
 */
export function measureCells(
  plane: usize, // rows x cols of f32, row-major, 12 readable bytes after it
  rows: u32,
  cols: u32,
  least: usize, // 128 x 128 bytes, row-major
  greatest: usize, // the same size
  columns: usize, // scratch: 2 x cols of f32, each with 12 writable bytes after it
): void {
  const lows = columns
  const highs = columns + ((<usize>cols + 3) << 2)
  for (let i: u32 = 0; i < CELLS; i++) {
    const top = (i * rows) / CELLS
    const bottom = max(top + 1, ((i + 1) * rows) / CELLS)
    measureColumns(plane, cols, top, bottom, lows, highs)
    const at = <usize>(i * CELLS)
    for (let j: u32 = 0; j < CELLS; j++) {
      const left = (j * cols) / CELLS
      const right = max(left + 1, ((j + 1) * cols) / CELLS)
      let low: f32 = 255
      let high: f32 = 0
      for (let x = left; x < right; x++) {
        low = min(low, f32.load(lows + ((<usize>x) << 2)))
        high = max(high, f32.load(highs + ((<usize>x) << 2)))
      }
      store<u8>(least + at + j, <u8>max(low, 0))
      store<u8>(greatest + at + j, <u8>min(high, 255))
    }
  }
}

/** Least and greatest luma of each column of pixels, from one row to before another; four at a time. */
function measureColumns(
  plane: usize,
  cols: u32,
  top: u32,
  bottom: u32,
  lows: usize,
  highs: usize,
): void {
  const stride = (<usize>cols) << 2
  for (let at: usize = 0; at < stride; at += 16) {
    let pixels = plane + stride * top + at
    let low = v128.load(pixels)
    let high = low
    for (let y = top + 1; y < bottom; y++) {
      pixels += stride
      low = f32x4.min(low, v128.load(pixels))
      high = f32x4.max(high, v128.load(pixels))
    }
    v128.store(lows + at, low)
    v128.store(highs + at, high)
  }
}
