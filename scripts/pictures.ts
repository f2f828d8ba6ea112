import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { scene } from '../test/support/scene.ts'
import { hashgate } from './dev-worker.ts'

/** An upload of the demo. */
export interface DemoFile {
  path: string
  /** Whether it shows one of the listed pictures. */
  isKnown: boolean
}

/** What people do to a picture before they upload it again. */
const COPIES: Record<string, (picture: Sharp) => Sharp> = {
  'original.jpg': (picture) => picture.jpeg({ quality: 92 }),
  'recompressed.jpg': (picture) => picture.jpeg({ quality: 40 }),
  'progressive.jpg': (picture) => picture.jpeg({ quality: 80, progressive: true }),
  'half-size.jpg': (picture) => picture.resize({ width: 480 }).jpeg(),
  'recoloured.jpg': (picture) => picture.modulate({ saturation: 0.3, brightness: 1.1 }).jpeg(),
  'lossless.png': (picture) => picture.png(),
  'small.webp': (picture) => picture.resize({ width: 640 }).webp(),
  'small.gif': (picture) => picture.resize({ width: 320 }).gif(),
}

const KNOWN_SEEDS = [2, 7]
const UNRELATED_SEEDS = [3, 4, 8]

function pictureOf(seed: number): Sharp {
  const { data, width, height, channels } = scene(960, 720, 3, seed)
  return sharp(data, { raw: { width, height, channels } })
}

/**
 * Makes pictures from seeds: two with copies, and three unrelated ones. Writes a hash list of the
 * two.
 */
export async function makePictures(folder: string): Promise<{ list: string; files: DemoFile[] }> {
  const files: DemoFile[] = []
  const originals: string[] = []
  for (const [i, seed] of KNOWN_SEEDS.entries()) {
    for (const [name, encode] of Object.entries(COPIES)) {
      const path = join(folder, `known-${i + 1}-${name}`)
      await encode(pictureOf(seed)).toFile(path)
      files.push({ path, isKnown: true })
      if (name.startsWith('original')) originals.push(path)
    }
  }
  for (const [i, seed] of UNRELATED_SEEDS.entries()) {
    const path = join(folder, `unrelated-${i + 1}.jpg`)
    await pictureOf(seed).jpeg().toFile(path)
    files.push({ path, isKnown: false })
  }
  const list = join(folder, 'list.csv')
  const hashes = (await hashgate('hash', ...originals)).trim().split('\n')
  const lines = hashes.map((line, i) => `${line.split(',')[0]},picture-${i + 1}`)
  await writeFile(list, ['hash,id', ...lines, ''].join('\n'))
  return { list, files }
}
