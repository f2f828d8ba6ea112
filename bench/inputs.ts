import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import sharp, { type Sharp } from 'sharp'
import { scene } from '../test/support/scene.ts'

const PICTURES = new URL('../../shared/corpus/', import.meta.url)
const CORPUS = new URL('pdq-reference/', PICTURES)
const PHOTO = new URL('reg-test-input/exif-rotn/exif-rotn-1.jpg', CORPUS)
const SMALL_PHOTO = new URL('bridge-mods/aaa-orig.jpg', CORPUS)

/** The source of the files, for the heading of a report. */
export const source = existsSync(PHOTO)
  ? 'photographs of the PDQ reference'
  : 'generated pictures (there is no corpus)'

/** A photograph of 12 megapixels, as its camera wrote it: baseline JPEG. */
export async function largePhoto(): Promise<Buffer> {
  if (existsSync(PHOTO)) return readFile(PHOTO)
  return noisy(4032, 3024).jpeg({ quality: 94, chromaSubsampling: '4:2:0' }).toBuffer()
}

/** A JPEG of about 1.6 megapixels. */
export async function smallPhoto(): Promise<Buffer> {
  if (existsSync(SMALL_PHOTO)) return readFile(SMALL_PHOTO)
  return noisy(1280, 1280).jpeg({ quality: 90 }).toBuffer()
}

/** A picture with as much detail as a photograph: a scene, and fine noise. */
function noisy(width: number, height: number): Sharp {
  const { data, channels } = scene(width / 4, height / 4, 3, 7)
  const noise = { type: 'gaussian', mean: 128, sigma: 12 } as const
  return sharp(data, { raw: { width: width / 4, height: height / 4, channels } })
    .resize(width, height)
    .composite([
      {
        input: { create: { width, height, channels: 3, background: '#888', noise } },
        blend: 'soft-light',
      },
    ])
}

/** A JPEG of any size with the photograph's detail: scaled down, or tiled. */
export async function photoOf(width: number, height: number): Promise<Buffer> {
  const photo = await largePhoto()
  const { width: tileWidth, height: tileHeight } = await sharp(photo).metadata()
  if (width <= tileWidth || height <= tileHeight) {
    return sharp(photo).resize(width, height).jpeg({ quality: 90 }).toBuffer()
  }
  return sharp({ create: { width, height, channels: 3, background: '#888' } })
    .composite([{ input: photo, tile: true, gravity: 'northwest' }])
    .jpeg({ quality: 90 })
    .toBuffer()
}

/** Hashes of pictures, in hex, unrelated ones first; none without a corpus. */
export function pictureHashes(): string[] {
  const files = ['photos/expected.csv', 'pdq-reference/expected.csv']
  return files.flatMap((name) => {
    const file = new URL(name, PICTURES)
    if (!existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1)
    return lines.flatMap((line) => line.split(',')[0] ?? [])
  })
}
