// PDQ's quality: how much the 64 x 64 image changes from sample to sample, so that a hash of nothing is known as such.
// Reference: pdqImageDomainQualityMetric.

const SIDE: usize = 64

/** Sum over the lanes of |trunc((a - b) x 100 / 255)|, the reference's quantised gradient. */
function gradients(a: v128, b: v128): v128 {
  const scaled = f32x4.mul(f32x4.sub(a, b), f32x4.splat(100))
  return i32x4.abs(i32x4.trunc_sat_f32x4_s(f32x4.div(scaled, f32x4.splat(255))))
}

/** Quality of a 64 x 64 block: 0 (blank) to 100. Readable 4 bytes beyond the block. */
export function quality64(
  block: usize, // 64 x 64 of f32, row-major
): i32 {
  let sums = i32x4.splat(0)
  const rowBytes = SIDE * 4
  for (let row: usize = 0; row < SIDE; row++) {
    const at = block + row * rowBytes
    for (let col: usize = 0; col < rowBytes; col += 16) {
      const here = v128.load(at + col)
      if (row + 1 < SIDE) sums = i32x4.add(sums, gradients(here, v128.load(at + col + rowBytes)))
      let right = gradients(here, v128.load(at + col + 4))
      if (col + 16 == rowBytes) right = i32x4.replace_lane(right, 3, 0) // the last column has no right neighbour
      sums = i32x4.add(sums, right)
    }
  }
  const total =
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  return min(total / 90, 100)
}
