import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { readJfifThumbnail } from '../../../src/scan/image/jfif.ts'
import type { Needle } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { ascii } from '../../support/jpeg-writer.ts'
import { scene } from '../../support/scene.ts'

const context = { modules: readModules(), digestKinds: [] }
const [WIDTH, HEIGHT] = [96, 72]
const { data: colours } = scene(WIDTH, HEIGHT, 3, 5)
const greys = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => colours[i * 3] ?? 0)
const palette = Array.from({ length: 768 }, (_, i) => 255 - Math.floor(i / 3))

/** Segments of APP0 with a thumbnail, and what that shows. */
const kinds = {
  'JFIF, three bytes a pixel': {
    content: [...ascii('JFIF\0'), 1, 2, 0, 0, 1, 0, 1, WIDTH, HEIGHT, ...colours],
    shown: colours,
  },
  'JFXX, three bytes a pixel': {
    content: [...ascii('JFXX\0'), 0x13, WIDTH, HEIGHT, ...colours],
    shown: colours,
  },
  'JFXX with a palette': {
    content: [...ascii('JFXX\0'), 0x11, WIDTH, HEIGHT, ...palette, ...greys],
    shown: Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      return 255 - (greys[Math.floor(i / 3)] ?? 0)
    }),
  },
}

/** A JPEG of another picture with such segments. */
async function withSegments(...contents: number[][]): Promise<Uint8Array> {
  const { data } = scene(160, 120, 3, 8)
  const plain = await sharp(data, { raw: { width: 160, height: 120, channels: 3 } })
    .jpeg()
    .toBuffer()
  const segments = contents.map((content) => {
    const length = content.length + 2
    return Buffer.from([0xff, 0xe0, length >> 8, length & 255, ...content])
  })
  return Buffer.concat([plain.subarray(0, 2), ...segments, plain.subarray(2)])
}

async function scanned(file: Uint8Array): Promise<{ needles: Needle[]; isPartial: boolean }> {
  const found = await scanFile(context, file)
  if (found.coverage === 'unscannable') throw new Error(found.reason)
  return found
}

describe('a thumbnail that JFIF has as pixels', () => {
  it.each(Object.entries(kinds))('is hashed: %s', async (_, { content, shown }) => {
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const
    const known = await scanned(await sharp(shown, { raw }).png().toBuffer())
    const { needles, isPartial } = await scanned(await withSegments(content))
    const thumbnails = needles.filter(({ probe }) => probe === 'thumbnail')
    expect(thumbnails).toHaveLength(1)
    expect(distance(thumbnails[0]!.hash, known.needles[0]!.hash)).toBe(0)
    expect(isPartial).toBe(false)
  })

  it('is partial where there are two', async () => {
    const contents = Object.values(kinds).map(({ content }) => content)
    const { needles, isPartial } = await scanned(await withSegments(...contents))
    expect(needles.filter(({ probe }) => probe === 'thumbnail')).toHaveLength(1)
    expect(isPartial).toBe(true)
  })

  it.each(Object.entries(kinds))('is ignored if it is truncated: %s', async (_, { content }) => {
    for (const length of [content.length - 1, 20, 9, 8, 7, 6, 5, 4]) {
      const cut = content.slice(0, length)
      expect(readJfifThumbnail(Uint8Array.from(cut))).toBeUndefined()
      const { needles } = await scanned(await withSegments(cut))
      expect(needles.map(({ probe }) => probe)).toEqual(['identity'])
    }
  })
})
