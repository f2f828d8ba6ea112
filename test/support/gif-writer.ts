// A GIF encoder for what other encoders do not write. Its LZW is plain: a clear code before the codes would grow.

import { ascii } from './jpeg-writer.ts'

export interface GifFrame {
  x?: number
  y?: number
  width: number
  height: number
  /** Colour number at a position of the frame. */
  pixel: (x: number, y: number) => number
  /** RGB colours of this frame alone. */
  palette?: number[][]
  /** Colour number that is transparent. */
  transparent?: number
  /** What to do before the next frame: 1 keep, 2 clear, 3 put back. */
  disposal?: number
  isInterlaced?: boolean
}

export interface GifOptions {
  width: number
  height: number
  /** RGB colours; up to 128. */
  palette?: number[][]
  frames: GifFrame[]
  /** Bytes before each frame: extensions, or what should not be there. */
  before?: number[]
}

/** Bits of a code's pixel: colour numbers up to 127. */
const PIXEL_BITS = 7
const CLEAR = 2 ** PIXEL_BITS
const END = CLEAR + 1
/** Pixels after which the next code would need another bit. */
const MAX_RUN = CLEAR - 2

/** Pass of an interlaced row, by its number modulo 8. */
const PASSES = [0, 3, 2, 3, 1, 3, 2, 3]

export function writeGif({ width, height, palette, frames, before = [] }: GifOptions) {
  return Uint8Array.from([
    ...ascii('GIF89a'),
    ...u16(width),
    ...u16(height),
    palette ? 0xf6 : 0x70,
    0,
    0,
    ...(palette ? colourTable(palette) : []),
    ...frames.flatMap((frame) => [...before, ...frameBytes(frame)]),
    0x3b,
  ])
}

function frameBytes(frame: GifFrame): number[] {
  const { x = 0, y = 0, width, height, palette, transparent, disposal = 0 } = frame
  const flags = (disposal << 2) | (transparent === undefined ? 0 : 1)
  return [
    ...[0x21, 0xf9, 4, flags, 10, 0, transparent ?? 0, 0],
    ...[0x2c, ...u16(x), ...u16(y), ...u16(width), ...u16(height)],
    (palette ? 0x86 : 0) | (frame.isInterlaced ? 0x40 : 0),
    ...(palette ? colourTable(palette) : []),
    PIXEL_BITS,
    ...subBlocks(lzw(frame)),
  ]
}

function lzw({ width, height, pixel, isInterlaced }: GifFrame): number[] {
  const rows = Array.from({ length: height }, (_, row) => row)
  const pass = (row: number) => (isInterlaced ? (PASSES[row % 8] ?? 0) : 0)
  const order = rows.toSorted((a, b) => pass(a) - pass(b) || a - b)
  const bytes: number[] = []
  let bits = 0
  let count = 0
  const put = (code: number) => {
    bits |= code << count
    for (count += PIXEL_BITS + 1; count >= 8; count -= 8) {
      bytes.push(bits & 255)
      bits >>= 8
    }
  }
  let run = 0
  put(CLEAR)
  for (const y of order) {
    for (let x = 0; x < width; x++) {
      if (run++ === MAX_RUN) {
        put(CLEAR)
        run = 1
      }
      put(pixel(x, y))
    }
  }
  put(END)
  if (count) bytes.push(bits & 255)
  return bytes
}

function subBlocks(bytes: number[]): number[] {
  const blocks: number[] = []
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255)
    blocks.push(block.length, ...block)
  }
  return [...blocks, 0]
}

function colourTable(palette: number[][]): number[] {
  return Array.from({ length: 128 }, (_, i) => palette[i] ?? [0, 0, 0]).flat()
}

function u16(value: number): number[] {
  return [value & 255, value >> 8]
}
