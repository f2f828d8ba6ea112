import { deflateSync } from 'node:zlib'
import sharp, { type Sharp, type TiffOptions } from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { allFiles, type ScannedContent } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { scene } from '../../support/scene.ts'
import { largePicture, picture } from '../../support/sharp-images.ts'
import { type TiffPage, writeTiff } from '../../support/tiff-writer.ts'

const context = { modules: readModules(), digestKinds: [] }
const NEAR = 10

async function scan(file: Uint8Array): Promise<ScannedContent> {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned
}

/** Bits between what a TIFF is and what libvips shows of it. */
async function distanceToSharp(file: Uint8Array, page = 0): Promise<number> {
  const image = sharp(file, { page }).autoOrient().toColourspace('srgb')
  const shown = await image.png({ compressionLevel: 1 }).toBuffer()
  return nearest(file, (await scan(shown)).needles[0]!.hash)
}

async function nearest(file: Uint8Array, known: Hash256): Promise<number> {
  const { needles } = await scan(file)
  return Math.min(...needles.map(({ hash }) => distance(hash, known)))
}

const pngHash = async (image: Sharp) => (await scan(await image.png().toBuffer())).needles[0]!.hash

const COMPRESSIONS = ['none', 'lzw', 'deflate', 'packbits', 'jpeg'] as const

describe('TIFF as libvips writes it', () => {
  const pictures: Record<string, Sharp> = {
    rgb: picture(300, 211),
    rgba: picture(300, 211, 4),
    grey: picture(300, 211, 1).toColourspace('b-w'),
    large: largePicture(1299, 977),
  }
  const forms: Record<string, TiffOptions> = {
    strips: { predictor: 'none' },
    predictor: { predictor: 'horizontal' },
    tiles: { tile: true, tileWidth: 128, tileHeight: 64 },
    pyramid: { tile: true, tileWidth: 256, tileHeight: 256, pyramid: true },
  }
  const cases = Object.keys(pictures).flatMap((name) =>
    Object.keys(forms).flatMap((form) =>
      COMPRESSIONS.filter(
        (compression) =>
          (name !== 'rgba' || compression !== 'jpeg') &&
          (name !== 'large' || compression === 'jpeg' || compression === 'lzw'),
      ).map((compression) => ({ name, form, compression })),
    ),
  )

  it.each(cases)('is hashed as it is shown: $name $form $compression', async (one) => {
    const options = { ...forms[one.form], compression: one.compression, quality: 90 }
    const file = await pictures[one.name]!.clone().tiff(options).toBuffer()
    expect(await distanceToSharp(file)).toBeLessThanOrEqual(NEAR)
    const problems = allFiles(await scan(file)).filter(({ coverage }) => coverage === 'unscannable')
    expect(problems).toEqual([])
  })

  it.each([1, 2, 4] as const)('has %i bits', async (bitdepth) => {
    const file = await picture(300, 211, 1)
      .toColourspace('b-w')
      .tiff({ bitdepth, compression: 'deflate', predictor: 'none' })
      .toBuffer()
    expect(await distanceToSharp(file)).toBeLessThanOrEqual(NEAR)
  })

  it.each(['none', 'lzw', 'deflate'] as const)('has 16 bits: %s', async (compression) => {
    for (const predictor of ['none', 'horizontal'] as const) {
      const image = picture(300, 211).toColourspace('rgb16')
      const file = await image.tiff({ compression, predictor }).toBuffer()
      expect(await distanceToSharp(file)).toBeLessThanOrEqual(NEAR)
    }
  })

  it('is turned by its orientation', async () => {
    const file = await picture(300, 211).withMetadata({ orientation: 6 }).tiff().toBuffer()
    expect(await distanceToSharp(file)).toBeLessThanOrEqual(NEAR)
  })
})

const [WIDTH, HEIGHT] = [150, 117]
const pixels = scene(WIDTH, HEIGHT, 3, 5).data
const known = () => pngHash(sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }))
const rgb = {
  256: [WIDTH],
  257: [HEIGHT],
  258: [8, 8, 8],
  259: [1],
  262: [2],
  277: [3],
}

/** A colour of sRGB in L*a*b*, in bytes as TIFF has them. */
function labOf(colour: number[]): number[] {
  const [r, g, b] = colour.map((value) =>
    value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  ) as [number, number, number]
  const [x, y, z] = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
  ].map((light) => (light > 0.008856 ? Math.cbrt(light) : 7.787 * light + 16 / 116)) as [
    number,
    number,
    number,
  ]
  return [(116 * y - 16) * 2.55, 500 * (x - y), 200 * (y - z)].map(Math.round)
}

