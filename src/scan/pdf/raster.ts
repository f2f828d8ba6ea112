import { type Frame, ImageDecoder } from '../../core/image.ts'
import type { ImageCore } from '../../core/image-core.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { writeLab } from '../image/lab.ts'
import { rowsFrom } from '../image/tiff/rows.ts'
import type { RowWork } from '../image/row-work.ts'
import type { Unpacked } from '../image/unpack.ts'
import type { UnscannableReason } from '../scanned.ts'
import { DECODER_MS } from '../work.ts'
import type { Samples } from './montage.ts'
import type { Picture } from './picture.ts'

/** Maximum pixels of alpha, which is kept while the picture is decoded. */
const MAX_ALPHA_PIXELS = 4_000_000

/** Decodes a picture row by row. Calls `onFrame` when it is in the core's planes. */
export function* decodeRaster(
  context: RasterContext,
  picture: Picture,
  chunks: Unpacked,
  alpha: AlphaPlane | undefined,
  onFrame: (frame: Frame, luma: () => Samples) => void,
): Steps<RasterEnd> {
  const { width, height } = picture
  const channels = alpha ? 4 : colourChannels(picture)
  context.budget.spend(DECODER_MS)
  const decoder = ImageDecoder.forPixels(context.core, { width, height, channels })
  context.budget.decoders.add(decoder)
  const pixels = new Uint8Array(width * channels)
  const paint = painterOf(picture, channels)
  let rows = 0
  const addRow = (row: Uint8Array) => {
    paint(row, pixels)
    if (alpha) addAlpha(alpha, picture, rows, pixels)
    rows++
    decoder.push(pixels, rows === height, (frame) => onFrame(frame, () => decoder.luma))
  }
  try {
    const end = yield* rasterRows(context, picture, chunks, addRow)
    const done = rows
    if (end === 'over-limit') return end
    if (done * 2 < height) return 'truncated'
    const blank = new Uint8Array(width * picture.space.samples)
    for (let y = done; y < height; y++) addRow(blank)
    return decoder.failure ?? { isPartial: done < height || picture.hasKey }
  } finally {
    context.budget.decoders.delete(decoder)
    decoder.release()
  }
}

export interface RasterContext {
  core: ImageCore
  budget: ScanBudget
  work: RowWork
}

/** Alpha of each pixel, from a picture of its own size. */
export interface AlphaPlane {
  width: number
  height: number
  data: Uint8Array
}

export type RasterEnd = { isPartial: boolean } | UnscannableReason

/** Decodes a picture whose samples are alpha or its inverse. */
export function* decodeAlpha(
  context: RasterContext,
  picture: Picture,
  chunks: Unpacked,
  isContrary: boolean,
): Steps<AlphaPlane | undefined> {
  const { width, height } = picture
  if (width * height > MAX_ALPHA_PIXELS || colourChannels(picture) !== 1) return undefined
  const data = new Uint8Array(width * height)
  const paint = painterOf(picture, 1)
  let at = 0
  const end = yield* rasterRows(context, picture, chunks, (row) => {
    paint(row, data.subarray(at, at + width))
    at += width
  })
  if (end === 'over-limit') return undefined
  if (isContrary) for (let i = 0; i < at; i++) data[i] = 255 - (data[i] ?? 0)
  return { width, height, data }
}

function* rasterRows(
  { budget, work }: RasterContext,
  { width, height, bits, space }: Picture,
  chunks: Unpacked,
  onRow: (row: Uint8Array) => void,
): Steps<'ended' | 'damaged' | 'over-limit'> {
  const { samples, kind } = space
  if (!work.takeRows(Math.max(1, bits / 8) * width * height * samples)) return 'over-limit'
  const isIndexed = kind === 'indexed'
  const form = { width, samples, bits, isDifferenced: false, isLittle: false, isIndexed }
  const sink = rowsFrom(form, height, (row) => {
    work.spendRow(row.length)
    onRow(row)
  })
  for (;;) {
    const next = chunks.next()
    if (next.done) return next.value
    if (!sink(next.value)) return 'ended'
    if (budget.isExhausted) return 'over-limit'
    if (budget.isTurnOver) yield
  }
}

function colourChannels({ space }: Picture): 1 | 3 {
  return ['rgb', 'inks', 'lab'].includes(space.kind) ? 3 : 1
}

/** Turns a row of samples, 0 to 255 or indices, into opaque pixels. */
function painterOf(
  { space, decode }: Picture,
  channels: 1 | 3 | 4,
): (row: Uint8Array, pixels: Uint8Array) => void {
  const { kind, samples } = space
  if (kind === 'lab') return labPainter(decode, channels)
  const tables = decode.map((range) => lumaTable(space, range))
  const [first = new Uint8Array(256), second = first, third = first, fourth = first] = tables
  if (kind === 'rgb' || kind === 'inks') {
    return (row, pixels) => {
      for (let i = 0, at = 0; at < pixels.length; i += samples, at += channels) {
        const share = kind === 'inks' ? (fourth[row[i + 3] ?? 0] ?? 0) / 255 : 1
        pixels[at] = (first[row[i] ?? 0] ?? 0) * share
        pixels[at + 1] = (second[row[i + 1] ?? 0] ?? 0) * share
        pixels[at + 2] = (third[row[i + 2] ?? 0] ?? 0) * share
        if (channels === 4) pixels[at + 3] = 255
      }
    }
  }
  return (row, pixels) => {
    for (let i = 0, at = 0; at < pixels.length; i += samples, at += channels) {
      const luma = first[row[i] ?? 0] ?? 0
      pixels[at] = luma
      if (channels === 1) continue
      pixels[at + 1] = luma
      pixels[at + 2] = luma
      pixels[at + 3] = 255
    }
  }
}

function labPainter(
  decode: Picture['decode'],
  channels: 1 | 3 | 4,
): (row: Uint8Array, pixels: Uint8Array) => void {
  const values = decode.map(([from, to]) =>
    Float32Array.from({ length: 256 }, (_, value) => from + (value / 255) * (to - from)),
  )
  return (row, pixels) => {
    for (let i = 0, at = 0; at < pixels.length; i += 3, at += channels) {
      const [lightness = 0, a = 0, b = 0] = values.map((table, c) => table[row[i + c] ?? 0])
      writeLab(lightness, a, b, pixels, at)
      if (channels === 4) pixels[at + 3] = 255
    }
  }
}

/** The light of each value of a sample. */
function lumaTable({ kind, lumas }: Picture['space'], [from, to]: [number, number]): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => {
    if (lumas) return lumas[from === 0 ? value : from - value] ?? 0 // writers do no more than reverse indices
    const share = Math.min(1, Math.max(0, from + (value / 255) * (to - from)))
    return Math.round(kind === 'inks' || kind === 'tint' ? 255 - share * 255 : share * 255)
  })
}

function addAlpha(
  { width, height, data }: AlphaPlane,
  picture: { width: number; height: number },
  y: number,
  pixels: Uint8Array,
): void {
  const start = Math.floor((y * height) / picture.height) * width
  for (let x = 0; x < picture.width; x++)
    pixels[4 * x + 3] = data[start + Math.floor((x * width) / picture.width)] ?? 0
}
