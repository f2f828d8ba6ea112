// Where held files end, so that what follows is neither held nor waited for.

import { describe, expect, it } from 'vitest'
import { isoLength } from '../../../src/scan/image/iso-boxes.ts'
import { tiffLength } from '../../../src/scan/image/tiff/tiff.ts'
import { HEIC, HEIC_ALPHA } from '../../support/heic-files.ts'
import { randomBytes } from '../../support/random.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'
import { writeTiff } from '../../support/tiff-writer.ts'

const image = picture(90, 70)
const avif = await image.clone().avif({ effort: 0 }).toBuffer()
const tiff = await image.clone().tiff({ compression: 'lzw' }).toBuffer()
const grey = { 256: [40], 257: [40], 258: [8], 259: [1], 262: [1], 277: [1], 278: [40] }
const pages = [1, 2].map((seed) => ({ tags: grey, segments: [randomBytes(1600, seed)] }))

/** Bytes after which a length is known, by asking for what it says that it needs. */
function looksOf(length: (file: Uint8Array) => number, file: Uint8Array): number[] {
  const looks = [length(file.subarray(0, 1))]
  for (let at = looks[0]!; at < file.length; looks.push(at)) {
    const next = length(file.subarray(0, at))
    if (next <= at) return looks
    at = next
  }
  return looks
}

describe('isoLength', () => {
  it.each([
    ['AVIF', avif],
    ['HEIC', HEIC],
    ['HEIC with alpha', HEIC_ALPHA],
  ])('tells the end of %s, whatever follows', (_, file) => {
    for (const filler of [new Uint8Array(100), randomBytes(100, 3)]) {
      const behind = Buffer.concat([file, filler])
      expect(isoLength(behind)).toBe(file.length)
      expect(looksOf(isoLength, behind).length).toBeLessThan(8)
    }
    expect(isoLength(file)).toBeGreaterThan(file.length) // boxes may follow
    expect(isoLength(file.subarray(0, -1))).toBeGreaterThanOrEqual(file.length)
  })

  it('goes on through boxes that follow, and tells no end of one without', () => {
    const free = Buffer.from('\0\0\0\x10free12345678', 'latin1')
    const behind = Buffer.concat([avif, free, new Uint8Array(50)])
    expect(isoLength(behind)).toBe(avif.length + free.length)
    const open = Buffer.concat([avif, Buffer.from('\0\0\0\0mdat', 'latin1'), new Uint8Array(50)])
    expect(isoLength(open)).toBe(Infinity)
    const film = Buffer.concat([avif, Buffer.from('\0\0\0\x08moov', 'latin1'), new Uint8Array(50)])
    expect(isoLength(film)).toBe(Infinity)
    expect(isoLength(new Uint8Array(100))).toBe(Infinity)
  })

  it('includes items that lie behind the boxes', () => {
    const moved = Buffer.from(avif)
    const at = moved.indexOf('mdat') - 4
    const gap = Buffer.concat([moved.subarray(0, at), new Uint8Array(500), moved.subarray(at)])
    const meta = gap.indexOf('iloc')
    // The one item's offset, in the last 12 bytes of the box: offset, length.
    const start = gap.indexOf(moved.subarray(at + 8, at + 40))
    for (let i = meta; i < meta + 40; i++)
      if (gap.readUInt32BE(i) === at + 8) gap.writeUInt32BE(start, i)
    expect(isoLength(Buffer.concat([gap, new Uint8Array(50)]))).toBe(gap.length)
  })
})

describe('tiffLength', () => {
  it.each([
    ['made by libtiff', tiff],
    ['of two pages', writeTiff(pages)],
    ['of two pages, big and the other way round', writeTiff(pages, false, true)],
  ])('tells the end of one %s', (_, file) => {
    const behind = Buffer.concat([file, randomBytes(1000, 4)])
    const end = tiffLength(behind)
    expect(end).toBeGreaterThan(file.length - 12)
    expect(end).toBeLessThanOrEqual(file.length)
    expect(looksOf(tiffLength, behind).length).toBeLessThan(12)
  })

  it('tells none where a strip has no length', () => {
    const open = writeTiff([{ tags: { ...grey, 279: [] }, segments: [randomBytes(1600, 1)] }])
    expect(tiffLength(open)).toBe(Infinity)
  })
})

describe('a held image', () => {
  it.each([
    ['avif', avif],
    ['tiff', tiff],
  ])('is read to its end, and what follows takes no room: %s', async (format, file) => {
    const limits = { heldBytes: file.length + 5000 }
    const behind = Buffer.concat([file, new Uint8Array(100_000)])
    for (const cut of [7, 4096]) {
      expect(outline(await scanChunks(behind, cut, limits))).toEqual([
        `upload: ${format} 1 needles`,
      ])
      const twice = Buffer.concat([randomBytes(100, 1), file, randomBytes(100, 2), file])
      const room = { heldBytes: 2 * file.length + 5000 }
      expect(outline(await scanChunks(twice, cut, room)).slice(1)).toEqual(
        [0, 1].map(() => `embedded: ${format} 1 needles`),
      )
    }
  })
})
