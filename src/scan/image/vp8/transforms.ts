/**
 * Largest sum of a block's coefficients, without signs, that surely keeps every step of the
 * transform within 16 bits: both passes multiply by at most 1.307, and round by a few units.
 */
export const SAFE_SUM = 19_000

/** What is added before the results of each transform lose their lowest 3 bits. */
const ROUNDING = 4
const HADAMARD_ROUNDING = 3

/** Rows after the first pass and after the second. */
const halfDone = new Int32Array(16)
const done = new Int32Array(16)

/**
 * Whether a step of a block's inverse transform (RFC 6386, 14.4) leaves 16 bits. Such a step wraps
 * in libwebp's vector code, and does not in its C code.
 * @param block 16 coefficients in rows
 */
export function wrapsInTransform(block: Int16Array): boolean {
  transformPass(block, 0, halfDone)
  if (!fit16(halfDone)) return true
  transformPass(halfDone, ROUNDING, done)
  return !fit16(done)
}

/** Transforms columns into rows. */
function transformPass(block: Int16Array | Int32Array, rounding: number, rows: Int32Array): void {
  for (let i = 0; i < 4; i++) {
    const first = (block[i] ?? 0) + rounding
    const second = block[i + 4] ?? 0
    const third = block[i + 8] ?? 0
    const fourth = block[i + 12] ?? 0
    const odd = timesSine(second) - timesCosine(fourth)
    const even = timesCosine(second) + timesSine(fourth)
    rows[4 * i] = first + third + even
    rows[4 * i + 1] = first - third + odd
    rows[4 * i + 2] = first - third - odd
    rows[4 * i + 3] = first + third - even
  }
}

/** Times the square root of 2 and the cosine, or sine, of an eighth of pi. */
const timesCosine = (value: number) => value + ((value * 20_091) >> 16)
const timesSine = (value: number) => (value * 35_468) >> 16

function fit16(values: Int32Array): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    if (value !== (value << 16) >> 16) return false
  }
  return true
}

/** The inverse Walsh-Hadamard transform (14.3): the first coefficients of 16 blocks, stored in 16 bits. */
export function firstCoefficients(block: Int16Array): Int16Array {
  hadamardPass(block, 0, halfDone)
  hadamardPass(halfDone, HADAMARD_ROUNDING, done)
  return Int16Array.from(done, (value) => value >> 3)
}

/** Transforms columns into rows. */
function hadamardPass(block: Int16Array | Int32Array, rounding: number, rows: Int32Array): void {
  for (let i = 0; i < 4; i++) {
    const first = (block[i] ?? 0) + rounding
    const second = block[i + 4] ?? 0
    const third = block[i + 8] ?? 0
    const fourth = block[i + 12] ?? 0
    rows[4 * i] = first + fourth + second + third
    rows[4 * i + 1] = first - fourth + second - third
    rows[4 * i + 2] = first + fourth - second - third
    rows[4 * i + 3] = first - fourth - second + third
  }
}