describe('TIFF in every form', () => {
  const plane = (channel: number) => pixels.filter((_, i) => i % 3 === channel)
  const forms = [true, false].flatMap((isLittle) =>
    [true, false].map((isBig) => ({ isLittle, isBig })),
  )

  it.each(forms)('has two byte orders, and large files: %o', async ({ isLittle, isBig }) => {
    const words = new Uint8Array(pixels.length * 2)
    const view = new DataView(words.buffer)
    for (const [i, value] of pixels.entries()) view.setUint16(2 * i, value * 257, isLittle)
    const tags = { ...rgb, 258: [16, 16, 16] }
    const file = writeTiff([{ tags, segments: [words] }], isLittle, isBig)
    expect(await nearest(file, await known())).toBe(0)
    expect(await distanceToSharp(file)).toBe(0)
  })

  it('has planes of samples', async () => {
    const tags = { ...rgb, 284: [2] }
    const file = writeTiff([{ tags, segments: [plane(0), plane(1), plane(2)] }])
    expect(await nearest(file, await known())).toBe(0)
    expect(await distanceToSharp(file)).toBe(0)
  })

  it('has inks', async () => {
    const inks = new Uint8Array(WIDTH * HEIGHT * 4)
    for (const [i, value] of pixels.entries()) inks[Math.floor(i / 3) * 4 + (i % 3)] = 255 - value
    const tags = { ...rgb, 258: [8, 8, 8, 8], 262: [5], 277: [4] }
    const file = writeTiff([{ tags, segments: [inks] }])
    expect(await nearest(file, await known())).toBe(0)
    expect(await scan(file)).toMatchObject({ isPartial: false })
    const profiled = writeTiff([
      { tags: { ...tags, 34_675: new Uint8Array(200) }, segments: [inks] },
    ])
    expect(await scan(profiled)).toMatchObject({ isPartial: true })
  })

  it('has palettes, and white that is zero', async () => {
    const indices = plane(1)
    const ramp = Array.from({ length: 256 }, (_, i) => (255 - i) * 257)
    const grey = { ...rgb, 258: [8], 277: [1] }
    const palette = { ...grey, 262: [3], 320: [...ramp, ...ramp, ...ramp] }
    for (const tags of [palette, { ...grey, 262: [0] }]) {
      const file = writeTiff([{ tags, segments: [indices] }])
      expect(await distanceToSharp(file)).toBeLessThanOrEqual(2)
    }
  })

  it('has pages, and says when there are more than are read', async () => {
    const page = (seed: number) => ({ tags: rgb, segments: [scene(WIDTH, HEIGHT, 3, seed).data] })
    const file = writeTiff(Array.from({ length: 16 }, (_, i) => page(i + 1)))
    expect(await distanceToSharp(file, 15)).toBeLessThanOrEqual(NEAR)
    const more = writeTiff(Array.from({ length: 17 }, (_, i) => page(i + 1)))
    expect(await scan(more)).toMatchObject({ isPartial: true })
  })

  it('has Lab in colours', async () => {
    const labs = new Uint8Array(pixels.length)
    for (let i = 0; i < labs.length; i += 3) labs.set(labOf([...pixels.subarray(i, i + 3)]), i)
    const file = writeTiff([{ tags: { ...rgb, 262: [8], 339: [1, 2, 2] }, segments: [labs] }])
    expect(await nearest(file, await known())).toBeLessThanOrEqual(4)
  })

  it('has YCbCr that is not subsampled, which libvips takes for RGB', async () => {
    const [lumas, chroma] = [plane(0), scene(WIDTH, HEIGHT, 1, 9).data]
    const ycc = Uint8Array.from(pixels, (_, i) =>
      i % 3 === 0 ? lumas[i / 3]! : i % 3 === 1 ? chroma[(i - 1) / 3]! : 128,
    )
    const shown = Uint8ClampedArray.from(ycc, (_, i) => {
      const [y, blue] = [ycc[i - (i % 3)]!, ycc[i - (i % 3) + 1]! - 128]
      return y + [0, -0.344136, 1.772][i % 3]! * blue
    })
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const
    const tags = { ...rgb, 262: [6] }
    const file = writeTiff([{ tags: { ...tags, 530: [1, 1] }, segments: [ycc] }])
    expect(await nearest(file, await pngHash(sharp(shown, { raw })))).toBeLessThanOrEqual(2)
    expect(await distanceToSharp(file)).toBeLessThanOrEqual(2)
    const subsampled = writeTiff([{ tags, segments: [ycc] }])
    expect(await scanFile(context, subsampled)).toMatchObject({ reason: 'unsupported-variant' })
  })

  it('has pages within pages', async () => {
    const small = { ...rgb, 256: [50], 257: [39] }
    const thumbnail = { tags: { ...small, 330: [0] }, segments: [scene(50, 39, 3, 9).data] }
    const file = Buffer.from(writeTiff([thumbnail, { tags: rgb, segments: [pixels] }]))
    const first = file.readUInt32LE(4)
    const entries = file.readUInt16LE(first)
    const link = first + 2 + 12 * entries // to the second page, which becomes one within the first
    const entry = Array.from({ length: entries }, (_, i) => first + 2 + 12 * i)
    const tag = entry.find((at) => file.readUInt16LE(at) === 330)!
    file.writeUInt32LE(file.readUInt32LE(link), tag + 8)
    file.writeUInt16LE(4, tag + 2)
    file.writeUInt32LE(0, link)
    expect(await nearest(file, await known())).toBe(0)
  })

  it('is partial where Pillow shows a negative', async () => {
    const grey = { ...rgb, 258: [16], 277: [1] }
    const narrow = plane(1)
    const wide = Uint8Array.from({ length: 2 * narrow.length }, (_, i) => narrow[i >> 1] ?? 0)
    const { 262: _, ...without } = { ...rgb, 258: [8], 277: [1] }
    const partial = async (tags: TiffPage['tags'], segment: Uint8Array) =>
      (await scan(writeTiff([{ tags, segments: [segment] }]))).isPartial
    expect(await partial({ ...grey, 262: [1] }, wide)).toBe(false)
    expect(await partial({ ...grey, 262: [0] }, wide)).toBe(true)
    expect(await partial({ ...without, 262: [0] }, narrow)).toBe(false)
    expect(await partial(without, narrow)).toBe(true)
  })

  it('is partial where programs disagree: grey and alpha apart, a tag twice', async () => {
    const half = plane(1).map((value) => value >> 1)
    const grey = { ...rgb, 258: [8, 8], 262: [1], 277: [2], 338: [2] }
    const pairs = Uint8Array.from({ length: 2 * half.length }, (_, i) => half[i >> 1] ?? 0)
    const together = writeTiff([{ tags: grey, segments: [pairs] }])
    expect(await scan(together)).toMatchObject({ isPartial: false })
    const apart = writeTiff([{ tags: { ...grey, 284: [2] }, segments: [half, half] }])
    expect(await scan(apart)).toMatchObject({ isPartial: true })
    const twice = Buffer.from(writeTiff([{ tags: { ...rgb, 65_000: [1] }, segments: [pixels] }]))
    expect(await scan(twice)).toMatchObject({ isPartial: false })
    const last = twice.lastIndexOf(Buffer.of(0xe8, 0xfd, 3, 0))
    twice.writeUInt16LE(277, last)
    expect(await scan(twice)).toMatchObject({ isPartial: true })
  })

  it('is partial where Pillow disagrees: wide samples apart, strips and tiles, lost tags, too many', async () => {
    const isPartial = async (tags: TiffPage['tags'], segments = [pixels]) =>
      (await scan(writeTiff([{ tags: { ...rgb, ...tags }, segments }]))).isPartial
    const wide = (samples: Uint8Array) =>
      new Uint8Array(samples.length * 2).map((_, i) => samples[i >> 1] ?? 0)
    const planes = [0, 1, 2].map((channel) => wide(plane(channel)))
    expect(await isPartial({ 258: [16, 16, 16] }, [wide(pixels)])).toBe(false)
    expect(await isPartial({ 258: [16, 16, 16], 284: [2] }, planes)).toBe(true)
    expect(await isPartial({ 324: [8] })).toBe(true)
    expect(await isPartial({ 259: [1, 0] })).toBe(true)
    expect(await isPartial({ 278: [HEIGHT] }, [pixels, pixels])).toBe(true)
    const file = Buffer.from(writeTiff([{ tags: { ...rgb, 65_000: [1] }, segments: [pixels] }]))
    const own = file.lastIndexOf(Buffer.of(0xe8, 0xfd, 3, 0, 1, 0, 0, 0))
    file.writeUInt16LE(5, own + 2) // 255 fractions that lie behind the end
    file.writeUInt32LE(255, own + 4)
    file.writeUInt32LE(file.length - 8, own + 8)
    expect(await scan(file)).toMatchObject({ isPartial: true })
  })

  it('is partial if a segment is damaged, even if all of its rows are there', async () => {
    const deflated = deflateSync(pixels)
    const fileOf = (segment: Uint8Array) =>
      writeTiff([{ tags: { ...rgb, 259: [8] }, segments: [segment] }])
    expect(await scan(fileOf(deflated))).toMatchObject({ isPartial: false })
    expect(await scan(fileOf(deflated.subarray(0, -4)))).toMatchObject({ isPartial: false })
    const beyond = writeTiff([{ tags: { ...rgb, 259: [8], 279: [90_000] }, segments: [deflated] }])
    expect(await scan(beyond)).toMatchObject({ isPartial: true })
    const padded = Buffer.concat([deflated, Buffer.alloc(3)])
    expect(await scan(fileOf(padded))).toMatchObject({ isPartial: false })
    for (const at of [0, 1, deflated.length - 1, deflated.length - 4]) {
      const damaged = deflated.map((byte, i) => (i === at ? byte ^ 1 : byte))
      expect(await scan(fileOf(damaged))).toMatchObject({ isPartial: true })
    }
    // A tile of 144 rows, of which the page shows HEIGHT.
    const tile = deflateSync(Buffer.concat([pixels, new Uint8Array(WIDTH * 3 * (144 - HEIGHT))]))
    const tileOf = (segment: Uint8Array) => {
      const tags = { ...rgb, 259: [8], 322: [WIDTH], 323: [144] }
      return writeTiff([{ tags, segments: [segment], isTiled: true }])
    }
    expect(await scan(tileOf(tile))).toMatchObject({ isPartial: false })
    const cut = deflateSync(Buffer.concat([pixels, new Uint8Array(WIDTH * 3)]))
    expect(await scan(tileOf(cut))).toMatchObject({ isPartial: true })
  })

  it('shows what is there if half of it is', async () => {
    const cut = (share: number) => pixels.subarray(0, Math.floor(HEIGHT * share) * WIDTH * 3)
    const most = writeTiff([{ tags: rgb, segments: [cut(0.6)] }])
    expect(await scan(most)).toMatchObject({ isPartial: true, needles: [{}] })
    const least = writeTiff([{ tags: rgb, segments: [cut(0.4)] }])
    expect(await scanFile(context, least)).toMatchObject({ reason: 'damaged' })
  })
})

