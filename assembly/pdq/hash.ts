// From amplitudes to bits, and from a luma plane to a hash. Reference: pdq/cpp/hashing/pdqhashing.cpp.

import { dct64To16 } from './dct'
import { jaroszDecimate, jaroszWindow } from './jarosz'
import { quality64 } from './quality'

/** Smallest side that has a hash, in pixels. Reference: MIN_HASHABLE_DIM. */
const MIN_SIDE: u32 = 5

const AMPLITUDES: usize = 256
const HASH_BYTES: usize = 32

const block = memory.data(16384 + 16) // 64 x 64 of f32
const amplitudes = memory.data(1024) // 16 x 16 of f32
const variant = memory.data(1024) // amplitudes of a dihedral variant

/**
 * The 128th smallest of 256 values: the lower median. Reference: torben, which bisects the range of values by
 * counting, and moves nothing; four lanes count at once, and which values are counted does not depend on order.
 */
export function median256(
  values: usize, // 256 of f32
): f32 {
  let low = f32.load(values)
  let high = low
  for (let at: usize = 4; at < AMPLITUDES * 4; at += 4) {
    low = min(low, f32.load(values + at))
    high = max(high, f32.load(values + at))
  }
  while (true) {
    const guess: f32 = (low + high) / 2
    const pivot = f32x4.splat(guess)
    let below = i32x4.splat(0) // counts, as negative numbers: a true lane is -1
    let above = i32x4.splat(0)
    let maxBelow = f32x4.splat(low)
    let minAbove = f32x4.splat(high)
    for (let at: usize = 0; at < AMPLITUDES * 4; at += 16) {
      const value = v128.load(values + at)
      const isBelow = f32x4.lt(value, pivot)
      const isAbove = f32x4.gt(value, pivot)
      below = i32x4.add(below, isBelow)
      above = i32x4.add(above, isAbove)
      maxBelow = v128.bitselect(f32x4.max(maxBelow, value), maxBelow, isBelow)
      minAbove = v128.bitselect(f32x4.min(minAbove, value), minAbove, isAbove)
    }
    const less = -sumLanes(below)
    const greater = -sumLanes(above)
    const lower = maxLane(maxBelow)
    const upper = -maxLane(f32x4.neg(minAbove))
    const half = <i32>AMPLITUDES / 2
    if (less <= half && greater <= half) return less >= half ? lower : guess
    if (less > greater) high = lower
    else low = upper
  }
}

function sumLanes(lanes: v128): i32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  )
}

function maxLane(lanes: v128): f32 {
  return max(
    max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)),
    max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)),
  )
}

/**
 * An amplitude counts as settled if it differs from the median by this luma, and by this share of
 * the root mean square of all.
 */
const MIN_LUMA: f32 = 2
const MIN_SHARE: f32 = 0.02

let weak: u32 = 0

/**
 * Number of bits of the last hash that are no better than chance: their amplitudes are so near the
 * median that noise flips them. Patterns have many: they consist of a few frequencies, and
 * everything else in them is nearly zero, whatever the pattern.
 */
export function weakBits(): u32 {
  return weak
}

function countWeak(values: usize, median: f32): void {
  const middle = f32x4.splat(median)
  let squares = f32x4.splat(0)
  for (let at: usize = 0; at < AMPLITUDES * 4; at += 16) {
    const difference = f32x4.sub(v128.load(values + at), middle)
    squares = f32x4.add(squares, f32x4.mul(difference, difference))
  }
  const sum =
    f32x4.extract_lane(squares, 0) +
    f32x4.extract_lane(squares, 1) +
    f32x4.extract_lane(squares, 2) +
    f32x4.extract_lane(squares, 3)
  const least = f32x4.splat(max(MIN_LUMA, MIN_SHARE * sqrt<f32>(sum / <f32>AMPLITUDES)))
  let counts = i32x4.splat(0)
  for (let at: usize = 0; at < AMPLITUDES * 4; at += 16) {
    const difference = f32x4.abs(f32x4.sub(v128.load(values + at), middle))
    counts = i32x4.sub(counts, f32x4.lt(difference, least))
  }
  weak = sumLanes(counts)
}

/**
 * Bit k of the hash: is amplitude k above the median? Bytes are written in the order of the text form, so that bit 0
 * is the lowest bit of the last byte. Reference: pdqBuffer16x16ToBits, Hash256::setBit, Hash256::format.
 */
export function hashBits(
  values: usize, // 256 of f32
  out: usize, // 32 bytes
): void {
  const middle = median256(values)
  countWeak(values, middle)
  const median = f32x4.splat(middle)
  for (let byte: usize = 0; byte < HASH_BYTES; byte++) {
    const at = values + byte * 32
    const low = i32x4.bitmask(f32x4.gt(v128.load(at), median))
    const high = i32x4.bitmask(f32x4.gt(v128.load(at, 16), median))
    store<u8>(out + HASH_BYTES - 1 - byte, low | (high << 4))
  }
}

