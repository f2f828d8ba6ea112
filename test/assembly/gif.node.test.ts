import { createRequire } from 'node:module'
import type * as Gifenc from 'gifenc'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { lumaFromRgb } from '../reference/pdq.ts'
import { decode, decodeChunks, difference } from '../support/decode.ts'
import { type GifFrame, type GifOptions, writeGif } from '../support/gif-writer.ts'
import { randomFrom } from '../support/random.ts'
import { scene } from '../support/scene.ts'
import { lumaBySharp, picture } from '../support/sharp-images.ts'
import { DAMAGED, DONE, TRUNCATED } from '../support/status.ts'

const { GIFEncoder, quantize, applyPalette } = createRequire(import.meta.url)(
  'gifenc',
) as typeof Gifenc

const [WIDTH, HEIGHT] = [60, 50]

/** Colours of which number n has luma 2n. */
const GREYS = Array.from({ length: 128 }, (_, n) => [2 * n, 2 * n, 2 * n])

function flat(level: number, more: Partial<GifFrame> = {}): GifFrame {
  return { width: WIDTH, height: HEIGHT, pixel: () => level / 2, ...more }
}

/** A small frame in the middle. */
function patch(level: number, more: Partial<GifFrame> = {}): GifFrame {
  return flat(level, { x: 20, y: 15, width: 20, height: 20, ...more })
}

function gif(...frames: GifFrame[]): Uint8Array {
  return writeGif({ width: WIDTH, height: HEIGHT, palette: GREYS, frames })
}

/** Luma in the corner and in the middle of each hashed frame. */
function levels(file: Uint8Array): [corner: number, middle: number][] {
  return decode('gif', file).frames.map(({ luma, cols, rows }) => [
    Math.round(luma[0] ?? 0),
    Math.round(luma[(rows / 2) * cols + cols / 2] ?? 0),
  ])
}

describe('GIF by other encoders', () => {
  it.each([
    [1, 1],
    [7, 3],
    [64, 48],
    [301, 203],
  ])('gives the luma of libvips: %i x %i', async (width, height) => {
    const file = await picture(width, height).gif().toBuffer()
    const { frames, status } = decode('gif', file)
    expect(status).toBe(DONE)
    expect(difference(frames[0]!.luma, await lumaBySharp(file)).max).toBeLessThan(0.001)
  })

  it('gives the colours that gifenc wrote', () => {
    const { data, width, height } = scene(200, 150, 4, 5)
    const palette = quantize(data, 256)
    const index = applyPalette(data, palette)
    const encoder = GIFEncoder()
    encoder.writeFrame(index, width, height, { palette })
    encoder.finish()
    const expected = lumaFromRgb(
      Uint8Array.from([...index].flatMap((colour) => palette[colour] ?? [])),
      3,
    )
    const { luma } = decode('gif', encoder.bytes()).frames[0]!
    expect(difference(luma, expected).max).toBeLessThan(0.001)
  })

  it('composes animations as libvips does', async () => {
    const pages = [1, 2, 3, 4].map((seed) => picture(120, 90, 3, seed).png().toBuffer())
    const file = await sharp(await Promise.all(pages), { join: { animated: true } })
      .gif({ interFrameMaxError: 8 })
      .toBuffer()
    const { frames } = decode('gif', file)
    expect(frames).toHaveLength(4)
    for (const [page, { luma }] of frames.entries()) {
      const { data, info } = await sharp(file, { page })
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true })
      expect(difference(luma, lumaFromRgb(data, info.channels)).max).toBeLessThan(1)
    }
  })
})

