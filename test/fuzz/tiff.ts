import { deflateSync } from 'node:zlib'
import { type TiffPage, writeTiff } from '../support/tiff-writer.ts'
import { below, pick, type Random } from './choose.ts'

/** What a generated TIFF shows. */
export interface TiffPicture {
  width: number
  height: number
  /** Grey of a pixel, 0 to 255. */
  value: (x: number, y: number) => number
}

const NONE = 1
const LZW = 5
const DEFLATE = 8
const PACKBITS = 32_773

/** Samples of a pixel, by what they mean: white is zero, grey, RGB, palette, inks. */
const SAMPLES: Record<number, number> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4 }

/** A TIFF file of random structure, mostly legal: any byte order, depth, compression, strips or tiles. */
export function generateTiff(picture: TiffPicture, random: Random): Uint8Array {
  const page = () => generatePage(picture, isLittle, random)
  const isLittle = random() < 0.5
  const pages = random() < 0.15 ? [page(), page()] : [page()]
  return writeTiff(pages, isLittle, random() < 0.15)
}

function generatePage(picture: TiffPicture, isLittle: boolean, random: Random): TiffPage {
  const { width, height } = picture
  const meaning = pick([0, 1, 1, 2, 2, 2, 3, 5], random)
  const colours = SAMPLES[meaning] ?? 1
  const extra = meaning !== 3 && random() < 0.2 ? 1 : 0
  const samples = colours + extra
  const bits = samples > 1 ? pick([8, 8, 16], random) : pick([1, 2, 4, 8, 8, 16], random)
  const isIndexed = meaning === 3
  const depth = isIndexed ? Math.min(bits, 8) : bits
  const isPlanar = samples > 1 && random() < 0.2
  const compression = pick([NONE, NONE, LZW, DEFLATE, 32_946, PACKBITS], random)
  const canDiffer = depth >= 8 && compression !== NONE && compression !== PACKBITS
  const isDifferenced = canDiffer && random() < 0.4
  const isTiled = random() < 0.3
  const [segmentWidth, segmentHeight] = isTiled
    ? [pick([16, 32, 48], random), pick([16, 32, 64], random)]
    : [width, pick([1, 7, 16, height, height, height + 5], random)]
  const form = { samples: isPlanar ? 1 : samples, depth, isLittle, isDifferenced }
  const shades = 2 ** depth - 1
  const sample = (x: number, y: number, channel: number) => {
    const value = Math.floor((picture.value(x, y) / 255) * shades)
    if (channel >= colours) return Math.floor(shades * (1 - x / (2 * width)))
    if (meaning === 5) return channel === 3 ? 0 : shades - value
    return meaning === 0 ? shades - value : value
  }
  const segments: Uint8Array[] = []
  for (const first of isPlanar ? Array.from({ length: samples }, (_, i) => i) : [0]) {
    for (let top = 0; top < height; top += segmentHeight) {
      for (let left = 0; left < width; left += segmentWidth) {
        const rows = isTiled ? segmentHeight : Math.min(segmentHeight, height - top)
        const rowOf = (y: number) =>
          Array.from({ length: segmentWidth * form.samples }, (_, i) => {
            const x = Math.min(width - 1, left + Math.floor(i / form.samples))
            return sample(x, Math.min(height - 1, top + y), first + (i % form.samples))
          })
        const bytes = Array.from({ length: rows }, (_, y) => packRow(rowOf(y), form))
        segments.push(compress(Buffer.concat(bytes), compression))
      }
    }
  }
  const ramp = Array.from({ length: 2 ** depth }, (_, i) => Math.floor((i * 65_535) / shades))
  return {
    tags: {
      256: [width],
      257: [height],
      258: Array.from({ length: samples }, () => depth),
      259: [compression],
      262: [meaning],
      277: [samples],
      ...(isTiled ? { 322: [segmentWidth], 323: [segmentHeight] } : { 278: [segmentHeight] }),
      ...(isPlanar && { 284: [2] }),
      ...(isDifferenced && { 317: [2] }),
      ...(isIndexed && { 320: [...ramp, ...ramp, ...ramp] }),
      ...(extra && { 338: [below(3, random)] }),
      ...(random() < 0.15 && { 274: [1 + below(8, random)] }),
    },
    segments,
    isTiled,
  }
}

