// From DCT coefficients to samples, at full or reduced scale along each axis.
//
// A block of 8 x 8 pixels becomes nx x ny samples, each 1, 2, 4 or 8 a side. A sample is the mean of the pixels it
// covers, and is made of the coefficients u < nx, v < ny alone: those above carry what the mean removes. So the basis
// along an axis of n samples is the DCT's cosine, averaged over 8 / n pixels:
//
//   B[u][i] = c(u) / 2 x mean of cos((2x + 1) u pi / 16) over x = i 8/n .. (i + 1) 8/n - 1,   c(0) = sqrt(1/2), else 1
//
// Samples are separable sums: T[v] = sum over u of coefficient(u, v) x Bx[u] for each row v that has any, then sample
// row j = sum over those v of By[v][j] x T[v]. Most rows and columns of a block are zero, and are passed over.
// A row is 8 lanes of f32, two vectors, of which the second is idle when nx is 4 or less.

const ROW: usize = 32 // bytes of 8 lanes

const basisX = memory.data(256) // nx rows of Bx[u], 8 lanes, zero beyond nx
const basisY = memory.data(256) // ny rows of By[v], 8 lanes
const rows = memory.data(256) // T: 8 rows of 8 lanes

/**
 * The current block: dequantised coefficients, row v and column u at v x 8 + u; after it, a place
 * for those that are not kept.
 */
export const block = memory.data(260)
/** That place. `linesOf` ignores it. */
export const BEHIND_BLOCK: u8 = 64

/** cos(m pi / 16), m = 0 to 8. */
const cosines: usize = memory.data<f64>([
  1, 0.9807852804032304, 0.9238795325112867, 0.8314696123025452, 0.7071067811865476,
  0.5555702330196023, 0.3826834323650898, 0.19509032201612828, 0,
])

/** `lines` of a block with a mean and nothing else. */
export const FLAT: u32 = 0x101

const SQRT_HALF: f64 = 0.7071067811865476

/** Samples a block has along x and y: 1, 2, 4 or 8. */
export let nx: u32 = 8
export let ny: u32 = 8

function cosine(m: u32): f64 {
  const turn = m & 31
  const half = turn > 16 ? 32 - turn : turn
  return half > 8
    ? -f64.load(cosines + ((<usize>(16 - half)) << 3))
    : f64.load(cosines + ((<usize>half) << 3))
}

function fillBasis(basis: usize, n: u32): void {
  const pixels = 8 / n
  memory.fill(basis, 0, 256)
  for (let u: u32 = 0; u < n; u++) {
    for (let i: u32 = 0; i < n; i++) {
      let sum: f64 = 0
      for (let x = i * pixels; x < (i + 1) * pixels; x++) sum += cosine((2 * x + 1) * u)
      const value = ((u == 0 ? SQRT_HALF : 1) / 2) * (sum / <f64>pixels)
      f32.store(basis + <usize>u * ROW + ((<usize>i) << 2), <f32>value)
    }
  }
}

/** Sets the samples a block has along each axis. */
export function beginSynthesis(samplesX: u32, samplesY: u32): void {
  nx = samplesX
  ny = samplesY
  fillBasis(basisX, nx)
  fillBasis(basisY, ny)
}

/**
 * Rows and columns of a block that a coefficient at place v << 3 | u belongs to: bit v, and bit 8 +
 * u.
 */
export function linesOf(place: u32): u32 {
  return (1 << (place >> 3)) | (0x100 << (place & 7))
}

/** Clears the block, and sets its mean: the dequantised coefficient 0. */
export function beginBlock(dc: f32): void {
  const zero = f32x4.splat(0)
  if (nx <= 4) {
    for (let row = block, end = block + <usize>ny * ROW; row < end; row += ROW)
      v128.store(row, zero)
  } else {
    for (let row = block, end = block + <usize>ny * ROW; row < end; row += ROW) {
      v128.store(row, zero)
      v128.store(row, zero, 16)
    }
  }
  f32.store(block, dc)
}

/**
 * Converts four lanes to bytes 0 to 255 in the low half of the result: rounded, shifted up by 128,
 * clamped.
 */
function toBytes(low: v128, high: v128): v128 {
  const half = f32x4.splat(128.5)
  const a = i32x4.trunc_sat_f32x4_s(f32x4.add(low, half))
  const b = i32x4.trunc_sat_f32x4_s(f32x4.add(high, half))
  const words = i16x8.narrow_i32x4_s(a, b)
  return i8x16.narrow_i16x8_u(words, words)
}

/**
 * Writes the block's samples. Each of the ny rows may write 8 bytes whatever nx is: blocks are
 * written from left to right, so the next one overwrites the excess, and there is room for it after
 * the last one.
 */
export function writeBlock(
  lines: u32, // `linesOf` all coefficients that are not 0
  dst: usize, // ny rows, `stride` bytes apart
  stride: usize,
): void {
  if (lines == FLAT) {
    const mean = f32x4.mul(
      v128.load_splat<f32>(block),
      f32x4.splat(f32.load(basisX) * f32.load(basisY)),
    )
    const flat = toBytes(mean, mean)
    for (let j: u32 = 0; j < ny; j++, dst += stride) v128.store64_lane(dst, flat, 0)
  } else if (nx == 4 && ny == 4) {
    writeFour(dst, stride)
  } else if (nx == 1 && ny == 2) {
    writePair(dst, stride)
  } else if (nx <= 4) {
    writeNarrow(dst, stride)
  } else {
    writeWide(lines, dst, stride)
  }
}

