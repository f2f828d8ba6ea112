import { concatenate } from '../../util/bytes.ts'
import { ascii } from '../../util/ascii.ts'

/** What a WebP file's container says (RFC 9649). */
export interface WebpInfo {
  /** Largest width and height that any header in the file claims, in pixels: what a decoder may need memory for. */
  width: number
  height: number
  exif?: Uint8Array
  /** A still WebP file: this one, or the first frame of an animation. */
  still: Uint8Array
  isAnimated: boolean
}

interface Chunk {
  type: string
  data: Uint8Array
  /** The chunk with its header and padding. */
  whole: Uint8Array
}

/** Bytes of an ANMF chunk's own fields, before its frame's chunks. */
const FRAME_HEADER_BYTES = 16

/** Bytes of a WebP file, by its first ones. `undefined` if they are too few. */
export function webpLength(head: Uint8Array | undefined): number | undefined {
  if (!head || head.length < 8) return undefined
  return 8 + new DataView(head.buffer, head.byteOffset).getUint32(4, true)
}

/** Reads the chunks of a WebP file. `undefined` if there is no image in it. */
export function readWebp(file: Uint8Array): WebpInfo | undefined {
  const chunks = [...readChunks(file.subarray(12))]
  const animation = chunks.find((chunk) => chunk.type === 'ANMF')
  const frame = animation && [...readChunks(animation.data.subarray(FRAME_HEADER_BYTES))]
  const images = frame ?? chunks
  const sizes = [...chunks, ...(frame ?? [])].map(claimedSize).filter((size) => size !== undefined)
  const image = images.find(({ type }) => type === 'VP8 ' || type === 'VP8L')
  if (!image || sizes.length === 0) return undefined
  const info: WebpInfo = {
    width: Math.max(...sizes.map((size) => size.width)),
    height: Math.max(...sizes.map((size) => size.height)),
    still: frame ? stillFile(image, frame) : file,
    isAnimated: frame !== undefined,
  }
  const exif = chunks.find((chunk) => chunk.type === 'EXIF')?.data
  if (exif) info.exif = ascii(exif.subarray(0, 6)) === 'Exif\0\0' ? exif.subarray(6) : exif
  return info
}

/** Chunks that are looked at. Those of an animation's later frames may be more, and do not matter. */
const MAX_CHUNKS = 1024

function* readChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0, count = 0; count < MAX_CHUNKS && at + 8 <= bytes.length; count++) {
    const size = view.getUint32(at + 4, true)
    const end = at + 8 + size + (size % 2)
    const type = ascii(bytes.subarray(at, at + 4))
    yield { type, data: bytes.subarray(at + 8, at + 8 + size), whole: bytes.subarray(at, end) }
    at = end
  }
}

function claimedSize({ type, data }: Chunk): { width: number; height: number } | undefined {
  const u16 = (at: number) => (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8)
  const u24 = (at: number) => u16(at) | ((data[at + 2] ?? 0) << 16)
  if (type === 'VP8X' && data.length >= 10) return { width: u24(4) + 1, height: u24(7) + 1 }
  if (type === 'ANMF' && data.length >= 16) return { width: u24(6) + 1, height: u24(9) + 1 }
  if (type === 'VP8 ' && data.length >= 10)
    return { width: u16(6) & 0x3fff, height: u16(8) & 0x3fff }
  if (type === 'VP8L' && data.length >= 5) {
    const width = (u16(1) & 0x3fff) + 1
    return { width, height: (((u16(3) << 2) | (u16(1) >> 14)) & 0x3fff) + 1 }
  }
  return undefined
}

/** A file of one frame: with its alpha, if it has that apart from the image. */
function stillFile(image: Chunk, frame: Chunk[]): Uint8Array {
  const alpha = frame.find((chunk) => chunk.type === 'ALPH')
  const size = claimedSize(image) ?? { width: 1, height: 1 }
  const parts = alpha ? [extendedHeader(size), alpha.whole, image.whole] : [image.whole]
  const chunks = concatenate(parts)
  const header = new Uint8Array(12)
  header.set(new TextEncoder().encode('RIFF'))
  new DataView(header.buffer).setUint32(4, 4 + chunks.length, true)
  header.set(new TextEncoder().encode('WEBP'), 8)
  return concatenate([header, chunks])
}

/** A VP8X chunk that announces alpha. */
function extendedHeader({ width, height }: { width: number; height: number }): Uint8Array {
  const chunk = new Uint8Array(18)
  const view = new DataView(chunk.buffer)
  chunk.set(new TextEncoder().encode('VP8X'))
  view.setUint32(4, 10, true)
  view.setUint32(8, 0x10, true)
  view.setUint32(12, width - 1, true)
  view.setUint16(15, (height - 1) & 0xffff, true)
  view.setUint8(17, (height - 1) >> 16)
  return chunk
}
