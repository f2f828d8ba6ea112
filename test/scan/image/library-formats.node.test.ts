import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import type { ScannedContent } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { avifParts, avifSequence, avifWith, box } from '../../support/avif-parts.ts'
import { picture, FAST_PNG } from '../../support/sharp-images.ts'

const context = { modules: readModules(), digestKinds: [] }
const [WIDTH, HEIGHT] = [160, 120]

async function scan(file: Uint8Array): Promise<ScannedContent> {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned
}

const hashOf = async (file: Uint8Array) => (await scan(file)).needles[0]!.hash

/** Bits between a hash and the nearest needle of a file. */
async function nearest(file: Uint8Array, known: Hash256): Promise<number> {
  const { needles } = await scan(file)
  return Math.min(...needles.map(({ hash }) => distance(hash, known)))
}

const encode = (seed: number, format: 'webp' | 'avif') =>
  picture(WIDTH, HEIGHT, 3, seed).toFormat(format, { effort: 0, quality: 90 }).toBuffer()
const pngHash = async (seed: number) =>
  hashOf(await picture(WIDTH, HEIGHT, 3, seed).png(FAST_PNG).toBuffer())

function chunk(type: string, data: Uint8Array | number[]): Buffer {
  const header = Buffer.from(`${type}\0\0\0\0`)
  header.writeUInt32LE(data.length, 4)
  return Buffer.concat([header, Uint8Array.from(data), new Uint8Array(data.length % 2)])
}

function riff(...chunks: Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...chunks]))
}

const u24 = (value: number) => [value & 255, (value >> 8) & 255, value >> 16]
const vp8x = (flags: number) =>
  chunk('VP8X', [flags, 0, 0, 0, ...u24(WIDTH - 1), ...u24(HEIGHT - 1)])
const imageChunk = (file: Buffer) => file.subarray(12)
const anmf = (file: Buffer, flags = 2) => {
  const header = [...u24(0), ...u24(0), ...u24(WIDTH - 1), ...u24(HEIGHT - 1), ...u24(100), flags]
  return chunk('ANMF', Buffer.concat([Uint8Array.from(header), imageChunk(file)]))
}

