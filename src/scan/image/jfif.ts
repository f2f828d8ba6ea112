const PALETTE_BYTES = 768

/**
 * The thumbnail that a JPEG's APP0 segment has as pixels (JFIF 1.02): three bytes each, or an index
 * into a palette. `undefined` if it is incomplete.
 */
export function readJfifThumbnail(segment: Uint8Array): RgbPixels | undefined {
  const isExtension = segment[3] === 0x58 // JFXX
  const start = isExtension ? 6 : 12
  const [width = 0, height = 0] = segment.subarray(start)
  const content = segment.subarray(start + 2)
  const isIndexed = isExtension && segment[5] === 0x11
  const data = isIndexed
    ? byPalette(content, width * height)
    : content.subarray(0, width * height * 3)
  return data.length > 0 && data.length === width * height * 3 ? { width, height, data } : undefined
}

/** A picture in rows of red, green and blue. */
export interface RgbPixels {
  width: number
  height: number
  data: Uint8Array
}

function byPalette(content: Uint8Array, count: number): Uint8Array {
  const indices = content.subarray(PALETTE_BYTES, PALETTE_BYTES + count)
  const data = new Uint8Array(indices.length * 3)
  indices.forEach((index, i) => data.set(content.subarray(index * 3, index * 3 + 3), i * 3))
  return data
}