/** Filters and decimates a plane to 64 x 64. A plane of that size is taken as it is, as in the reference. */
export function downscale(
  plane: usize, // rows x cols of f32, row-major
  rows: u32, // MIN_SIDE to MAX_SIDE
  cols: u32,
  out: usize, // 64 x 64 of f32
): void {
  if (rows == 64 && cols == 64) memory.copy(out, plane, 16384)
  else jaroszDecimate(plane, rows, cols, jaroszWindow(cols), jaroszWindow(rows), out, 64, 64)
}

/**
 * PDQ hash of a luma plane. With fewer than 5 pixels in a dimension there is no hash: 32 zero
 * bytes, quality 0. Returns the quality, 0 to 100. Reference: pdqHash256FromFloatLuma.
 */
export function hashPlane(
  plane: usize, // rows x cols of f32, row-major
  rows: u32, // at most MAX_SIDE
  cols: u32,
  out: usize, // 32 bytes
): i32 {
  const quality = amplitudesOf(plane, rows, cols)
  if (quality < 0) {
    weak = 256
    memory.fill(out, 0, HASH_BYTES)
    return 0
  }
  hashBits(amplitudes, out)
  return quality
}

/** Leaves the plane's DCT in `amplitudes`. Returns its quality, or -1 if it is too small to hash. */
function amplitudesOf(plane: usize, rows: u32, cols: u32): i32 {
  if (rows < MIN_SIDE || cols < MIN_SIDE) return -1
  downscale(plane, rows, cols, block)
  dct64To16(block, amplitudes)
  return quality64(block)
}

/** Luma between these, a tenth from the ends, is neither black nor white. */
const DARKEST: f32 = 25.5
const LIGHTEST: f32 = 229.5

/** How many samples of the 64 x 64 that were hashed last are neither black nor white. */
export function midtones(): u32 {
  let counts = i32x4.splat(0)
  for (let at: usize = 0; at < 16384; at += 16) {
    const four = v128.load(block + at)
    const isDark = f32x4.lt(four, f32x4.splat(DARKEST))
    const isLight = f32x4.gt(four, f32x4.splat(LIGHTEST))
    counts = i32x4.sub(counts, v128.not(v128.or(isDark, isLight)))
  }
  return sumLanes(counts)
}

/**
 * Hashes of the eight dihedral variants, derived from one DCT by transposing it and flipping signs:
 * original, rotate90, rotate180, rotate270, flipX, flipY, flipPlus1, flipMinus1.
 * Returns the quality. Reference: pdqDihedralHash256esFromFloatLuma.
 */
export function hashDihedral(
  plane: usize, // rows x cols of f32, row-major
  rows: u32, // at most MAX_SIDE
  cols: u32,
  out: usize, // 8 x 32 bytes
): i32 {
  const quality = amplitudesOf(plane, rows, cols)
  if (quality < 0) {
    weak = 256
    memory.fill(out, 0, HASH_BYTES * 8)
    return 0
  }
  for (let index: u32 = 0; index < 8; index++) {
    dihedralAmplitudes(amplitudes, index, variant)
    hashBits(variant, out + <usize>index * HASH_BYTES)
  }
  return quality
}

// Which variants swap the axes, and which negate odd rows or odd columns of amplitudes (even indices: the DCT's
// frequencies start at 1). One bit a variant, in the order of hashDihedral.
//
//   orig      rot90     rot180    rot270    flipX     flipY     flip+1    flip-1
//   + + + +   - + - +   + - + -   - - - -   - - - -   - + - +   + + + +   + - + -
//   + + + +   - + - +   - + - +   + + + +   + + + +   - + - +   + + + +   - + - +
const SWAPS_AXES: u32 = 0b11001010
const NEGATES_BY_ROW: u32 = 0b10011100
const NEGATES_BY_COLUMN: u32 = 0b10100110

/** Amplitudes of a dihedral variant. Reference: dct16OriginalToRotate90 and its six siblings. */
function dihedralAmplitudes(
  original: usize, // 16 x 16 of f32
  index: u32, // 0 to 7, in the order of hashDihedral
  out: usize, // 16 x 16 of f32
): void {
  const swaps = (SWAPS_AXES >> index) & 1
  const byRow = (NEGATES_BY_ROW >> index) & 1
  const byColumn = (NEGATES_BY_COLUMN >> index) & 1
  // A quarter turn negates the even indices of one axis; a half turn negates where exactly one index is odd.
  const start = byRow & byColumn ? 0 : byRow | byColumn
  for (let i: u32 = 0; i < 16; i++) {
    for (let j: u32 = 0; j < 16; j++) {
      const value = f32.load(original + <usize>((i * 16 + j) << 2))
      const isNegated = (start + i * byRow + j * byColumn) & 1
      const at = swaps ? j * 16 + i : i * 16 + j
      f32.store(out + <usize>(at << 2), isNegated ? -value : value)
    }
  }
}