/**
 * `writeBlock` for at most 4 samples a row. It does not skip zero coefficients: the processor would
 * mispredict that branch for most blocks, which costs more.
 */
function writeNarrow(dst: usize, stride: usize): void {
  const zero = f32x4.splat(0)
  const used = <usize>ny * ROW
  for (let at: usize = 0; at < used; at += ROW) v128.store(rows + at, lineOf(block + at))
  for (let j: usize = 0; j < <usize>ny; j++, dst += stride) {
    let sum = zero
    for (let at: usize = 0; at < used; at += ROW) {
      const factor = v128.load_splat<f32>(basisY + at + (j << 2))
      sum = f32x4.add(sum, f32x4.mul(factor, v128.load(rows + at)))
    }
    v128.store64_lane(dst, toBytes(sum, zero), 0)
  }
}

/** T of a row of at most 4 coefficients. */
function lineOf(coefficients: usize): v128 {
  let sum = f32x4.mul(v128.load_splat<f32>(coefficients), v128.load(basisX))
  for (let u: usize = 1; u < <usize>nx; u++) {
    const factor = v128.load_splat<f32>(coefficients + (u << 2))
    sum = f32x4.add(sum, f32x4.mul(factor, v128.load(basisX + u * ROW)))
  }
  return sum
}

/** `writeNarrow` for 1 x 2 samples, the case of photographs of 8 to 16 megapixels. */
function writePair(dst: usize, stride: usize): void {
  const upper = f32.load(block) * f32.load(basisX)
  const lower = f32.load(block, ROW) * f32.load(basisX)
  const first = f32.load(basisY) * upper + f32.load(basisY, ROW) * lower
  const second = f32.load(basisY, 4) * upper + f32.load(basisY, ROW + 4) * lower
  const samples = toBytes(f32x4.replace_lane(f32x4.splat(first), 1, second), f32x4.splat(0))
  store<u8>(dst, i8x16.extract_lane_u(samples, 0))
  store<u8>(dst + stride, i8x16.extract_lane_u(samples, 1))
}

/** `writeNarrow` for 4 x 4 samples, the case of photographs of 1 to 4 megapixels. */
function writeFour(dst: usize, stride: usize): void {
  const row0 = fourOf(block)
  const row1 = fourOf(block + ROW)
  const row2 = fourOf(block + ROW * 2)
  const row3 = fourOf(block + ROW * 3)
  const half = f32x4.splat(128.5)
  const low = i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.add(mixRows(row0, row1, row2, row3, basisY), half)),
    i32x4.trunc_sat_f32x4_s(f32x4.add(mixRows(row0, row1, row2, row3, basisY + 4), half)),
  )
  const high = i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.add(mixRows(row0, row1, row2, row3, basisY + 8), half)),
    i32x4.trunc_sat_f32x4_s(f32x4.add(mixRows(row0, row1, row2, row3, basisY + 12), half)),
  )
  const samples = i8x16.narrow_i16x8_u(low, high)
  v128.store32_lane(dst, samples, 0)
  v128.store32_lane(dst + stride, samples, 1)
  v128.store32_lane(dst + stride * 2, samples, 2)
  v128.store32_lane(dst + stride * 3, samples, 3)
}

/** T of a row of 4 coefficients. */
function fourOf(coefficients: usize): v128 {
  let sum = f32x4.mul(v128.load_splat<f32>(coefficients), v128.load(basisX))
  sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(coefficients, 4), v128.load(basisX, ROW)))
  sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(coefficients, 8), v128.load(basisX, ROW * 2)))
  return f32x4.add(
    sum,
    f32x4.mul(v128.load_splat<f32>(coefficients, 12), v128.load(basisX, ROW * 3)),
  )
}

/** A row of samples, of 4 rows of T. `basis` is By[0][j]. */
function mixRows(row0: v128, row1: v128, row2: v128, row3: v128, basis: usize): v128 {
  let sum = f32x4.mul(v128.load_splat<f32>(basis), row0)
  sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(basis, ROW), row1))
  sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(basis, ROW * 2), row2))
  return f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(basis, ROW * 3), row3))
}

/** `writeBlock` for 8 samples a row. */
function writeWide(lines: u32, dst: usize, stride: usize): void {
  const columns = lines >> 8
  for (let used = lines & 0xff; used; used &= used - 1) {
    const at = <usize>ctz(used) * ROW
    let low = f32x4.splat(0)
    let high = low
    for (let left = columns; left; left &= left - 1) {
      const u = <usize>ctz(left)
      const factor = v128.load_splat<f32>(block + at + (u << 2))
      low = f32x4.add(low, f32x4.mul(factor, v128.load(basisX + u * ROW)))
      high = f32x4.add(high, f32x4.mul(factor, v128.load(basisX + u * ROW, 16)))
    }
    v128.store(rows + at, low)
    v128.store(rows + at, high, 16)
  }
  for (let j: u32 = 0; j < ny; j++, dst += stride) {
    let low = f32x4.splat(0)
    let high = low
    for (let used = lines & 0xff; used; used &= used - 1) {
      const at = <usize>ctz(used) * ROW
      const factor = v128.load_splat<f32>(basisY + at + ((<usize>j) << 2))
      low = f32x4.add(low, f32x4.mul(factor, v128.load(rows + at)))
      high = f32x4.add(high, f32x4.mul(factor, v128.load(rows + at, 16)))
    }
    v128.store64_lane(dst, toBytes(low, high), 0)
  }
}
