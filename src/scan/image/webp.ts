import { ascii } from '../../util/ascii.ts'
import { concatenate, viewOf } from '../../util/bytes.ts'
import { readExif } from './exif.ts'
import { readProfile } from './icc.ts'
import { type LibraryPicture, type LibraryPlan, type Placed, thinnedOut } from './library-plan.ts'

/** Maximum pixels of all decoded frames of an animation. */
const MAX_ANIMATION_PIXELS = 6_000_000
/** Maximum frames decoded: each takes an instance of the library. */
const MAX_FRAMES = 24

/** Bytes of an ANMF chunk's own fields, before its frame's chunks. */
const FRAME_HEADER_BYTES = 16
/** Flags of VP8X that announce an animation, and alpha. */
const ANIMATED = 0x02
const WITH_ALPHA = 0x10

/**
 * What viewers show of a WebP file (RFC 9649): its image, and the frames of its animation, if VP8X
 * announces one. Data beyond RIFF's stated size is not part of it. `undefined` if it contains no
 * image.
 */
export function planWebp(file: Uint8Array): LibraryPlan | undefined {
  const chunks = [...riffChunks(riffContent(file))]
  const [first] = chunks
  const isAnimated = first?.type === 'VP8X' && ((first.data[0] ?? 0) & ANIMATED) !== 0
  const frames = isAnimated ? chunks.filter(({ type }) => type === 'ANMF').map(readFrame) : []
  const shown = frames.filter((frame) => frame !== undefined)
  const sizes = [...chunks, ...shown.flatMap(({ chunks: inner }) => inner)]
    .map(claimedSize)
    .filter((size) => size !== undefined)
  const image = chunks.find(isImage)
  if ((!image && shown.length === 0) || sizes.length === 0) return undefined
  const width = Math.max(...sizes.map((size) => size.width))
  const height = Math.max(...sizes.map((size) => size.height))
  const canvas = (first && claimedSize(first)) ?? { width, height }
  const exif = chunks.find((chunk) => chunk.type === 'EXIF')?.data
  const { pictures, isPartial } = planFrames(shown, canvas)
  // The library would read past the end of a chunk.
  if (image) pictures.unshift(pictureOf(image, chunks))
  const isUnannounced = first?.type === 'VP8X' && ((first.data[0] ?? 0) & WITH_ALPHA) === 0
  if (isUnannounced && [chunks, ...shown.map((frame) => frame.chunks)].some(hasAlpha)) {
    pictures.push(...premultiplied(pictures, canvas))
  }
  const profile = chunks.find(({ type }) => type === 'ICCP')?.data
  const space = profile && readProfile(profile)
  const orientation = webpOrientation(exif)
  return { width, height, orientation, pictures, isPartial, ...(space && { space }) }
}

interface Chunk {
  type: string
  data: Uint8Array
  /** The chunk with its header and padding. */
  whole: Uint8Array
}

/** Bytes of a WebP file that are needed to find its end. */
export function webpLength(head: Uint8Array): number {
  return head.length < 8 ? 8 : 8 + viewOf(head).getUint32(4, true)
}

/** Whether a frame has alpha, within its image or beside it. */
function hasAlpha(frame: Chunk[]): boolean {
  return frame.some(
    ({ type, data }) => type === 'ALPH' || (type === 'VP8L' && ((data[4] ?? 0) & 0x10) !== 0),
  )
}

/**
 * The pictures again, with colours that count as multiplied with alpha: Chromium decodes other
 * colours only if VP8X announces alpha. They have a canvas of their own.
 */
function premultiplied(
  pictures: LibraryPicture[],
  canvas: { width: number; height: number },
): LibraryPicture[] {
  const own = { ...canvas }
  return pictures.map(({ file, placed }) => ({
    file,
    isPremultiplied: true,
    ...(placed && { placed: { ...placed, canvas: own } }),
  }))
}

function webpOrientation(exif: Uint8Array | undefined): number {
  if (!exif) return 1
  const block = ascii(exif.subarray(0, 6)) === 'Exif\0\0' ? exif.subarray(6) : exif
  return readExif(block).orientation
}

function isImage({ type }: Chunk): boolean {
  return type === 'VP8 ' || type === 'VP8L'
}

/** RIFF's content after its own header, as far as it is there. */
function riffContent(file: Uint8Array): Uint8Array {
  return file.subarray(12, Math.min(file.length, webpLength(file)))
}

/** Maximum chunks examined. */
const MAX_CHUNKS = 1024

function* riffChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes)
  for (let at = 0, count = 0; count < MAX_CHUNKS && at + 8 <= bytes.length; count++) {
    const size = view.getUint32(at + 4, true)
    const end = at + 8 + size + (size % 2)
    const type = ascii(bytes.subarray(at, at + 4))
    yield { type, data: bytes.subarray(at + 8, at + 8 + size), whole: bytes.subarray(at, end) }
    at = end
  }
}

interface AnimationFrame {
  chunks: Chunk[]
  image: Chunk
  placed: Omit<Placed, 'canvas'>
}

/** A frame of an animation (RFC 9649, 2.7.1.2). `undefined` if it has no image. */
function readFrame({ data }: Chunk): AnimationFrame | undefined {
  const chunks = [...riffChunks(data.subarray(FRAME_HEADER_BYTES))]
  const image = chunks.find(isImage)
  if (!image) return undefined
  const u24 = (at: number) => u24At(data, at)
  const area = { x: u24(0) * 2, y: u24(3) * 2, width: u24(6) + 1, height: u24(9) + 1 }
  const flags = data[15] ?? 0
  const placed = { area, blends: (flags & 2) === 0, isCleared: (flags & 1) !== 0 }
  return { chunks, image, placed }
}

/** Frames to decode: all, or every n-th, as far as the work limit allows. */
function planFrames(
  frames: AnimationFrame[],
  canvas: { width: number; height: number },
): { pictures: LibraryPicture[]; isPartial: boolean } {
  const chosen = thinnedOut(frames, (some) => {
    const pixels = some.reduce((sum, { placed: { area } }) => sum + area.width * area.height, 0)
    return some.length <= MAX_FRAMES && pixels <= MAX_ANIMATION_PIXELS
  })
  const pictures = chosen.map(({ image, chunks, placed }) => ({
    ...pictureOf(image, chunks),
    placed: { ...placed, canvas },
  }))
  return { pictures, isPartial: chosen.length < frames.length || frames.length >= MAX_CHUNKS - 8 }
}

function claimedSize({ type, data }: Chunk): { width: number; height: number } | undefined {
  const [u16, u24] = [(at: number) => u24At(data, at) & 0xffff, (at: number) => u24At(data, at)]
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

function u24At(data: Uint8Array, at: number): number {
  return (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16)
}

function pictureOf(image: Chunk, frame: Chunk[]): LibraryPicture {
  const isLossy = image.type === 'VP8 '
  return { file: () => stillFile(image, frame), ...(isLossy && { vp8: image.data }) }
}

/** A file of one frame, with its alpha if that is separate from the image. */
function stillFile(image: Chunk, frame: Chunk[]): Uint8Array {
  const alpha = frame.find((chunk) => chunk.type === 'ALPH')
  const size = claimedSize(image) ?? { width: 1, height: 1 }
  const parts = alpha ? [extendedHeader(size), alpha.whole, image.whole] : [image.whole]
  const file = concatenate([new Uint8Array(12), ...parts])
  file.set(new TextEncoder().encode('RIFF'))
  new DataView(file.buffer).setUint32(4, file.length - 8, true)
  file.set(new TextEncoder().encode('WEBP'), 8)
  return file
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
