import { writeBmp } from '../../support/bmp-writer.ts'
import { writeGif } from '../../support/gif-writer.ts'
import { writeJpeg } from '../../support/jpeg-writer.ts'
import { writePng } from '../../support/png-writer.ts'
import { below, pick, type Random } from '../choose.ts'
import { generateTiff } from '../tiff.ts'
import type { ComparedFormat } from './formats.ts'
import { smallPicture } from './pictures.ts'

type Writer = (random: Random) => Uint8Array

/** Writers of files of random structure, legal or nearly so, that encoders do not make. */
export const WRITERS: Partial<Record<ComparedFormat, Writer>> = {
  jpeg: randomJpeg,
  png: randomPng,
  gif: randomGif,
  bmp: randomBmp,
  tiff: (random) => {
    const { width, height, channel } = smallPicture(random)
    return generateTiff({ width, height, value: (x, y) => channel(x, y, 1) }, random)
  },
}

const SAMPLINGS = [
  [1, 1, 1],
  [2, 1, 1],
  [1, 2, 1],
  [2, 2, 1],
  [4, 1, 1],
] as const

function randomJpeg(random: Random): Uint8Array {
  const { width, height, channel } = smallPicture(random)
  const value = (x: number, y: number) => channel(x, y, 1)
  const samplings = pick(SAMPLINGS, random)
  const count = pick([1, 1, 3, 3, 3, 3, 4], random)
  // Chroma as strong as luma leaves the range of colours.
  const tint = pick([0.2, 0.2, 0.2, 1], random)
  const component = (sampling: number, shift: number) => ({
    h: pick([1, sampling], random),
    v: pick([1, sampling], random),
    sample: (x: number, y: number) => 128 + (value(x + shift, y) - 128) * (shift === 0 ? 1 : tint),
  })
  const components = Array.from({ length: count }, (_, i) => component(samplings[i] ?? 1, i * 3))
  const numbers = components.map((_, i) => i)
  const wild = random() < 0.3
  const magnitude = pick([300, 2000, 9000, 30_000], random)
  return writeJpeg({
    ...{ width, height, components },
    step: pick([1, 4, 16, 99, 255], random),
    scans: pick([[numbers], [numbers], numbers.map((i) => [i])], random),
    restartInterval: pick([0, 0, 3, 17], random),
    ...(random() < 0.3 && { adobeTransform: below(3, random) }),
    ...(wild && { coefficients: wildBlocks(value, magnitude, random) }),
  })
}

/** Blocks whose mean is the picture's by coefficients that wrap or saturate. */
function wildBlocks(value: (x: number, y: number) => number, magnitude: number, random: Random) {
  const kind = below(3, random)
  return (_: number, x: number, y: number): number[] => {
    const mean = (value(x * 8, y * 8) - 128) * 8
    const block = Array<number>(64).fill(0)
    block[0] = kind === 0 ? mean + magnitude * 2 : mean
    if (kind === 1) block[1 + below(63, random)] = magnitude
    if (kind === 2)
      for (let k = 1; k < 64; k++) block[k] = Math.round((random() - 0.5) * magnitude * 0.2)
    return block.map((one) => Math.max(-32_000, Math.min(32_000, Math.round(one))))
  }
}

const PNG_FORMATS = [
  [0, 8],
  [0, 16],
  [0, 4],
  [2, 8],
  [2, 16],
  [3, 8],
  [4, 8],
  [6, 8],
  [6, 16],
] as const

function randomPng(random: Random): Uint8Array {
  const { width, height, channel } = smallPicture(random)
  const [colourType, depth] = pick(PNG_FORMATS, random)
  const scale = (value: number) => Math.round((value * (2 ** depth - 1)) / 255)
  const pixel = (x: number, y: number) => {
    const [r, g, b, alpha] = [0, 1, 2, 3].map((c) => channel(x, y, c)) as [
      number,
      number,
      number,
      number,
    ]
    if (colourType === 3) return [g]
    const samples = { 0: [g], 2: [r, g, b], 4: [g, alpha], 6: [r, g, b, alpha] }[colourType]
    return samples.map(scale)
  }
  const palette = Array.from({ length: 768 }, (_, i) => Math.floor(i / 3))
  const chunks: [string, number[]][] = colourType === 3 ? [['PLTE', palette]] : []
  const alphas = Array.from({ length: 256 }, (_, i) => 255 - (i % 200))
  if (random() < 0.3) chunks.push(['tRNS', alphas])
  if (random() < 0.2) chunks.push(['gAMA', [0, 0, below(256, random), 100]])
  if (random() < 0.2) chunks.push(['acTL', [0, 0, 0, 1, 0, 0, 0, 0]])
  const form = { width, height, colourType, depth, chunks }
  return writePng({ ...form, pixel, isInterlaced: random() < 0.3, filter: (row) => row % 5 })
}

function randomGif(random: Random): Uint8Array {
  const { width, height } = smallPicture(random)
  const palette = Array.from({ length: 128 }, (_, i) => [i * 2, i * 2, i * 2])
  const frames = Array.from({ length: 1 + below(3, random) }, () => {
    const { channel } = smallPicture(random)
    const small = random() < 0.3
    return {
      x: small ? below(24, random) : 0,
      y: small ? below(24, random) : 0,
      width: small ? width - 24 : width,
      height: small ? height - 24 : height,
      pixel: (x: number, y: number) => channel(x, y, 1) >> 1,
      disposal: below(4, random),
      isInterlaced: random() < 0.3,
      ...(random() < 0.4 && { transparent: below(128, random) }),
    }
  })
  return writeGif({ width, height, palette, frames })
}

function randomBmp(random: Random): Uint8Array {
  const { width, height, channel } = smallPicture(random)
  const bits = pick([4, 8, 8, 16, 24, 32] as const, random)
  const colours = pick([2 ** bits, 100, 200], random)
  const shades = Math.min(2 ** Math.min(bits, 8), colours)
  const alphaOf = pick<(value: number) => number>([() => 0, () => 255, (value) => value], random)
  const pixel = (x: number, y: number) => {
    const value = channel(x, y, 1)
    if (bits <= 8) return Math.floor((value * shades) / 256)
    const part = value >> 3
    if (bits === 16) return (part << 10) | (part << 5) | part
    return value * 0x10101 + (bits === 24 ? 0 : alphaOf(value) * 2 ** 24)
  }
  const palette = Array.from({ length: shades }, (_, i) =>
    Array<number>(3).fill(Math.floor((i * 256) / shades)),
  )
  return writeBmp({
    ...{ width, height, bits, pixel },
    headerBytes: pick([12, 40, 40, 52, 56, 64, 108, 124], random),
    isTopDown: random() < 0.2,
    gap: pick([0, 0, 2, 8], random),
    ...(bits <= 8 && { palette, usedColours: pick([0, shades, shades, 256], random) }),
  })
}
