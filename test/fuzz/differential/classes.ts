import { crc32, inflateSync } from 'node:zlib'
import { distance } from '../../../src/util/hash.ts'
import { randomFrom } from '../../support/random.ts'
import { isOpaque, readingOf, type Shown } from './reading.ts'
import type { ComparedFormat } from './formats.ts'

/** A file, and what a program shows of it. */
interface Read {
  file: Buffer
  program: string
  shown: Shown
}

interface Class {
  name: string
  format: ComparedFormat
  holds(read: Read): boolean
}

/** Why a file may be read differently: the classes of docs/decoding.md. */
const CLASSES: readonly Class[] = [
  {
    name: 'four inks by a profile',
    format: 'jpeg',
    holds: ({ file, program }) => program === 'libvips' && componentsOf(file) === 4,
  },
  { name: 'cut off', format: 'webp', holds: ({ file }) => isShortOfChunk(file) },
  {
    name: 'four inks by a profile',
    format: 'tiff',
    holds: ({ file, program }) => program === 'libvips' && tiffTags(file).get(262)?.[0] === 5,
  },
  {
    name: 'first colour around a frame',
    format: 'gif',
    holds: ({ file, program }) => program === 'Pillow' && isFrameWithin(file),
  },
  { name: 'wrong checksum', format: 'png', holds: ({ file }) => hasWrongChecksum(file) },
]

/** The class that explains a difference; `undefined`: none. */
export function classOf(
  format: ComparedFormat,
  program: string,
  file: Uint8Array,
  shown: Shown,
): string | undefined {
  const read = { file: Buffer.from(file), program, shown }
  const found = CLASSES.find((one) => one.format === format && one.holds(read))?.name
  return found ?? (isUnsteady(shown) ? 'rounding' : undefined)
}

/** Bits that a picture's own rounding may move. */
const ROUNDING_BITS = 10

/** Whether the hash of a picture hangs on rounding: one step up or down of some of its pixels makes it another. */
function isUnsteady(shown: Shown): boolean {
  const random = randomFrom(1)
  const pixels = shown.pixels.map((value, i) => {
    const step = i % 4 === 3 ? 0 : Math.floor(random() * 3) - 1
    return Math.max(0, Math.min(255, value + step))
  })
  const backgrounds = isOpaque(shown) ? (['white'] as const) : (['white', 'black'] as const)
  return backgrounds.some((background) => {
    const [own, moved] = [shown, { ...shown, pixels }].map((one) => readingOf(one, background))
    return own && moved && distance(own.hash, moved.hash) > ROUNDING_BITS
  })
}

/** Components of a JPEG's frame; 0 without a frame. */
function componentsOf(file: Buffer): number {
  return jpegSegments(file).find(({ code }) => [0xc0, 0xc1, 0xc2].includes(code))?.data[5] ?? 0
}

/** Segments of a JPEG up to its first end of image. Data of scans and bytes that are no marker are passed over. */
function jpegSegments(file: Buffer): { code: number; data: Buffer }[] {
  const segments: { code: number; data: Buffer }[] = []
  for (let at = 2; at + 3 < file.length;) {
    const code = file[at] === 0xff ? (file[at + 1] ?? 0) : 0
    if (code === 0xd9) break
    if (code <= 0x01 || code === 0xff || (code >= 0xd0 && code <= 0xd8)) {
      at += code === 0 || code === 0xff ? 1 : 2
      continue
    }
    const end = at + 2 + file.readUInt16BE(at + 2)
    segments.push({ code, data: file.subarray(at + 4, end) })
    at = end
  }
  return segments
}

/** Whether a chunk of a WebP goes on behind the end of the file: browsers show its first rows. */
function isShortOfChunk(file: Buffer): boolean {
  const end = Math.min(file.length, 8 + file.readUInt32LE(4))
  let at = 12
  while (at + 8 <= end) at += 8 + file.readUInt32LE(at + 4) + (file.readUInt32LE(at + 4) % 2)
  return at > end
}

/** Whether the first frame of a GIF leaves a part of the canvas, which Pillow fills with another colour than the background. */
function isFrameWithin(file: Buffer): boolean {
  const [flags = 0, background] = file.subarray(10, 12)
  let filled = 0
  let at = 13 + (flags & 0x80 ? 6 << (flags & 7) : 0)
  while (at + 10 <= file.length && file[at] !== 0x2c) {
    const isExtension = file[at] === 0x21
    if (isExtension && file[at + 1] === 0xf9 && (file[at + 3] ?? 0) & 1) filled = file[at + 6] ?? 0
    at += isExtension ? 2 : 1 // stray bytes are passed over
    if (!isExtension) continue
    while (at < file.length && file[at] !== 0) at += 1 + (file[at] ?? 0)
    at++
  }
  if (at + 10 > file.length) return false
  const isWhole =
    file.readUInt32LE(at + 1) === 0 && file.readUInt32LE(at + 5) === file.readUInt32LE(6)
  return filled !== background && !isWhole
}

/** Numbers by tag of the first directory of a TIFF; none of values that lie behind its end. */
function tiffTags(file: Buffer): Map<number, number[]> {
  const isLittle = file[0] === 0x49
  const u16 = (at: number) => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at))
  const u32 = (at: number) => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at))
  // Of BigTIFF, whose places have 64 bits, the lower half counts.
  const isBig = u16(2) === 43
  const place = (at: number) => u32(isBig && !isLittle ? at + 4 : at)
  const [entryBytes, inlineBytes] = isBig ? [20, 8] : [12, 4]
  const start = place(isBig ? 8 : 4)
  const first = start + (isBig ? 8 : 2)
  const entries = new Map<number, number[]>()
  if (first > file.length) return entries
  const entryCount = isBig ? place(start) : u16(start)
  for (let i = 0; i < Math.min(entryCount, 512); i++) {
    const at = first + i * entryBytes
    if (at + entryBytes > file.length) break
    const size = { 3: 2, 4: 4 }[u16(at + 2)]
    if (size === undefined) continue
    const count = Math.min(place(at + 4), 1000)
    const value = at + 4 + inlineBytes
    const from = count * size <= inlineBytes ? value : place(value)
    const numberAt = (where: number) => (size === 2 ? u16(where) : u32(where))
    if (from + count * size > file.length) continue
    entries.set(
      u16(at),
      Array.from({ length: count }, (_, k) => numberAt(from + k * size)),
    )
  }
  return entries
}

/** Whether a checksum of a PNG's data is wrong: libpng then leaves out rows, at least the last one. */
function hasWrongChecksum(file: Buffer): boolean {
  const parts: Buffer[] = []
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at)
    if (at + 12 + length > file.length) break
    const chunk = file.subarray(at + 4, at + 8 + length)
    if (crc32(chunk) !== file.readUInt32BE(at + 8 + length)) return true
    if (chunk.toString('latin1', 0, 4) === 'IDAT') parts.push(chunk.subarray(4))
    at += 12 + length
  }
  try {
    inflateSync(Buffer.concat(parts))
    return false
  } catch (error) {
    return error instanceof Error && error.message === 'incorrect data check'
  }
}
