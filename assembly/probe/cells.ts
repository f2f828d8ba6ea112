// What cells of a plane look like: something flat that was laid over a picture fills many of them, text has black and white in one.

/** Cells a side. */
const CELLS: u32 = 128

/**
 * Least and greatest luma of each cell, as whole numbers. Of a plane with fewer pixels than cells, a pixel is in several cells.
 */
export function measureCells(
  plane: usize, // rows x cols of f32, row-major
  rows: u32,
  cols: u32,
  least: usize, // 128 x 128 bytes, row-major
  greatest: usize, // the same size
): void {
  for (let i: u32 = 0; i < CELLS; i++) {
    const top = (i * rows) / CELLS
    const bottom = max(top + 1, ((i + 1) * rows) / CELLS)
    for (let j: u32 = 0; j < CELLS; j++) {
      const left = (j * cols) / CELLS
      const right = max(left + 1, ((j + 1) * cols) / CELLS)
      let low: f32 = 255
      let high: f32 = 0
      for (let y = top; y < bottom; y++) {
        const row = plane + ((<usize>(y * cols)) << 2)
        for (let x = left; x < right; x++) {
          const luma = f32.load(row + ((<usize>x) << 2))
          low = min(low, luma)
          high = max(high, luma)
        }
      }
      const at = <usize>(i * CELLS + j)
      store<u8>(least + at, <u8>max(low, 0))
      store<u8>(greatest + at, <u8>min(high, 255))
    }
  }
}
