// PDQ's quality: how much the 64 x 64 image changes from sample to sample, so that the hash of an
// empty picture is recognised. Reference: pdqImageDomainQualityMetric.

const SIDE: usize = 64

let stretched: i32 = 0

/**
 * The last quality as if the block had been stretched to the full range of luma: a hash's bits do
 * not depend on contrast. A picture too faint to have bits of its own has weak ones.
 */
export function stretchedQuality(): i32 {
  return stretched
}

/** Sum over the lanes of |trunc((a - b) x factor / 255)|: with 100, the reference's quantised gradient. */
function gradients(a: v128, b: v128, factor: v128): v128 {
  const scaled = f32x4.mul(f32x4.sub(a, b), factor)
  return i32x4.abs(i32x4.trunc_sat_f32x4_s(f32x4.div(scaled, f32x4.splat(255))))
}

/** Quality of a 64 x 64 block: 0 (blank) to 100. Readable 4 bytes beyond the block. */
export function quality64(
  block: usize, // 64 x 64 of f32, row-major
): i32 {
  const quality = qualityBy(block, 100)
  stretched = quality
  if (quality < 100) {
    const range = rangeOf(block)
    if (range > 0 && range < 255) stretched = qualityBy(block, (100 * 255) / range)
  }
  return quality
}

/** Largest luma of a block less the smallest. */
function rangeOf(block: usize): f32 {
  let low = v128.load(block)
  let high = low
  for (let at: usize = 16; at < SIDE * SIDE * 4; at += 16) {
    const four = v128.load(block + at)
    low = f32x4.min(low, four)
    high = f32x4.max(high, four)
  }
  const lowest = min(
    min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)),
    min(f32x4.extract_lane(low, 2), f32x4.extract_lane(low, 3)),
  )
  const highest = max(
    max(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1)),
    max(f32x4.extract_lane(high, 2), f32x4.extract_lane(high, 3)),
  )
  return highest - lowest
}

function qualityBy(block: usize, scale: f32): i32 {
  const factor = f32x4.splat(scale)
  let sums = i32x4.splat(0)
  const rowBytes = SIDE * 4
  for (let row: usize = 0; row < SIDE; row++) {
    const at = block + row * rowBytes
    for (let col: usize = 0; col < rowBytes; col += 16) {
      const here = v128.load(at + col)
      if (row + 1 < SIDE)
        sums = i32x4.add(sums, gradients(here, v128.load(at + col + rowBytes), factor))
      let right = gradients(here, v128.load(at + col + 4), factor)
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
