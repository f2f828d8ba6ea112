import sharp from 'sharp'

/** Copies are detected on small grey pictures of this side, in pixels. */
const SIDE = 24
/** Correlation above which two of them are copies. */
const MOST_ALIKE = 0.9

/**
 * Detects copies by their pixels, not by PDQ: packages contain the same picture in several sizes
 * and colours.
 */
export class Copies {
  readonly #seen: Float32Array[] = []

  /** Whether a picture is no copy of those before it; from now on, its copies are not new. */
  async isNew(path: string): Promise<boolean> {
    const pixels = await sharp(path)
      .flatten({ background: 'white' })
      .resize(SIDE, SIDE, { fit: 'fill' })
      .greyscale()
      .raw()
      .toBuffer()
    const unit = normalised(pixels)
    const isCopy = this.#seen.some((other) => Math.abs(product(unit, other)) > MOST_ALIKE)
    if (!isCopy) this.#seen.push(unit)
    return !isCopy
  }
}

/** Without its mean, and of length 1. */
function normalised(pixels: Uint8Array): Float32Array {
  const mean = pixels.reduce((total, pixel) => total + pixel, 0) / pixels.length
  const values = Float32Array.from(pixels, (pixel) => pixel - mean)
  const length = Math.hypot(...values) || 1
  return values.map((value) => value / length)
}

/** The correlation of two normalised pictures. */
function product(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
