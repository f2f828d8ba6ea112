import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { open, readSource, type SourceImage } from '../../bench/accuracy/pixels.ts'
import { seeded } from '../../bench/accuracy/seeded.ts'
import { TRANSFORMS } from '../../bench/accuracy/transforms.ts'
import { picture } from '../support/sharp-images.ts'

const WIDTH = 320
const HEIGHT = 200

const SIZES: Record<string, [width: number, height: number]> = {
  'JPEG q 10': [320, 200],
  'AVIF q 50': [320, 200],
  'resize 10 %': [32, 20],
  'resize 200 %': [640, 400],
  'resize to 160 pixels': [160, 100],
  'stretch 20 % across': [384, 200],
  'stretch to a square': [200, 200],
  'quarter turn left': [200, 320],
  'crop 5 % centred': [304, 190],
  'crop 10 % off-centre, to one side or corner': [288, 180],
  'crop 10 % off-centre, uneven': [288, 180],
  'crop to a square': [200, 200],
  'border 10 %, red': [352, 220],
  'letterbox 18 %': [320, 244],
  'pillarbox 18 %': [390, 200],
  'bars to 1:1': [320, 320],
  'blurred bars to 9:16': [320, 569],
  'caption 10 % above, white': [320, 220],
  'caption 20 % above and below together, black': [320, 240],
  'logo 2.5 %, top left': [320, 200],
  'screenshot, phone': [720, 1480],
  'three over each other': [160, 308],
}

let image: SourceImage

beforeAll(async () => {
  image = await readSource('scene', await picture(WIDTH, HEIGHT).png().toBuffer())
})

async function apply(name: string, seed = 1): Promise<Uint8Array> {
  const transform = TRANSFORMS.find((each) => each.name === name)
  const file = await transform?.apply(image, seeded(seed, name))
  if (!file) throw new Error(`there is no transform ${name}`)
  return file
}

/** Those that need nothing but the picture. */
const MADE = TRANSFORMS.filter(({ family }) => family !== 'rendered')

describe('TRANSFORMS', () => {
  it('have names of their own', () => {
    expect(new Set(TRANSFORMS.map(({ name }) => name)).size).toBe(TRANSFORMS.length)
  })

  it.each(MADE.map(({ name }) => name))('%s gives the same picture twice', async (name) => {
    const file = await apply(name)
    expect((await sharp(file).stats()).entropy).toBeGreaterThan(1)
    expect(await apply(name)).toEqual(file)
  })

  it.each(Object.entries(SIZES))('%s gives its size', async (name, [width, height]) => {
    expect(await sharp(await apply(name)).metadata()).toMatchObject({ width, height })
  })

  it.each([2, 3, 5, 6, 8])('Exif orientation %s is shown as it was', async (orientation) => {
    const file = await apply(`Exif orientation ${orientation}`)
    expect(await sharp(file).metadata()).toMatchObject({ orientation })
    const shown = await sharp(file).autoOrient().raw().toBuffer()
    expect(meanDifference(shown, image.pixels.data)).toBeLessThan(6)
    const stored = await open(image.pixels).jpeg({ quality: 85 }).toBuffer()
    expect(file).not.toEqual(stored)
  })

  it('choose by the seed', async () => {
    const files = await Promise.all([1, 2, 3, 4].map((seed) => apply('sticker with text', seed)))
    expect(new Set(files.map((file) => Buffer.from(file).toString('hex'))).size).toBe(4)
  })
})

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  const sum = a.reduce((total, value, i) => total + Math.abs(value - (b[i] ?? 0)), 0)
  return a.length === b.length ? sum / a.length : Infinity
}
