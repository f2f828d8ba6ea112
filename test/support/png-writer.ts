import { crc32, deflateSync } from 'node:zlib'
import { ascii } from './jpeg-writer.ts'

/** Pixel format of a PNG (specification, table 11.1). */
export interface PngFormat {
  colourType: 0 | 2 | 3 | 4 | 6
  depth: 1 | 2 | 4 | 8 | 16
}

export interface PngOptions extends PngFormat {
  width: number
  height: number
  /** Samples of a pixel, each of `depth` bits. */
  pixel: (x: number, y: number) => number[]
  isInterlaced?: boolean
  /** Filter of each row; 0 if none is given. */
  filter?: (row: number) => number
  /** Chunks before the image data: PLTE, tRNS, eXIf, … */
  chunks?: [type: string, data: number[]][]
  level?: number
}

const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

const SIGNATURE = [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a]

export function writePng(options: PngOptions): Uint8Array<ArrayBuffer> {
  return joinPng([header(options), ...(options.chunks ?? []), ['IDAT', imageData(options)]])
}

/** A PNG file of chunks, with signature and end. */
export function joinPng(
  chunks: [type: string, data: ArrayLike<number>][],
): Uint8Array<ArrayBuffer> {
  const parts = [...chunks, ['IEND', []] as const].map(([type, data]) => chunk(type, data))
  return new Uint8Array(Buffer.concat([Uint8Array.from(SIGNATURE), ...parts]))
}

export function header({
  width,
  height,
  depth,
  colourType,
  isInterlaced,
}: Omit<PngOptions, 'pixel'>): [string, number[]] {
  return ['IHDR', [...u32(width), ...u32(height), depth, colourType, 0, 0, isInterlaced ? 1 : 0]]
}

/** The filtered and compressed rows. */
export function imageData(options: PngOptions): Uint8Array {
  const passes = options.isInterlaced ? PASSES : [[0, 0, 1, 1] as const]
  const rows = passes.flatMap((pass) => filteredRows(options, pass))
  return deflateSync(Buffer.concat(rows), { level: options.level ?? 6 })
}

function filteredRows(
  options: PngOptions,
  [x0, y0, dx, dy]: readonly [number, number, number, number],
): Uint8Array[] {
  const { width, height, depth, pixel, filter = () => 0 } = options
  const cols = Math.ceil((width - x0) / dx)
  if (cols <= 0) return []
  const rows: Uint8Array[] = []
  let above: Uint8Array | undefined
  for (let y = y0, row = 0; y < height; y += dy, row++) {
    const samples = Array.from({ length: cols }, (_, col) => pixel(x0 + col * dx, y)).flat()
    const bytes = packSamples(samples, depth)
    const pixelBytes = Math.max(1, ((samples.length / cols) * depth) >> 3)
    rows.push(applyFilter(filter(row), bytes, above ?? new Uint8Array(bytes.length), pixelBytes))
    above = bytes
  }
  return rows
}

function packSamples(samples: number[], depth: number): Uint8Array {
  if (depth === 16) return Uint8Array.from(samples.flatMap((sample) => [sample >> 8, sample & 255]))
  const bytes = new Uint8Array(Math.ceil((samples.length * depth) / 8))
  samples.forEach((sample, i) => {
    const bit = i * depth
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (sample << (8 - depth - (bit & 7)))
  })
  return bytes
}

function applyFilter(
  kind: number,
  row: Uint8Array,
  above: Uint8Array,
  pixelBytes: number,
): Uint8Array {
  const out = new Uint8Array(row.length + 1)
  out[0] = kind
  for (let i = 0; i < row.length; i++) {
    const left = row[i - pixelBytes] ?? 0
    const up = above[i] ?? 0
    const corner = i < pixelBytes ? 0 : (above[i - pixelBytes] ?? 0)
    const predictions = [0, left, up, (left + up) >> 1, paeth(left, up, corner)]
    out[i + 1] = (row[i] ?? 0) - (predictions[kind] ?? 0)
  }
  return out
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner
  const [byLeft, byUp, byCorner] = [
    Math.abs(estimate - left),
    Math.abs(estimate - up),
    Math.abs(estimate - corner),
  ]
  if (byLeft <= byUp && byLeft <= byCorner) return left
  return byUp <= byCorner ? up : corner
}

export function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

function chunk(type: string, data: ArrayLike<number>): Uint8Array {
  const body = Uint8Array.from([...ascii(type), ...Array.from(data)])
  return Uint8Array.from([...u32(data.length), ...body, ...u32(crc32(body))])
}