describe('GIF frames', () => {
  it('have the same rows for chunks of any size', () => {
    const noise = randomFrom(5)
    const pixel = () => Math.floor(noise() * 128)
    const values = Array.from({ length: WIDTH * HEIGHT }, pixel)
    const at = (x: number, y: number) => values[y * WIDTH + x] ?? 0
    for (const isInterlaced of [false, true]) {
      const file = gif(
        flat(0, { pixel: at, isInterlaced }),
        patch(200),
        patch(20, { isInterlaced }),
      )
      const whole = decode('gif', file).frames.map(({ luma }) => luma)
      expect(whole).toHaveLength(3)
      const random = randomFrom(7)
      for (const cut of [() => 1, () => 7, () => 4096, () => 1 + Math.floor(random() * 90)]) {
        expect(decodeChunks('gif', file, cut).frames.map(({ luma }) => luma)).toEqual(whole)
      }
    }
  })

  it('are the same interlaced or not, of any height', () => {
    for (const height of [1, 2, 3, 4, 5, 7, 8, 9, 50]) {
      const frame = { width: WIDTH, height, pixel: (x: number, y: number) => (x + 3 * y) % 128 }
      const write = (isInterlaced: boolean) =>
        writeGif({ width: WIDTH, height, palette: GREYS, frames: [{ ...frame, isInterlaced }] })
      expect(decode('gif', write(true)).frames[0]!.luma).toEqual(
        decode('gif', write(false)).frames[0]!.luma,
      )
    }
  })

  it('are hashed when they show something new', () => {
    expect(levels(gif(flat(10), flat(200), flat(200), flat(90)))).toEqual([
      [10, 10],
      [200, 200],
      [90, 90],
    ])
  })

  it('are drawn on what is there', () => {
    expect(levels(gif(flat(10), patch(200)))).toEqual([
      [10, 10],
      [10, 200],
    ])
  })

  it('may be partly outside the canvas', () => {
    expect(levels(gif(flat(10), patch(200, { x: 25, width: 500, height: 500 }))).at(-1)).toEqual([
      10, 200,
    ])
    expect(levels(gif(flat(10), patch(200, { x: 5000, y: 5000 })))).toEqual([[10, 10]])
  })

  it('have colours of their own', () => {
    const own = GREYS.toReversed()
    expect(levels(gif(flat(10), patch(200, { palette: own }))).at(-1)).toEqual([10, 254 - 200])
    const only: GifOptions = { width: WIDTH, height: HEIGHT, frames: [flat(40, { palette: own })] }
    expect(levels(writeGif(only))).toEqual([[214, 214]])
  })

  it('leave what is under transparent pixels', () => {
    const half = (x: number) => (x < 30 ? 60 : 7)
    expect(levels(gif(flat(50), flat(0, { pixel: half, transparent: 60 })))).toEqual([
      [50, 50],
      [50, 14],
    ])
  })

  it('have a plane over white where they are transparent', () => {
    const { luma, white } = decode('gif', gif(flat(50, { transparent: 25 }))).frames[0]!
    expect(Math.round(luma[0] ?? 0)).toBe(50)
    expect(white?.[0]).toBe(255)
    expect(decode('gif', gif(flat(50))).frames[0]!.white).toBeUndefined()
  })

  it.each([
    [1, 200],
    [2, 0],
    [3, 50],
  ])('are disposed of: method %i leaves %i', (disposal, left) => {
    const last = flat(120, { width: 20, height: 20 })
    expect(levels(gif(flat(50), patch(200, { disposal }), last)).at(-1)).toEqual([120, left])
  })

  it('may come before a canvas that is too small for the first', () => {
    const file = writeGif({ width: 1, height: 1, palette: GREYS, frames: [flat(80)] })
    const { rows, cols } = decode('gif', file).frames[0]!
    expect([cols, rows]).toEqual([WIDTH, HEIGHT])
  })

  it('are found behind extensions and stray bytes', () => {
    const comment = [0x21, 0xfe, 3, 1, 2, 3, 1, 9, 0]
    const before = [
      ...comment,
      0x21,
      0xff,
      11,
      ...Array.from('NETSCAPE2.0', () => 65),
      3,
      1,
      0,
      0,
      0,
      0,
      0,
    ]
    const frames = [flat(10), flat(98)]
    expect(
      levels(writeGif({ width: WIDTH, height: HEIGHT, palette: GREYS, frames, before })),
    ).toEqual(levels(gif(flat(10), flat(98))))
  })
})

