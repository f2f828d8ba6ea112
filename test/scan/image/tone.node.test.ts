import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import type { Needle } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { attachProfile } from '../../support/attach-profile.ts'
import { type Lights, writeProfile, writeTableProfile } from '../../support/icc-writer.ts'
import { writeJpeg } from '../../support/jpeg-writer.ts'
import { writePng } from '../../support/png-writer.ts'
import { scene } from '../../support/scene.ts'
import { FAST_PNG } from '../../support/sharp-images.ts'

const context = { modules: readModules(), digestKinds: [] }
const [WIDTH, HEIGHT] = [160, 120]
const { data } = scene(WIDTH, HEIGHT, 1, 7)

async function needlesOf(file: Uint8Array): Promise<Needle[]> {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles
}

const shownBySharp = async (file: Uint8Array) =>
  (await needlesOf(await sharp(file).toColourspace('srgb').png(FAST_PNG).toBuffer()))[0]!

/** The picture in the brightest twentieth of the range, above stripes that a curve makes black. */
const upperPart = Array.from({ length: 256 }, (_, i) =>
  Math.max(0, Math.round((i - 192) * (65535 / 63))),
)
const hidden = Uint8Array.from(data, (grey, i) =>
  grey < 128 ? (Math.floor(i / 7) % 3) * 60 : Math.min(255, 192 + Math.floor((grey - 128) / 2)),
)
const grey = (pixels: Uint8Array): Sharp =>
  sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } }).toColourspace('srgb')

describe('a tone curve that moves luma', () => {
  const curves = { 'a table': upperPart, 'a power': { power: 9 } }
  it.each(Object.entries(curves))('gives the needle that libvips shows: %s', async (_, curve) => {
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const plain = await grey(hidden).toFormat(format, { quality: 98 }).toBuffer()
      const file = await attachProfile(plain, writeProfile(curve))
      const known = await shownBySharp(file)
      const needles = await needlesOf(file)
      const toned = needles.find(({ probe }) => probe === 'toned')
      expect(distance(toned!.hash, known.hash)).toBeLessThanOrEqual(10)
    }
  })

  it('moves each channel by itself', async () => {
    const { data: colours } = scene(WIDTH, HEIGHT, 3, 9)
    // Dark in every channel but where that is bright: luma alone tells little of what a root makes of it.
    const dark = colours.map((value) => 255 * (value / 255) ** 4)
    const root = writeProfile(Array.from({ length: 1024 }, (_, i) => 65535 * (i / 1023) ** 0.5))
    const image = () => sharp(dark, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    const files = {
      plain: await image().png(FAST_PNG).toBuffer(),
      interlaced: await image().png({ progressive: true }).toBuffer(),
      transparent: await image().ensureAlpha(0.9).png(FAST_PNG).toBuffer(),
      palette: await image().png({ palette: true, dither: 0 }).toBuffer(),
      wide: await image().toColourspace('rgb16').png(FAST_PNG).toBuffer(),
      webp: await image().webp({ lossless: true }).toBuffer(),
      ...(await jpegs(image)),
    }
    for (const [name, plain] of Object.entries(files)) {
      const file = await attachProfile(plain, root)
      const known = await shownBySharp(file)
      const toned = (await needlesOf(file)).find(({ probe }) => probe === 'toned')
      expect({ name, isNear: distance(toned!.hash, known.hash) <= 10 }).toEqual({
        name,
        isNear: true,
      })
    }
  })

  it('gives the needle of PNG’s gamma', async () => {
    const gamma = Buffer.alloc(4)
    gamma.writeUInt32BE(Math.round(100_000 / 9))
    const file = writePng({
      ...{ width: WIDTH, height: HEIGHT, depth: 8, colourType: 0 },
      pixel: (x, y) => [hidden[y * WIDTH + x] ?? 0],
      chunks: [['gAMA', Array.from(gamma)]],
    })
    const shown = hidden.map((value) => {
      const light = (value / 255) ** 9
      return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055)
    })
    const known = (await needlesOf(await grey(shown).png(FAST_PNG).toBuffer()))[0]!
    const toned = (await needlesOf(file)).find(({ probe }) => probe === 'toned')
    expect(distance(toned!.hash, known.hash)).toBeLessThanOrEqual(10)
  })

  it('gives none for profiles that are nearly sRGB', async () => {
    const file = await grey(data).png(FAST_PNG).withIccProfile('srgb').toBuffer()
    expect((await needlesOf(file)).map(({ probe }) => probe)).toEqual(['identity'])
  })

  it('is passed over where the profile is damaged', async () => {
    const profile = writeProfile(upperPart)
    for (let length = 0; length < profile.length; length += 37) {
      for (const format of ['png', 'jpeg'] as const) {
        const file = await attachProfile(
          await grey(data).toFormat(format).toBuffer(),
          profile.subarray(0, length),
        )
        expect((await needlesOf(file)).length).toBeGreaterThan(0)
      }
    }
  })
})

