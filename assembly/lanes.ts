// Turns four rows into columns of four lanes, so that work along rows processes four of them at
// once.

/** Turns 4 rows into columns of 4 lanes: lane r of `dst[c]` is row r, column c. */
export function gatherLanes(
  row0: usize,
  row1: usize,
  row2: usize,
  row3: usize,
  cols: u32, // read in fours: up to 12 bytes past each row are read and not used
  dst: usize, // cols x v128, rounded up to a multiple of 4
): void {
  const end = <usize>cols * 4
  for (let at: usize = 0; at < end; at += 16) {
    const a = v128.load(row0 + at)
    const b = v128.load(row1 + at)
    const c = v128.load(row2 + at)
    const d = v128.load(row3 + at)
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5) // a0 b0 a1 b1
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7) // a2 b2 a3 b3
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
    const to = dst + at * 4
    v128.store(to, v128.shuffle<f64>(abLow, cdLow, 0, 2))
    v128.store(to, v128.shuffle<f64>(abLow, cdLow, 1, 3), 16)
    v128.store(to, v128.shuffle<f64>(abHigh, cdHigh, 0, 2), 32)
    v128.store(to, v128.shuffle<f64>(abHigh, cdHigh, 1, 3), 48)
  }
}

/** Turns columns of 4 lanes back into 4 rows, `stride` bytes apart: the inverse of `gatherLanes`. */
export function scatterLanes(src: usize, cols: u32, dst: usize, stride: usize): void {
  const end = <usize>cols * 4
  for (let at: usize = 0; at < end; at += 16) {
    const from = src + at * 4
    const a = v128.load(from)
    const b = v128.load(from, 16)
    const c = v128.load(from, 32)
    const d = v128.load(from, 48)
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
    const to = dst + at
    v128.store(to, v128.shuffle<f64>(abLow, cdLow, 0, 2))
    v128.store(to + stride, v128.shuffle<f64>(abLow, cdLow, 1, 3))
    v128.store(to + stride * 2, v128.shuffle<f64>(abHigh, cdHigh, 0, 2))
    v128.store(to + stride * 3, v128.shuffle<f64>(abHigh, cdHigh, 1, 3))
  }
}