describe('GIF errors that browsers tolerate', () => {
  const real = flat(0, { pixel: (x, y) => (x * 2 + y) % 128 })

  it('gives a frame without a size the size of the screen', () => {
    const file = gif(flat(10), flat(90))
    // The second descriptor: a frame of 0 x 0.
    const at = file.lastIndexOf(0x2c)
    const start = [...file.keys()].findLast(
      (i) => i <= at && file[i] === 0x2c && file[i + 5] === WIDTH,
    )
    const empty = Uint8Array.from(file)
    empty.fill(0, (start ?? 0) + 5, (start ?? 0) + 9)
    expect(levels(empty)).toEqual(levels(file))
  })

  it('ends a frame where its data ends, and goes on with the next', () => {
    for (const height of [20, 40]) {
      const short = gif({ ...flat(30), height }, real)
      // Its descriptor says more rows than its data has.
      const first = short.findIndex((byte, i) => byte === 0x2c && i > 390)
      short[first + 7] = HEIGHT
      const { frames } = decode('gif', short)
      expect(frames).toHaveLength(2)
      const whole = decode('gif', gif(real)).frames[0]!.luma
      expect(difference(frames[1]!.luma, whole).max).toBeLessThan(1)
    }
  })

  it('goes on behind a frame that lies outside the screen', () => {
    for (const disposal of [1, 2, 3]) {
      const outside = patch(200, { x: 65_535, y: 65_535, disposal })
      expect(levels(gif(flat(10), outside, flat(90))).at(-1)).toEqual([90, 90])
    }
  })

  it('sees a picture that differs only between some points', () => {
    const side = 512
    const write = (pixel: GifFrame['pixel']): GifFrame => ({ width: side, height: side, pixel })
    const flatFrame = write(() => 30)
    const shown = write((x, y) =>
      x % 16 === 0 && y % 16 === 0 ? 30 : ((x >> 4) * 3 + (y >> 5)) % 128,
    )
    const file = writeGif({
      width: side,
      height: side,
      palette: GREYS,
      frames: [flatFrame, shown],
    })
    expect(decode('gif', file).frames).toHaveLength(2)
  })
})

describe('GIF limits', () => {
  it('hashes 64 frames and leaves out the rest', () => {
    const frames = Array.from({ length: 80 }, (_, i) => flat(i % 2 ? 200 : 10))
    expect(levels(gif(...frames.slice(0, 64)))).toHaveLength(64)
    expect(levels(gif(...frames))).toHaveLength(64)
  })

  it('has one frame where the canvas does not fit', () => {
    const large = (level: number): GifFrame => flat(level, { width: 40, height: 2600 })
    const file = writeGif({
      width: 3000,
      height: 2600,
      palette: GREYS,
      frames: [large(10), large(200)],
    })
    const { frames, memoryBytes } = decode('gif', file)
    expect(frames).toHaveLength(1)
    expect(memoryBytes).toBeLessThan(8_000_000)
  })

  it('refuses a canvas of more than 100 megapixels', () => {
    const file = writeGif({ width: 65535, height: 65535, palette: GREYS, frames: [flat(1)] })
    expect(decode('gif', file).status).toBe(-4)
  })
})

describe('incomplete GIF', () => {
  const file = gif(flat(10, { pixel: (x, y) => (x + y) % 128 }), flat(200))
  const first = gif(flat(10, { pixel: (x, y) => (x + y) % 128 })).length

  it('counts from half of its first rows on', () => {
    const statuses = [0.2, 0.45, 0.75].map(
      (share) => decode('gif', file.subarray(0, 13 + 384 + first * share - 384 * share)).status,
    )
    expect(statuses).toEqual([TRUNCATED, TRUNCATED, DONE])
  })

  it('shows a truncated frame as far as it goes, and the ones before it', () => {
    expect(levels(file.subarray(0, -1000)).map(([corner]) => corner)).toEqual([0, 200])
    expect(decode('gif', file.subarray(0, -1000)).status).toBe(DONE)
  })

  it('is damaged without a frame', () => {
    expect(
      decode('gif', writeGif({ width: 9, height: 9, palette: GREYS, frames: [] })).status,
    ).toBe(DAMAGED)
    expect(decode('gif', new Uint8Array(400)).status).toBe(DAMAGED)
  })
})

it('shows the pixels of a truncated row, and over white repeats rows missing from an interlaced file', () => {
  const palette = Array.from({ length: 128 }, (_, i) => [100 + i, 100 + i, 100 + i])
  for (const isInterlaced of [false, true]) {
    const frame = {
      width: 40,
      height: 40,
      pixel: (x: number, y: number) => (x * 3 + y) & 127,
      isInterlaced,
    }
    const whole = writeGif({ width: 40, height: 40, palette, frames: [frame] })
    const { white, black } = decode('gif', whole.subarray(0, whole.length - 150)).frames[0]!
    const isMissing = (i: number) => black?.[i] === 0
    const rows = Array.from(
      { length: 40 },
      (_, y) =>
        Array.from({ length: 40 }, (_unused, x) => isMissing(y * 40 + x)).filter(Boolean).length,
    )
    expect(rows.filter((count) => count === 40).length).toBeGreaterThan(1)
    expect(rows.filter((count) => count > 0 && count < 40)).toHaveLength(1)
    const isWhite = white?.some(
      (luma, i) => isMissing(i) && luma === 255 && rows[Math.floor(i / 40)] === 40,
    )
    expect(isWhite).toBe(!isInterlaced)
  }
})