describe('WebP', () => {
  it('ends where RIFF says', async () => {
    const [known, decoy] = [await encode(1, 'webp'), await encode(2, 'webp')]
    const file = Buffer.concat([known, anmf(decoy)])
    expect(await nearest(file, await hashOf(known))).toBe(0)
  })

  it('does not continue past its chunk', async () => {
    const file = await encode(1, 'webp')
    const cut = 12 + 8 + Math.floor(((file.length - 20) * 0.6) / 2) * 2
    const short = Buffer.from(file)
    short.writeUInt32LE(cut - 8, 4)
    short.writeUInt32LE(cut - 20, 16)
    expect(await scanFile(context, file)).toMatchObject({ coverage: 'scanned' })
    expect(await scanFile(context, short)).toMatchObject({ reason: 'damaged' })
  })

  it('has frames only where VP8X says so', async () => {
    const [known, decoy] = [await encode(1, 'webp'), await encode(2, 'webp')]
    const file = riff(vp8x(0), imageChunk(known), anmf(decoy))
    expect(await nearest(file, await hashOf(known))).toBe(0)
  })

  it('has all frames of an animation, and an image beside it', async () => {
    const files = await Promise.all([1, 2, 3].map((seed) => encode(seed, 'webp')))
    const [first, second, third] = files as [Buffer, Buffer, Buffer]
    const loop = chunk('ANIM', [0, 0, 0, 0, 0, 0])
    const file = riff(vp8x(2), loop, anmf(first), anmf(second), imageChunk(third))
    for (const one of files) expect(await nearest(file, await hashOf(one))).toBe(0)
    expect(await scan(file)).toMatchObject({ isPartial: false })
  })

  it('has a bounded sample of an animation that is too long', async () => {
    const [first, known] = [await encode(1, 'webp'), await encode(2, 'webp')]
    const frames = Array.from({ length: 800 }, (_, i) => anmf(i >= 400 ? known : first))
    const file = riff(vp8x(2), chunk('ANIM', [0, 0, 0, 0, 0, 0]), ...frames)
    expect(await nearest(file, await hashOf(known))).toBe(0)
    expect(await scan(file)).toMatchObject({ isPartial: true })
  })

  it('has frames of an animation that is too large for its canvas', async () => {
    const [width, height] = [1201, 901]
    const large = (seed: number) => picture(width, height, 3, seed)
    const pages = await Promise.all([1, 2].map((seed) => large(seed).png(FAST_PNG).toBuffer()))
    const file = await sharp(pages, { join: { animated: true } })
      .webp({ effort: 0, quality: 80 })
      .toBuffer()
    for (const seed of [1, 2]) {
      const known = await hashOf(await large(seed).png(FAST_PNG).toBuffer())
      expect(await nearest(file, known)).toBeLessThanOrEqual(10)
    }
    expect(await scan(file)).toMatchObject({ isPartial: false })
  })

  it('has frames of little contrast', async () => {
    const pages = await Promise.all(
      [1, 2].map((seed) =>
        picture(WIDTH, HEIGHT, 1, seed).linear(0.03, 128).png(FAST_PNG).toBuffer(),
      ),
    )
    const file = await sharp(pages, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer()
    for (const page of pages)
      expect(await nearest(file, await hashOf(page))).toBeLessThanOrEqual(10)
  })

  describe('with alpha that its header does not announce', () => {
    const raw = { width: WIDTH, height: HEIGHT } as const
    const pngOf = (luma: Uint8Array) =>
      sharp(luma, { raw: { ...raw, channels: 1 } })
        .png(FAST_PNG)
        .toBuffer()
    /** A picture of grey and alpha that differ, as WebP. */
    const frameOf = async (seed: number) => {
      const greys = await picture(WIDTH, HEIGHT, 1, seed).greyscale().raw().toBuffer()
      const alphas = await picture(WIDTH, HEIGHT, 1, seed + 20)
        .greyscale()
        .raw()
        .toBuffer()
      const pixels = Buffer.from([...greys].flatMap((g, i) => [g, g, g, alphas[i] ?? 0]))
      const image = sharp(pixels, { raw: { ...raw, channels: 4 } })
      return { greys, alphas, file: await image.webp({ lossless: true, exact: true }).toBuffer() }
    }
    // Chromium keeps the colours as they are, but draws them as if alpha had been multiplied in.
    const over = (under: Uint8Array, { greys, alphas }: { greys: Buffer; alphas: Buffer }) =>
      greys.map((g, i) => {
        const alpha = alphas[i] ?? 0
        return Math.min(g, alpha) + ((under[i] ?? 0) * (255 - alpha)) / 255
      })
    const white = new Uint8Array(WIDTH * HEIGHT).fill(255)
    const loop = chunk('ANIM', [0, 0, 0, 0, 0, 0])

    it('has what Chromium shows of it, and of an animation of it', async () => {
      const frame = await frameOf(11)
      const known = await hashOf(await pngOf(over(white, frame)))
      const animation = [loop, anmf(frame.file, 2)]
      expect(await nearest(riff(vp8x(0x10), imageChunk(frame.file)), known)).toBeGreaterThan(20)
      expect(await nearest(riff(vp8x(0x12), ...animation), known)).toBeGreaterThan(20)
      expect(await nearest(riff(vp8x(0), imageChunk(frame.file)), known)).toBeLessThanOrEqual(10)
      expect(await nearest(riff(vp8x(2), ...animation), known)).toBeLessThanOrEqual(10)
    })

    it('has frames that are drawn on others so', async () => {
      const frames = await Promise.all([12, 13].map(frameOf))
      const [first, second] = frames as [(typeof frames)[0], (typeof frames)[0]]
      const file = riff(vp8x(2), loop, anmf(first.file, 2), anmf(second.file, 0))
      const known = await hashOf(await pngOf(over(over(white, first), second)))
      expect(await nearest(file, known)).toBeLessThanOrEqual(10)
    })

    it('has no other needles if it is opaque', async () => {
      const file = await picture(WIDTH, HEIGHT, 3, 14).webp({ lossless: true }).toBuffer()
      const still = await scan(riff(vp8x(0), imageChunk(file)))
      expect(still.needles).toEqual((await scan(file)).needles)
    })
  })

  it('mixes frames as libwebp does', async () => {
    const pages = await Promise.all(
      [1, 2, 3].map((seed) => picture(80, 60, 4, seed).png(FAST_PNG).toBuffer()),
    )
    const file = await sharp(pages, { join: { animated: true } })
      .webp({ lossless: true, minSize: true })
      .toBuffer()
    const { needles } = await scan(file)
    for (const page of [0, 1, 2]) {
      const shown = await sharp(file, { page })
        .flatten({ background: 'white' })
        .png(FAST_PNG)
        .toBuffer()
      const known = await hashOf(shown)
      expect(Math.min(...needles.map(({ hash }) => distance(hash, known)))).toBeLessThanOrEqual(10)
    }
  })
})

describe('AVIF', () => {
  it.each(['avis', 'avif'])(
    'has the frames of a sequence, and its image: brand %s',
    async (brand) => {
      const frames = await Promise.all(
        [1, 2, 3].map(async (seed) => avifParts(await encode(seed, 'avif'))),
      )
      for (const keys of [[1, 2, 3], [1]]) {
        const file = avifSequence(frames, keys, brand)
        for (const seed of [1, 2, 3]) {
          expect(await nearest(file, await pngHash(seed))).toBeLessThanOrEqual(10)
        }
        expect(await scan(file)).toMatchObject({ isPartial: false })
      }
    },
  )

  it('has alpha as it is, and as Chromium stretches it', async () => {
    const greys = await picture(WIDTH, HEIGHT, 1, 7).greyscale().raw().toBuffer()
    const alphas = greys.map((grey) => grey / 8)
    const pixels = Buffer.from([...alphas].flatMap((alpha) => [0, 0, 0, alpha]))
    const raw = { width: WIDTH, height: HEIGHT } as const
    const image = sharp(pixels, { raw: { ...raw, channels: 4 } })
    const file = await image.avif({ effort: 0, quality: 100 }).toBuffer()
    const overWhite = (stretch: (alpha: number) => number) => {
      const shown = alphas.map((alpha) => 255 - Math.max(0, stretch(alpha)))
      return sharp(shown, { raw: { ...raw, channels: 1 } })
        .png(FAST_PNG)
        .toBuffer()
    }
    const [plain, stretched] = [
      await hashOf(await overWhite((alpha) => alpha)),
      await hashOf(await overWhite((alpha) => ((alpha - 16) * 255) / 219)),
    ]
    expect(distance(plain, stretched)).toBeGreaterThan(20)
    for (const known of [plain, stretched])
      expect(await nearest(file, known)).toBeLessThanOrEqual(10)
  })

  it('has the picture whose alpha is the primary image, as libheif does', async () => {
    const pixels = await picture(WIDTH, HEIGHT, 3, 9).ensureAlpha().raw().toBuffer()
    for (let at = 3; at < pixels.length; at += 4) pixels[at] = 255 - (at % (4 * WIDTH)) / 5
    const image = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } })
    const file = await image.avif({ effort: 0, quality: 90 }).toBuffer()
    const known = await hashOf(
      await sharp(file).flatten({ background: '#fff' }).png(FAST_PNG).toBuffer(),
    )
    const swapped = Buffer.from(file)
    swapped.writeUInt16BE(2, swapped.indexOf('pitm') + 8)
    const shown = await sharp(swapped).flatten({ background: '#fff' }).png(FAST_PNG).toBuffer()
    expect(distance(await hashOf(shown), known)).toBeLessThanOrEqual(10)
    expect(await nearest(swapped, known)).toBeLessThanOrEqual(10)
    for (let bytes = 0; bytes < 8; bytes++) {
      const short = Buffer.from(swapped)
      short.writeUInt32BE(8 + bytes, short.indexOf('pitm') - 4)
      expect(['scanned', 'unscannable']).toContain((await scanFile(context, short)).coverage)
    }
  })

  it('has the alpha of a sequence, which is another track', async () => {
    const frameOf = async (image: Sharp) =>
      avifParts(await image.toFormat('avif', { effort: 0, quality: 90 }).toBuffer())
    const grey = (seed: number) => frameOf(picture(WIDTH, HEIGHT, 1, seed))
    const black = await frameOf(picture(WIDTH, HEIGHT, 3, 1).linear(0, 0))
    const alpha = await Promise.all([grey(2), grey(3)])
    const file = avifSequence([black, black], [1, 2], 'avis', alpha)
    for (const seed of [2, 3]) {
      const known = await hashOf(await picture(WIDTH, HEIGHT, 1, seed).png(FAST_PNG).toBuffer())
      expect(await nearest(file, known)).toBeLessThanOrEqual(10)
    }
  })

  it('has a sample of a sequence that is too long, and says so', async () => {
    const [first, known] = [avifParts(await encode(1, 'avif')), avifParts(await encode(2, 'avif'))]
    const frames = Array.from({ length: 140 }, (_, i) => (i > 60 ? known : first))
    const file = avifSequence(
      frames,
      frames.map((_, i) => i + 1),
    )
    expect(await nearest(file, await pngHash(2))).toBeLessThanOrEqual(10)
    expect(await scan(file)).toMatchObject({ isPartial: true })
  })

  const turns = [0, 1, 2, 3].flatMap((irot) => [undefined, 0, 1].map((imir) => ({ irot, imir })))
  it.each(turns)(
    'is displayed by irot $irot and imir $imir, as libheif does',
    async ({ irot, imir }) => {
      const parts = avifParts(await encode(4, 'avif'))
      const mirror = imir === undefined ? [] : [box('imir', [imir])]
      const file = avifWith(parts, [box('irot', [irot]), ...mirror])
      const known = await hashOf(await sharp(file).png(FAST_PNG).toBuffer())
      expect(await nearest(file, known)).toBeLessThanOrEqual(10)
    },
  )

  it('is displayed by its clean aperture, and as a whole', async () => {
    const parts = avifParts(await encode(5, 'avif'))
    const numbers = [100, 1, 80, 1, -10, 1, 6, 1]
    const clap = Buffer.alloc(32)
    numbers.forEach((value, i) => clap.writeInt32BE(value, 4 * i))
    const file = avifWith(parts, [box('clap', clap)])
    const area = { left: 20, top: 26, width: 100, height: 80 }
    const whole = picture(WIDTH, HEIGHT, 3, 5)
    expect(await nearest(file, await pngHash(5))).toBeLessThanOrEqual(10)
    const part = await hashOf(await whole.clone().extract(area).png(FAST_PNG).toBuffer())
    expect(await nearest(file, part)).toBeLessThanOrEqual(10)
  })
})
