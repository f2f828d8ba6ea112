// What programs show of files whose palettes are short or absent, as the differential fuzzer found it.

import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import type { ScannedContent } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { writeBmp } from '../../support/bmp-writer.ts'
import { type GifFrame, writeGif } from '../../support/gif-writer.ts'
import { header, imageData, joinPng, type PngOptions, writePng } from '../../support/png-writer.ts'
import { scene } from '../../support/scene.ts'

const context = { modules: readModules() }
const [WIDTH, HEIGHT] = [96, 72]
const { data } = scene(WIDTH, HEIGHT, 1, 5)
/** A picture of values up to 127. */
const value = (x: number, y: number) => (data[y * WIDTH + x] ?? 0) >> 1

async function scan(file: Uint8Array): Promise<ScannedContent> {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned
}

/** Bits between a grey picture and the nearest needle of a file. */
async function bitsFrom(grey: (x: number, y: number) => number, file: Uint8Array) {
  const { needles } = await scan(png({ colourType: 0, pixel: (x, y) => [grey(x, y)] }))
  const found = (await scan(file)).needles
  return Math.min(...found.map(({ hash }) => distance(hash, needles[0]!.hash)))
}

function png(options: Pick<PngOptions, 'colourType' | 'pixel'> & Partial<PngOptions>) {
  return writePng({ width: WIDTH, height: HEIGHT, depth: 8, ...options })
}

const indexed = { colourType: 3, pixel: (x: number, y: number) => [value(x, y)] } as const
const ramp = (count: number) => Array.from({ length: count * 3 }, (_, i) => Math.floor(i / 3))

describe('PNG', () => {
  it('is grey without a palette, as in Pillow', async () => {
    expect(await bitsFrom(value, png(indexed))).toBe(0)
  })

  it('is partial if colours are beyond the palette', async () => {
    const withColours = (count: number) =>
      scan(png({ ...indexed, chunks: [['PLTE', ramp(count)]] }))
    expect(await withColours(128)).toMatchObject({ isPartial: false })
    expect(await withColours(60)).toMatchObject({ isPartial: true })
  })

  it('is partial if transparency comes behind the pixels, where Pillow applies it', async () => {
    const alphas = ramp(128).slice(0, 128)
    const colours: [string, number[]] = ['PLTE', ramp(128)]
    const grey = { width: WIDTH, height: HEIGHT, depth: 8, ...indexed } as const
    const parts = [header(grey), colours, ['IDAT', imageData(grey)]] as const
    const chunks = parts.map(([type, bytes]): [string, ArrayLike<number>] => [type, bytes])
    expect(await scan(joinPng(chunks))).toMatchObject({ isPartial: false })
    expect(await scan(joinPng([...chunks, ['tRNS', alphas]]))).toMatchObject({ isPartial: true })
  })
})

describe('transparency of PNG that programs read differently', () => {
  const colours: [string, number[]] = ['PLTE', ramp(128)]
  const alphas = (count: number): [string, number[]] => ['tRNS', ramp(128).slice(0, count)]
  const grey = { colourType: 0, pixel: indexed.pixel } as const

  it.each<[string, Parameters<typeof png>[0], isPartial: boolean]>([
    ['once', { ...indexed, chunks: [colours, alphas(128)] }, false],
    ['twice', { ...indexed, chunks: [colours, alphas(128), alphas(5)] }, true],
    ['before the palette', { ...indexed, chunks: [alphas(128), colours] }, true],
    ['without a palette', { ...indexed, chunks: [alphas(128)] }, true],
    ['longer than the palette', { ...indexed, chunks: [['PLTE', ramp(127)], alphas(128)] }, true],
    ['of a grey value', { ...grey, chunks: [['tRNS', [0, 60]]] }, false],
    ['longer than a grey value', { ...grey, chunks: [['tRNS', [0, 60, 0]]] }, true],
  ])('is partial unless it is valid: %s', async (_, options, isPartial) => {
    expect(await scan(png(options))).toMatchObject({ isPartial })
  })

  it('is that of the first chunk that is valid, as in libpng', async () => {
    const file = png({ ...grey, chunks: [alphas(128), ['tRNS', [0, 60]]] })
    const shown = await sharp(file).flatten({ background: 'white' }).png().toBuffer()
    const [known] = (await scan(shown)).needles
    const found = (await scan(file)).needles.map(({ hash }) => distance(hash, known!.hash))
    expect(Math.min(...found)).toBeLessThanOrEqual(2)
  })
})

