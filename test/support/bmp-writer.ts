// A BMP encoder for what other encoders do not write: any header, depth, masks and direction.

export interface BmpOptions {
  width: number
  height: number
  bits: 1 | 2 | 4 | 8 | 16 | 24 | 32
  /** Value of a pixel: colour number, or its bits. */
  pixel: (x: number, y: number) => number
  /** 12, 16 or 64 (OS/2), 40, 52, 56, 108 or 124. */
  headerBytes?: number
  /** RGB colours. */
  palette?: number[][]
  /** How many colours the header says there are; as many as there are, if it is not given. */
  usedColours?: number
  /** Red, green, blue and perhaps alpha. */
  masks?: number[]
  isTopDown?: boolean
  /** 1, 2 and 4: `data` is RLE8, RLE4 or, behind an OS/2 header, RLE24. */
  compression?: number
  /** Instead of the rows of pixels. */
  data?: number[]
  /** Bytes between colours and pixels. */
  gap?: number
}

export function writeBmp(options: BmpOptions): Uint8Array<ArrayBuffer> {
  const { width, height, bits, headerBytes = 40, palette = [], masks = [], gap = 0 } = options
  const compression = options.compression ?? (masks.length === 0 ? 0 : masks.length === 3 ? 3 : 6)
  const pixels = options.data ?? rows(options)
  const isCore = headerBytes === 12
  const lines = options.isTopDown ? -height : height
  const header = new DataView(new ArrayBuffer(headerBytes))
  header.setUint32(0, headerBytes, true)
  if (isCore) {
    header.setUint16(4, width, true)
    header.setUint16(6, height, true)
    header.setUint16(8, 1, true)
    header.setUint16(10, bits, true)
  } else {
    header.setInt32(4, width, true)
    header.setInt32(8, lines, true)
    header.setUint16(12, 1, true)
    header.setUint16(14, bits, true)
  }
  if (headerBytes >= 40) {
    header.setUint32(16, compression === 6 && headerBytes > 40 ? 3 : compression, true)
    header.setUint32(20, pixels.length, true)
    header.setUint32(32, options.usedColours ?? palette.length, true)
  }
  const maskBytes = masks.flatMap((mask) => u32(mask))
  const head = Array.from(new Uint8Array(header.buffer))
  if (headerBytes > 40) head.splice(40, maskBytes.length, ...maskBytes)
  const after = headerBytes === 40 ? maskBytes : []
  const colours = palette.flatMap(([r = 0, g = 0, b = 0]) => (isCore ? [b, g, r] : [b, g, r, 0]))
  const pixelsAt = 14 + headerBytes + after.length + colours.length + gap
  return Uint8Array.from([
    ...[0x42, 0x4d, ...u32(pixelsAt + pixels.length), 0, 0, 0, 0, ...u32(pixelsAt)],
    ...[...head, ...after, ...colours, ...Array.from({ length: gap }, () => 0xee), ...pixels],
  ])
}

function rows({ width, height, bits, pixel, isTopDown }: BmpOptions): number[] {
  const rowBytes = Math.ceil((width * bits) / 32) * 4
  return Array.from({ length: height }, (_, i) => {
    const y = isTopDown ? i : height - 1 - i
    const row = Array.from({ length: rowBytes }, () => 0)
    for (let x = 0; x < width; x++) {
      const value = pixel(x, y)
      const bit = x * bits
      if (bits < 8) row[bit >> 3] = (row[bit >> 3] ?? 0) | (value << (8 - bits - (bit & 7)))
      else for (let k = 0; k < bits / 8; k++) row[bit / 8 + k] = Math.floor(value / 256 ** k) % 256
    }
    return row
  }).flat()
}

function u32(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]
}