describe('a profile that shows one channel alone', () => {
  const decoy = scene(WIDTH, HEIGHT, 1, 11).data
  // The picture in red, under another one that green and blue show.
  const colours = new Uint8Array(3 * WIDTH * HEIGHT).map((_, i) => {
    const pixel = Math.floor(i / 3)
    return (i % 3 === 0 ? data[pixel] : decoy[pixel]) ?? 0
  })
  const image = () => sharp(colours, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
  const [white, none] = [
    [0.9642, 1, 0.8249],
    [0, 0, 0],
  ]
  const linear = { power: 2.2 }
  const lights: Lights = [white, none, none]
  const third = white.map((value) => value / 3)
  const red = ([value = 0]: readonly number[]) => value
  const profiles: Record<string, Buffer> = {
    'by the light of channels': writeProfile(linear, lights),
    'by their curves': writeProfile([linear, [0, 0], [0, 0]], [third, third, third]),
    'by a table of bytes': writeTableProfile('mft1', 3, 9, red),
    'by a table of words': writeTableProfile('mft2', 3, 17, red),
    'by stages': writeTableProfile('mAB ', 3, 17, red),
  }

  it.each(Object.entries(profiles))(
    'gives the needle that libvips shows: %s',
    async (_, profile) => {
      const formats = {
        png: await image().png(FAST_PNG).toBuffer(),
        wide: await image().toColourspace('rgb16').png(FAST_PNG).toBuffer(),
        webp: await image().webp({ lossless: true }).toBuffer(),
        ...(await jpegs(image)),
      }
      for (const [name, plain] of Object.entries(formats)) {
        const file = await attachProfile(plain, profile)
        const shown = await shownBySharp(file)
        const distances = (await needlesOf(file)).map(({ hash }) => distance(hash, shown.hash))
        expect({ name, isNear: Math.min(...distances) <= 10 }).toEqual({ name, isNear: true })
        expect({ name, isFar: (distances[0] ?? 0) > 40 }).toEqual({ name, isFar: true })
      }
    },
  )

  it('is read in as many parts as JPEG needs', async () => {
    const profile = writeTableProfile('mft2', 3, 33, red)
    expect(profile.length).toBeGreaterThan(2 * 65536)
    const plain = await image().jpeg({ quality: 98 }).toBuffer()
    const file = await attachProfile(plain, profile)
    const shown = await shownBySharp(file)
    const distances = (await needlesOf(file)).map(({ hash }) => distance(hash, shown.hash))
    expect(Math.min(...distances)).toBeLessThanOrEqual(10)
  })

  it('is left out, and said to be, if its grid is too fine', async () => {
    const profile = writeTableProfile('mft1', 3, 34, red)
    const file = await attachProfile(await image().webp({ lossless: true }).toBuffer(), profile)
    expect(await scanFile(context, file)).toMatchObject({ coverage: 'scanned', isPartial: true })
  })
})

it('a profile of inks is left out, and said to be', async () => {
  const plain = await sharp({
    create: { width: WIDTH, height: HEIGHT, channels: 3, background: 'red' },
  })
    .toColourspace('cmyk')
    .jpeg()
    .toBuffer()
  expect(await scanFile(context, plain)).toMatchObject({ coverage: 'scanned', isPartial: false })
  const profile = Buffer.from(writeProfile({ power: 2 }))
  profile.write('CMYK', 16)
  const file = await attachProfile(plain, profile)
  expect(await scanFile(context, file)).toMatchObject({ coverage: 'scanned', isPartial: true })
})

it('greys go through the table of a profile', async () => {
  const profile = writeTableProfile('mft2', 1, 256, ([value = 0]) =>
    value < 0.75 ? 0 : 4 * value - 3,
  )
  const plain = await sharp(hidden, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
    .toColourspace('b-w')
    .png(FAST_PNG)
    .toBuffer()
  const file = await attachProfile(plain, profile)
  const shown = await shownBySharp(file)
  const distances = (await needlesOf(file)).map(({ hash }) => distance(hash, shown.hash))
  expect(Math.min(...distances)).toBeLessThanOrEqual(10)
})

/** JPEGs that are decoded in different ways. */
async function jpegs(image: () => Sharp): Promise<Record<string, Buffer>> {
  const options = { quality: 100, chromaSubsampling: '4:4:4' }
  const large = () => image().resize(1120, 840, { kernel: 'cubic' })
  return {
    jpeg: await image().jpeg(options).toBuffer(),
    'jpeg of RGB': rgbJpeg(await image().raw().toBuffer()),
    'progressive jpeg': await image()
      .jpeg({ ...options, progressive: true })
      .toBuffer(),
    'large jpeg': await large().jpeg(options).toBuffer(),
    'large progressive jpeg': await large()
      .jpeg({ ...options, progressive: true })
      .toBuffer(),
  }
}

function rgbJpeg(pixels: Uint8Array): Buffer {
  const components = [0, 1, 2].map((c) => ({
    ...{ h: 1, v: 1 },
    sample: (x: number, y: number) =>
      pixels[(Math.min(y, HEIGHT - 1) * WIDTH + Math.min(x, WIDTH - 1)) * 3 + c] ?? 0,
  }))
  return Buffer.from(
    writeJpeg({ width: WIDTH, height: HEIGHT, components, step: 1, adobeTransform: 0 }),
  )
}
