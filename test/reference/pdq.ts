// The plain twin of the core's PDQ: facebook/ThreatExchange pdq/cpp followed line by line, one value at a time.
// JavaScript computes in f64; Math.fround after each operation gives the reference's f32.

const f32 = Math.fround

export interface Plane {
  rows: number
  cols: number
  /** rows x cols, row-major */
  luma: Float32Array
}

/** Float32Array element that is known to exist. */
function at(values: ArrayLike<number>, index: number): number {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no element ${index} of ${values.length}`)
  return value
}

/** fillFloatLumaFromRGB: `channels` bytes a pixel, of which the first three are red, green and blue. */
export function lumaFromRgb(pixels: Uint8Array, channels: number): Float32Array {
  const luma = new Float32Array(pixels.length / channels)
  const [red, green, blue] = [f32(0.299), f32(0.587), f32(0.114)]
  for (let i = 0; i < luma.length; i++) {
    const r = f32(red * at(pixels, i * channels))
    const g = f32(green * at(pixels, i * channels + 1))
    const b = f32(blue * at(pixels, i * channels + 2))
    luma[i] = f32(f32(r + g) + b)
  }
  return luma
}

/** computeJaroszFilterWindowSize(side, 64) */
export function jaroszWindow(side: number): number {
  return Math.trunc((side + 127) / 128)
}

/** box1DFloat */
function box1D(
  input: Float32Array,
  output: Float32Array,
  offset: number,
  length: number,
  stride: number,
  window: number,
): void {
  const half = Math.trunc((window + 2) / 2)
  let left = offset
  let right = offset
  let out = offset
  let sum = 0
  let samples = 0
  for (let i = 0; i < half - 1; i++) {
    sum = f32(sum + at(input, right))
    samples++
    right += stride
  }
  for (let i = 0; i < window - half + 1; i++) {
    sum = f32(sum + at(input, right))
    samples++
    output[out] = f32(sum / samples)
    right += stride
    out += stride
  }
  for (let i = 0; i < length - window; i++) {
    sum = f32(sum + at(input, right))
    sum = f32(sum - at(input, left))
    output[out] = f32(sum / samples)
    left += stride
    right += stride
    out += stride
  }
  for (let i = 0; i < half - 1; i++) {
    sum = f32(sum - at(input, left))
    samples--
    output[out] = f32(sum / samples)
    left += stride
    out += stride
  }
}

/** jaroszFilterFloat with two passes; the argument is not changed. */
export function jaroszFilter(
  { rows, cols, luma }: Plane,
  rowWindow: number,
  columnWindow: number,
): Plane {
  const first = luma.slice()
  const second = new Float32Array(luma.length)
  for (let pass = 0; pass < 2; pass++) {
    for (let row = 0; row < rows; row++) box1D(first, second, row * cols, cols, 1, rowWindow)
    for (let col = 0; col < cols; col++) box1D(second, first, col, rows, cols, columnWindow)
  }
  return { rows, cols, luma: first }
}

/** decimateFloat */
export function decimate(
  { rows, cols, luma }: Plane,
  outRows: number,
  outCols: number,
): Float32Array {
  const out = new Float32Array(outRows * outCols)
  for (let i = 0; i < outRows; i++) {
    const row = Math.trunc(((i + 0.5) * rows) / outRows)
    for (let j = 0; j < outCols; j++) {
      const col = Math.trunc(((j + 0.5) * cols) / outCols)
      out[i * outCols + j] = at(luma, row * cols + col)
    }
  }
  return out
}

/** The 64 x 64 block that PDQ hashes: filtered and decimated, or the plane itself if it has that size. */
export function downscale(plane: Plane): Float32Array {
  if (plane.rows === 64 && plane.cols === 64) return plane.luma.slice()
  return decimate(jaroszFilter(plane, jaroszWindow(plane.cols), jaroszWindow(plane.rows)), 64, 64)
}

/** pdqImageDomainQualityMetric */
export function quality(block: Float32Array): number {
  const gradient = (u: number, v: number) => Math.abs(Math.trunc(f32(f32(f32(u - v) * 100) / 255)))
  let sum = 0
  for (let i = 0; i < 63; i++) {
    for (let j = 0; j < 64; j++) sum += gradient(at(block, i * 64 + j), at(block, (i + 1) * 64 + j))
  }
  for (let i = 0; i < 64; i++) {
    for (let j = 0; j < 63; j++) sum += gradient(at(block, i * 64 + j), at(block, i * 64 + j + 1))
  }
  return Math.min(Math.trunc(sum / 90), 100)
}

/** dct_matrix_64: 16 x 64, by its formula */
export function dctMatrix(): Float32Array {
  const scale = f32(Math.sqrt(2 / 64))
  const matrix = new Float32Array(16 * 64)
  for (let i = 0; i < 16; i++) {
    for (let j = 0; j < 64; j++) {
      matrix[i * 64 + j] = f32(scale * Math.cos((Math.PI / 2 / 64) * (i + 1) * (2 * j + 1)))
    }
  }
  return matrix
}

const DCT = dctMatrix()

/** dct64To16: 64 x 64 to 16 x 16 */
export function dct(block: Float32Array): Float32Array {
  const partial = new Float32Array(16 * 64)
  for (let i = 0; i < 16; i++) {
    for (let j = 0; j < 64; j++) {
      let sum = 0
      for (let k = 0; k < 64; k++) sum = f32(sum + f32(at(DCT, i * 64 + k) * at(block, k * 64 + j)))
      partial[i * 64 + j] = sum
    }
  }
  const out = new Float32Array(16 * 16)
  for (let i = 0; i < 16; i++) {
    for (let j = 0; j < 16; j++) {
      let sum = 0
      for (let k = 0; k < 64; k++) {
        sum = f32(sum + f32(at(partial, i * 64 + k) * at(DCT, j * 64 + k)))
      }
      out[i * 16 + j] = sum
    }
  }
  return out
}

/** torben on 256 values: the lower median */
export function median(values: Float32Array): number {
  return at(values.toSorted(), 127)
}

/** pdqBuffer16x16ToBits, in the text form of Hash256::format */
export function hashBits(amplitudes: Float32Array): string {
  const middle = median(amplitudes)
  const bytes = new Uint8Array(32)
  amplitudes.forEach((value, k) => {
    if (value > middle) bytes[31 - (k >> 3)] = at(bytes, 31 - (k >> 3)) | (1 << (k & 7))
  })
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** pdqHash256FromFloatLuma */
export function pdq(plane: Plane): { hash: string; quality: number } {
  if (plane.rows < 5 || plane.cols < 5) return { hash: '0'.repeat(64), quality: 0 }
  const block = downscale(plane)
  return { hash: hashBits(dct(block)), quality: quality(block) }
}

/** dct16OriginalToRotate90 and its siblings, in the order of pdqDihedralHash256esFromFloatLuma */
const VARIANTS: Record<string, (i: number, j: number) => { swaps: boolean; negates: boolean }> = {
  original: () => ({ swaps: false, negates: false }),
  rotate90: (_, j) => ({ swaps: true, negates: j % 2 === 0 }),
  rotate180: (i, j) => ({ swaps: false, negates: (i + j) % 2 === 1 }),
  rotate270: (i) => ({ swaps: true, negates: i % 2 === 0 }),
  flipX: (i) => ({ swaps: false, negates: i % 2 === 0 }),
  flipY: (_, j) => ({ swaps: false, negates: j % 2 === 0 }),
  flipPlus1: () => ({ swaps: true, negates: false }),
  flipMinus1: (i, j) => ({ swaps: true, negates: (i + j) % 2 === 1 }),
}

/** pdqDihedralHash256esFromFloatLuma: eight hashes by name */
export function pdqDihedral(plane: Plane): Record<string, string> {
  const original = dct(downscale(plane))
  return Object.fromEntries(
    Object.entries(VARIANTS).map(([name, variant]) => {
      const amplitudes = new Float32Array(256)
      for (let i = 0; i < 16; i++) {
        for (let j = 0; j < 16; j++) {
          const { swaps, negates } = variant(i, j)
          const value = at(original, i * 16 + j)
          amplitudes[swaps ? j * 16 + i : i * 16 + j] = negates ? -value : value
        }
      }
      return [name, hashBits(amplitudes)]
    }),
  )
}
