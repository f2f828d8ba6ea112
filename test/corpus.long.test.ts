// Reference images and unrelated pictures with the hashes of the C++ reference, where that folder stands beside the
// project's. It is not part of the project: without it these tests are skipped.

import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { distance, formatHash, type Hash256, parseHash } from '../src/util/hash.ts'
import { readModules } from '../src/core/node.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { areaAverage } from './support/area-average.ts'
import { hashLuma } from './support/hash-luma.ts'
import { lumaBySharp } from './support/sharp-images.ts'

const CORPUS = new URL('../../shared/corpus/', import.meta.url)
const isThere = existsSync(CORPUS)
if (!isThere) console.warn('the corpus is not there: comparisons with its hashes are skipped')

interface Expected {
  hash: Hash256
  quality: number
  file: string
  /** The file's content. */
  read: () => Promise<Uint8Array>
}

function readExpected(folder: string): Expected[] {
  if (!isThere) return []
  const lines = readFileSync(new URL(`${folder}/expected.csv`, CORPUS), 'utf8')
    .trim()
    .split('\n')
  return lines.slice(1).map((line) => {
    const [text = '', quality = '', ...rest] = line.split(',')
    const file = rest.join(',')
    const url = new URL(`${folder}/${file}`, CORPUS)
    return { hash: parseHash(text)!, quality: Number(quality), file, read: () => readFile(url) }
  })
}

const reference = readExpected('pdq-reference')
const photos = readExpected('photos')
const context = { modules: readModules() }

/** The hash that `hashgate hash` prints. */
async function hashOf(file: Uint8Array): Promise<Hash256> {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles[0]!.hash
}

/**
 * Bits that a file may be away. A 1-bit dither is all aliasing where the reference takes every n-th pixel. The CMYK file
 * has a colour profile, which the reference's decoder applies and hashgate does not.
 */
function allowedBits(file: string): number {
  return /cmyk|modes\/1\.png/i.test(file) ? 16 : 10
}

/** Reference images of at most 512 pixels a side. The CMYK file has a colour profile, which is applied differently. */
const small: (Expected & { width: number; height: number })[] = []
for (const image of reference) {
  const { width, height, space } = await sharp(await image.read()).metadata()
  if (width <= 512 && height <= 512 && space !== 'cmyk') small.push({ ...image, width, height })
}

describe.runIf(isThere)('the reference images', () => {
  const good = reference.filter(({ quality }) => quality >= 80)

  it.each(good)('is within 10 bits, or 16 with a reason: $file', async ({ file, hash, read }) => {
    expect(distance(await hashOf(await read()), hash)).toBeLessThanOrEqual(allowedBits(file))
  })

  it.each(small)('has the same 256 bits, being at most 512 pixels a side: $file', async (image) => {
    const luma = await lumaBySharp(await image.read())
    expect(formatHash(hashLuma(luma, image.width, image.height))).toBe(formatHash(image.hash))
  })
})

describe.runIf(isThere)('the photos', () => {
  it('are within 10 bits for 93 of 100', async () => {
    const distances = []
    for (const { hash, read } of photos) distances.push(distance(await hashOf(await read()), hash))
    const near = distances.filter((bits) => bits <= 10).length
    expect(near / photos.length).toBeGreaterThanOrEqual(0.93)
  })

  it('are moved by at most 4 bits by decoding at reduced scale', async () => {
    const moved = new Map<string, number>()
    for (const { file, quality, read } of photos) {
      // The full decode here is rounded to bytes, which moves a hash of low quality as well.
      if (!/\.jpe?g$/i.test(file) || quality < 80) continue
      const bytes = await read()
      const { width, height } = await sharp(bytes).metadata()
      if (Math.max(width, height) < 1000 || width * height > 9e6) continue
      const plane = areaAverage(await lumaBySharp(bytes), [width, height])
      moved.set(file, distance(await hashOf(bytes), hashLuma(plane, 512, 512)))
    }
    expect(moved.size).toBeGreaterThan(20)
    expect([...moved].filter(([, bits]) => bits > 4)).toEqual([])
  })
})
