import { HASH_BYTES, type Hash256 } from '../../util/hash.ts'
import { POINTS } from '../../core/plane.ts'

/** Frequencies of a hash in each direction. */
const FREQUENCIES = 16
const BITS = HASH_BYTES * 8
/**
 * A picture's vertical frequencies change from a column of points to the next, the higher the more:
 * the correlation of neighbours is exp(-frequency / REACH). Measured on the corpus.
 */
const REACH = 20

/**
 * The half of a hash's bits that most probably are those of the whole picture, as a mask. A bit is
 * surer the farther its amplitude is from the median, compared with what the guessed lines may add.
 * @param amplitudes 16 x 16, row by row
 */
export function sureBits(amplitudes: Float32Array, { columns, rows }: Guessed): Hash256 {
  const median = amplitudes.toSorted()[BITS / 2 - 1] ?? 0
  const byRow = new Float64Array(FREQUENCIES)
  const byColumn = new Float64Array(FREQUENCIES)
  for (let i = 0; i < BITS; i++) {
    const square = (amplitudes[i] ?? 0) ** 2
    byRow[frequencyDown(i)] = (byRow[frequencyDown(i)] ?? 0) + square
    byColumn[frequencyAcross(i)] = (byColumn[frequencyAcross(i)] ?? 0) + square
  }
  const across = variancesOf(columns)
  const down = variancesOf(rows)
  const sureness = new Float64Array(BITS)
  for (let i = 0; i < BITS; i++) {
    const transposed = frequencyAcross(i) * FREQUENCIES + frequencyDown(i)
    const variance =
      (across[i] ?? 0) * (byRow[frequencyDown(i)] ?? 0) +
      (down[transposed] ?? 0) * (byColumn[frequencyAcross(i)] ?? 0)
    sureness[i] = ((amplitudes[i] ?? 0) - median) ** 2 / (variance + Number.EPSILON)
  }
  return maskOf(sureness)
}

/** How many of a picture's 64 columns, and of its rows, are guessed on each side. */
export interface Guessed {
  columns: number
  rows: number
}

function frequencyDown(i: number): number {
  return i >> 4
}

function frequencyAcross(i: number): number {
  return i & (FREQUENCIES - 1)
}

/** The half of the bits with the greatest values. */
function maskOf(values: Float64Array): Hash256 {
  const least = values.toSorted()[BITS / 2] ?? 0
  const mask = new Uint8Array(HASH_BYTES)
  let left = BITS / 2
  // Of those that are just as great as the least, the first.
  for (const isAlike of [false, true]) {
    for (let bit = 0; bit < BITS && left > 0; bit++) {
      const value = values[bit] ?? 0
      if (isAlike ? value !== least : value <= least) continue
      const byte = HASH_BYTES - 1 - (bit >> 3)
      mask[byte] = (mask[byte] ?? 0) | (1 << (bit & 7))
      left--
    }
  }
  return mask
}

const known = new Map<number, Float64Array>()

/**
 * What guessed columns may add to each amplitude, in proportion: its variance in a
 * first-order autoregressive process, given the nearest column that is known. Rows are alike.
 */
function variancesOf(count: number): Float64Array {
  const variances = known.get(count) ?? newVariances(count)
  known.set(count, variances)
  return variances
}

function newVariances(count: number): Float64Array {
  const variances = new Float64Array(BITS)
  for (let row = 0; row < FREQUENCIES; row++) {
    const covariances = covariancesOf(row, count)
    for (let column = 0; column < FREQUENCIES; column++) {
      variances[row * FREQUENCIES + column] = varianceOf(column, count, covariances)
    }
  }
  return variances
}

/**
 * Covariances of the guessed columns in a row of frequencies, count x count. Columns are numbered
 * from the picture's side, so the nearest known one is number `count`.
 */
function covariancesOf(row: number, count: number): Float64Array {
  const powers = Float64Array.from({ length: 2 * count + 1 }, (_, lag) =>
    Math.exp((-lag * (row + 1)) / REACH),
  )
  return Float64Array.from({ length: count * count }, (_, i) => {
    const [a, b] = [Math.floor(i / count), i % count]
    return (powers[Math.abs(a - b)] ?? 0) - (powers[count - a + (count - b)] ?? 0)
  })
}

function varianceOf(column: number, count: number, covariances: Float64Array): number {
  const cosines = Float64Array.from({ length: count }, (_, at) =>
    Math.cos(((column + 1) * (2 * at + 1) * Math.PI) / (2 * POINTS)),
  )
  const variance = covariances.reduce((sum, covariance, i) => {
    const [a, b] = [Math.floor(i / count), i % count]
    return sum + (cosines[a] ?? 0) * (cosines[b] ?? 0) * covariance
  }, 0)
  return Math.max(variance, 0)
}