describe('BMP', () => {
  it.each([false, true])('of runs is partial from top to bottom: %s', async (isTopDown) => {
    const runs: number[] = []
    for (let i = 0; i < WIDTH * HEIGHT; i++) {
      runs.push(1, value(i % WIDTH, Math.floor(i / WIDTH)))
      if ((i + 1) % WIDTH === 0) runs.push(0, 0)
    }
    const palette = Array.from({ length: 256 }, (_, i) => [i, i, i])
    const form = { width: WIDTH, height: HEIGHT, bits: 8, compression: 1 } as const
    const file = writeBmp({ ...form, palette, isTopDown, data: runs, pixel: value })
    expect(await scan(file)).toMatchObject({ isPartial: isTopDown })
  })
})

describe('GIF', () => {
  const gif = (frame: Partial<GifFrame>, more: object = {}) =>
    writeGif({
      ...{ width: WIDTH, height: HEIGHT, ...more },
      frames: [{ width: WIDTH, height: HEIGHT, pixel: value, ...frame }],
    })

  it('is grey without colours, as in Pillow', async () => {
    expect(await bitsFrom(value, gif({}))).toBe(0)
  })

  it('has white, black or the background colour around its first frame', async () => {
    const palette = Array.from({ length: 128 }, (_, i) => [2 * i, 2 * i, 2 * i])
    const file = gif({ x: 16, y: 12, width: 64, height: 48 }, { palette })
    file[11] = 70 // the background colour
    for (const around of [255, 0, 140]) {
      const shown = (x: number, y: number) =>
        x >= 16 && x < 80 && y >= 12 && y < 60 ? 2 * value(x - 16, y - 12) : around
      expect(await bitsFrom(shown, file)).toBeLessThanOrEqual(2)
    }
  })

  it('is partial if extensions before a frame disagree on transparency', async () => {
    const palette = Array.from({ length: 128 }, (_, i) => [2 * i, 2 * i, 2 * i])
    const control = (flags: number) => [0x21, 0xf9, 4, flags, 0, 0, 50, 0]
    expect(await scan(gif({}, { palette, before: control(0) }))).toMatchObject({ isPartial: false })
    expect(await scan(gif({}, { palette, before: control(1) }))).toMatchObject({ isPartial: true })
  })

  it('is partial if it has a transparent value and no colours', async () => {
    expect(await scan(gif({}))).toMatchObject({ isPartial: false })
    expect(await scan(gif({ transparent: 50 }))).toMatchObject({ isPartial: true })
  })

  it('is partial if a frame has no size', async () => {
    const palette = Array.from({ length: 128 }, (_, i) => [2 * i, 2 * i, 2 * i])
    const file = gif({}, { palette })
    const at = 13 + 3 * palette.length + 8 // behind an extension
    expect(file[at]).toBe(0x2c)
    file.fill(0, at + 5, at + 7)
    expect(await scan(file)).toMatchObject({ isPartial: true })
  })

  it('is partial if its last block is cut off, though no pixel is missing', async () => {
    const palette = Array.from({ length: 128 }, (_, i) => [2 * i, 2 * i, 2 * i])
    const file = gif({}, { palette })
    const whole = file.subarray(0, -3) // ends with the code that ends the data
    expect(await scan(whole)).toMatchObject({ coverage: 'scanned', isPartial: true })
    expect(await scan(file)).toMatchObject({ isPartial: false })
  })
})