interface RowForm {
  samples: number
  depth: number
  isLittle: boolean
  isDifferenced: boolean
}

function packRow(values: number[], { samples, depth, isLittle, isDifferenced }: RowForm) {
  const stored = values.map((value, i) => {
    const before = isDifferenced && i >= samples ? (values[i - samples] ?? 0) : 0
    return (value - before) & (2 ** depth - 1)
  })
  if (depth === 16) {
    const [high, low] = isLittle ? [1, 0] : [0, 1]
    const bytes = Buffer.alloc(stored.length * 2)
    for (const [i, value] of stored.entries()) {
      bytes[2 * i + high] = value >> 8
      bytes[2 * i + low] = value & 255
    }
    return bytes
  }
  const bytes = Buffer.alloc(Math.ceil((stored.length * depth) / 8))
  for (const [i, value] of stored.entries()) {
    const bit = i * depth
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (value << (8 - depth - (bit & 7)))
  }
  return bytes
}

function compress(bytes: Buffer, compression: number): Uint8Array {
  if (compression === NONE) return bytes
  if (compression === LZW) return lzw(bytes)
  if (compression === PACKBITS) return literalRuns(bytes)
  return deflateSync(bytes)
}

/** PackBits that repeats nothing. */
function literalRuns(bytes: Buffer): Uint8Array {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 128) {
    const part = bytes.subarray(at, at + 128)
    parts.push(Buffer.of(part.length - 1), part)
  }
  return Buffer.concat(parts)
}

const CLEAR = 256
const END = 257
/** Bytes after which codes would need another bit. */
const MAX_RUN = 250

/** LZW that repeats nothing: codes of 9 bits, and a clear code before they would grow. */
function lzw(bytes: Buffer): Uint8Array {
  const out: number[] = []
  let [held, count] = [0, 0]
  const put = (code: number) => {
    held = (held << 9) | code
    for (count += 9; count >= 8; count -= 8) out.push((held >> (count - 8)) & 255)
    held &= 255
  }
  for (const [i, byte] of bytes.entries()) {
    if (i % MAX_RUN === 0) put(CLEAR)
    put(byte)
  }
  put(END)
  if (count > 0) out.push((held << (8 - count)) & 255)
  return Uint8Array.from(out)
}

const TELLING_VALUES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 255, 256, 32_773, 65_535]
const TELLING_TAGS = [254, 256, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 338, 339]

/** Changes an entry of the first directory, or where it is and what follows it. */
export function changeTiff(file: Uint8Array, random: Random): Uint8Array {
  const copy = file.slice()
  const view = new DataView(copy.buffer)
  const isLittle = view.getUint16(0) === 0x4949
  if (copy.length < 16 || view.getUint16(2, isLittle) !== 42) return copy
  const start = view.getUint32(4, isLittle)
  if (start + 2 > copy.length) return copy
  const count = Math.min(
    view.getUint16(start, isLittle),
    Math.floor((copy.length - start - 2) / 12),
  )
  if (count < 1) return copy
  const entryAt = (i: number) => start + 2 + i * 12
  const at = entryAt(below(count, random))
  switch (below(8, random)) {
    case 0:
      view.setUint16(at, pick(TELLING_TAGS, random), isLittle)
      return copy
    case 1:
      view.setUint16(at + 2, 1 + below(18, random), isLittle)
      return copy
    case 2:
      view.setUint32(at + 4, pick(TELLING_VALUES, random), isLittle)
      return copy
    case 3:
    case 4:
      view.setUint16(at + 8, pick(TELLING_VALUES, random), isLittle)
      return copy
    case 5: {
      const other = entryAt(below(count, random))
      const [a, b] = [copy.slice(at, at + 12), copy.slice(other, other + 12)]
      copy.set(b, at)
      copy.set(a, other)
      return copy
    }
    case 6:
      if (random() < 0.5) return copy.slice(0, Math.floor(copy.length * (0.5 + random() / 2)))
      view.setUint16(start, Math.max(1, count - 1 - below(3, random)), isLittle)
      return copy
    default:
      for (let i = below(copy.length, random), left = 8; left > 0; left--, i++) {
        if (i < copy.length && (i < start || i >= entryAt(count))) copy[i] = below(256, random)
      }
      return copy
  }
}