describe('hostile TIFF', () => {
  it.each([
    ['a blank page of 4 gigapixels', { 256: [65_535], 257: [65_535] }, 'over-limit'],
    ['tiles of a pixel', { 256: [60_000], 257: [600], 322: [1], 323: [1] }, 'over-limit'],
    ['no width', { 256: [0] }, 'damaged'],
    ['a side over the limit', { 256: [65_536] }, 'damaged'],
    ['floats', { 339: [3, 3, 3] }, 'unsupported-variant'],
    ['JPEG in the old way', { 259: [6] }, 'unsupported-variant'],
    ['fewer samples than colours', { 277: [2] }, 'damaged'],
  ])('has a reason: %s', async (_, tags, reason) => {
    const page = { tags: { ...rgb, ...tags }, segments: [pixels], isTiled: 322 in tags }
    expect(await scanFile(context, writeTiff([page]))).toMatchObject({ reason })
  })

  it('cannot have each strip read the whole file', async () => {
    const nothing = new Uint8Array(100_000).fill(128) // PackBits: no bytes come of it
    const readTimes = (strips: number) => {
      const shared = {
        273: Array.from({ length: strips }, () => 8),
        279: Array.from({ length: strips }, () => 100_000),
      }
      const tags = { ...rgb, 257: [60], 259: [32_773], 278: [1], ...shared }
      return scanFile(context, writeTiff([{ tags, segments: [nothing] }]))
    }
    expect(await readTimes(4)).toMatchObject({ reason: 'damaged' })
    expect(await readTimes(5)).toMatchObject({ reason: 'over-limit' })
  })

  it('has directories that lead to each other, and to nowhere', async () => {
    const file = writeTiff([{ tags: rgb, segments: [pixels] }])
    const first = new DataView(file.buffer, file.byteOffset).getUint32(4, true)
    const next = file.length - 4
    for (const at of [first, file.length + 9, 0xffffffff]) {
      const copy = file.slice()
      new DataView(copy.buffer).setUint32(next, at, true)
      expect(await nearest(copy, await known())).toBe(0)
    }
  })

  it('never throws, whatever its bytes are', async () => {
    const files = [
      writeTiff([{ tags: { ...rgb, 259: [8] }, segments: [deflateSync(pixels)] }]),
      await picture(90, 70).tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
      await picture(90, 70).tiff({ compression: 'jpeg', tile: true, tileWidth: 32 }).toBuffer(),
      await picture(90, 70).tiff({ compression: 'packbits' }).toBuffer(),
    ]
    const random = randomFrom(3)
    for (const file of files) {
      for (let round = 0; round < 25; round++) {
        const copy = Uint8Array.from(file)
        const noise = randomBytes(4, round + 1)
        for (const byte of noise) {
          const isTag = random() < 0.6
          const range = Math.min(copy.length, 400)
          copy[
            isTag
              ? copy.length - 1 - Math.floor(random() * range)
              : Math.floor(random() * copy.length)
          ] = byte
        }
        const { coverage } = await scanFile(context, copy)
        expect(['scanned', 'unscannable']).toContain(coverage)
      }
    }
  })
})
