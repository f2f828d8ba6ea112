import { createHash } from 'node:crypto'
import { zipSync } from 'fflate'
import { beforeAll, describe, expect, it } from 'vitest'
import { allFiles } from '../../../src/scan/scanned.ts'
import { writeTar, writeZip, type ZipFile, type ZipOptions } from '../../support/archive-writer.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'

let jpeg: Uint8Array
let png: Uint8Array
let webp: Uint8Array
const text = Buffer.from('A text that says nothing. '.repeat(50))

beforeAll(async () => {
  jpeg = await picture(90, 70).jpeg().toBuffer()
  png = await picture(60, 50, 3, 3).png().toBuffer()
  webp = await picture(64, 64, 3, 5).webp().toBuffer()
})

async function outlineOf(files: ZipFile[], options?: ZipOptions): Promise<string[]> {
  return outline(await scanChunks(writeZip(files, options)))
}

describe('a ZIP archive', () => {
  it('is scanned entry by entry, by needles and by digests', async () => {
    const zip = zipSync({ 'a.txt': text, 'b/c.dat': [jpeg, { level: 0 }], 'd.gif': png })
    const scanned = await scanChunks(zip)
    expect(outline(scanned)).toEqual([
      'upload: zip 0 needles',
      'zip: unknown unknown-format',
      'zip: jpeg 1 needles',
      'zip: png 1 needles',
    ])
    const sha256 = allFiles(scanned).map(({ digests }) => Buffer.from(digests!.sha256!))
    const truth = [zip, text, jpeg, png].map((file) => createHash('sha256').update(file).digest())
    expect(sha256).toEqual(truth)
  })

  it('gives the same for bytes in chunks of any size', async () => {
    const inner = writeZip([{ name: 'x.webp', content: webp, method: 0 }])
    const zip = writeZip(
      [
        { name: 'a.jpg', content: jpeg, method: 0 },
        { name: 'b.png', content: png, hasDescriptor: true },
        { name: 'c.zip', content: inner, isZip64: true },
        { name: 'd.txt', content: text, flags: 1 },
      ],
      { isZip64: true, comment: Buffer.from('PK') },
    )
    const whole = await scanChunks(zip)
    expect(outline(whole)).toEqual([
      'upload: zip encrypted-entry 1',
      'zip: jpeg 1 needles',
      'zip: png 1 needles',
      'zip: zip 0 needles',
      'zip: webp 1 needles',
    ])
    for (const cut of [1, 7, 4096]) expect(await scanChunks(zip, cut)).toEqual(whole)
  })

  it.each([0, 8])('is read with Zip64 fields and descriptors, method %i', async (method) => {
    for (const isZip64 of [false, true]) {
      for (const hasDescriptor of method === 8 ? [false, true] : [false]) {
        const file = { name: 'a', content: jpeg, method, isZip64, hasDescriptor }
        const files = [file, { ...file, name: 'b' }]
        expect(await outlineOf(files, { isZip64 })).toEqual([
          'upload: zip 0 needles',
          ...Array.from({ length: 2 }, () => 'zip: jpeg 1 needles'),
        ])
      }
    }
  })

  it('is read with directories, empty files, and names of any bytes', async () => {
    const files = [
      { name: 'folder/', content: new Uint8Array(0), method: 0 },
      { name: 'late/', content: new Uint8Array(0), method: 0, hasDescriptor: true },
      { name: 'empty', content: new Uint8Array(0) },
      { name: 'a.txt\0.jpg', content: jpeg },
      { name: Uint8Array.of(0xff, 0x50, 0x4b), content: png },
    ]
    expect(await outlineOf(files)).toEqual([
      'upload: zip 0 needles',
      'zip: jpeg 1 needles',
      'zip: png 1 needles',
    ])
    expect(await outlineOf([])).toEqual(['upload: zip 0 needles'])
  })

  it('tells how many entries cannot be read, and scans the others', async () => {
    const unread = [
      { name: 'a', content: text, flags: 1 },
      { name: 'b', content: text, flags: 1, hasDescriptor: true },
      { name: 'c', content: text, method: 12 },
      { name: 'd', content: text, method: 99 },
    ]
    const lines = await outlineOf([...unread, { name: 'e', content: jpeg }])
    expect(lines).toEqual(['upload: zip encrypted-entry 4', 'zip: jpeg 1 needles'])
    expect(await outlineOf([{ name: 'c', content: text, method: 14 }])).toEqual([
      'upload: zip unsupported-entry 1',
    ])
    expect(await outlineOf([{ name: 'c', content: text, method: 0, hasDescriptor: true }])).toEqual(
      ['upload: zip unsupported-entry 1'],
    )
  })

  it('is damaged if its data is, and scanned as far as it goes', async () => {
    const zip = writeZip([
      { name: 'a', content: text, local: { crc: 1 }, central: { crc: 1 } },
      { name: 'b', content: text, data: Buffer.from([7, 7, 7, 7]) },
      { name: 'c', content: jpeg },
    ])
    expect(outline(await scanChunks(zip))).toEqual([
      'upload: zip damaged 2',
      'zip: unknown unknown-format',
      'zip: jpeg 1 needles',
    ])
    for (const length of [zip.length - 1, zip.length - 30]) {
      expect(outline(await scanChunks(zip.subarray(0, length)))[0]).toBe('upload: zip damaged 2')
    }
    const cut = writeZip([{ name: 'c', content: jpeg }]).subarray(0, 800)
    expect(outline(await scanChunks(cut))[0]).toBe('upload: zip damaged 1')
  })
})

describe('an ambiguous ZIP archive', () => {
  const a = { name: 'a', content: text }
  const b = { name: 'b', content: text, method: 0 }

  it.each<[string, ZipFile[], ZipOptions?]>([
    ['name', [{ ...a, central: { name: 'c' } }]],
    ['longer name', [{ ...a, central: { name: 'a\0' } }]],
    ['size', [{ ...a, central: { bytes: 5 } }]],
    ['size of both', [{ ...a, local: { bytes: 5 }, central: { bytes: 5 } }]],
    ['compressed size', [{ ...a, central: { compressedBytes: 5 } }]],
    ['size behind the data', [{ ...a, hasDescriptor: true, central: { bytes: 5 } }]],
    ['method', [{ ...b, central: { method: 8 } }]],
    ['encryption', [{ ...b, central: { flags: 1 } }]],
    ['CRC', [{ ...a, central: { crc: 7 } }]],
    ['offset', [a, { ...b, central: { offset: 0 } }]],
    ['offset of nothing', [a, { ...b, central: { offset: 3 } }]],
    ['two records for one file', [a, { ...a, only: 'central', central: { offset: 0 } }]],
    ['a record for no file', [a, { ...b, only: 'central' }]],
    ['a file without a record', [a, { ...b, only: 'local' }]],
    ['a file in a gap', [a, { ...b, gap: writeZip([a]).subarray(0, 60) }]],
    ['more entries', [a, b], { end: { entries: 3 } }],
    ['fewer entries', [a, b], { end: { entries: 1 } }],
    ['a longer directory', [a, b], { end: { directoryBytes: 200 } }],
    ['a later directory', [a, b], { end: { directoryOffset: 20 } }],
    ['a directory behind the end', [a, b], { end: { directoryOffset: 200_000 } }],
    ['Zip64 entries', [a, b], { isZip64: true, end: { entries: 7 } }],
    ['Zip64 offset', [a, b], { isZip64: true, end: { directoryOffset: 7 } }],
    ['two ends', [a, b], { comment: writeZip([]) }],
    [
      'data behind the stream',
      [{ ...a, data: Buffer.from([3, 0, 1, 2, 3, 4]), content: Buffer.of() }],
    ],
  ])('is one that disagrees with itself in %s', async (_, files, options) => {
    const [archive] = await outlineOf(files, options)
    expect(archive).toMatch(/^upload: zip ambiguous-archive/)
  })

  it('is one of two archives, one behind the other, and both are scanned', async () => {
    const two = Buffer.concat([
      writeZip([{ name: 'a', content: jpeg }]),
      writeZip([{ name: 'b', content: png }]),
    ])
    expect(outline(await scanChunks(two))).toEqual([
      'upload: zip ambiguous-archive',
      'zip: jpeg 1 needles',
      'zip: png 1 needles',
    ])
  })

  it('is one whose compressed data hides another directory', async () => {
    const hidden = writeZip([{ name: 'x', content: jpeg, method: 0 }])
    // A deflate stream of one stored block, so that the archive in it lies there as it is.
    const length = Buffer.alloc(4)
    length.writeUInt16LE(hidden.length)
    length.writeUInt16LE(~hidden.length & 0xffff, 2)
    const data = Buffer.concat([Buffer.of(1), length, hidden])
    const outer = writeZip([{ name: 'o', content: hidden, data }])
    const [archive, ...inner] = outline(await scanChunks(outer))
    expect(archive).toBe('upload: zip ambiguous-archive')
    expect(inner).toContain('zip: jpeg 1 needles')
  })
})

describe('limits of nested files', () => {
  const many = (count: number) => {
    return Array.from({ length: count }, (_, i) => ({ name: `${i}`, content: text }))
  }

  it('are entries, over all nesting', async () => {
    const zip = writeZip([...many(3), { name: 'z', content: writeZip(many(4)) }])
    expect(outline(await scanChunks(zip, 999, { entries: 8 })).join()).not.toMatch(/over-limit/)
    expect(outline(await scanChunks(zip, 999, { entries: 7 }))).toContain('zip: zip over-limit 1')
    const tar = writeTar(many(3))
    expect(outline(await scanChunks(tar, 999, { entries: 3 }))[0]).toBe('upload: tar 0 needles')
    expect(outline(await scanChunks(tar, 999, { entries: 2 }))[0]).toBe('upload: tar over-limit 1')
  })

  it('are files around a file', async () => {
    let zip = writeZip([{ name: 'a', content: jpeg }])
    for (let depth = 2; depth <= 5; depth++) zip = writeZip([{ name: 'a', content: zip }])
    expect(outline(await scanChunks(zip)).at(-1)).toBe('zip: jpeg 1 needles')
    const deeper = writeZip([{ name: 'a', content: zip }])
    expect(outline(await scanChunks(deeper)).at(-1)).toBe('zip: zip over-limit 1')
  })

  it('are inflated bytes, over all nesting', async () => {
    const content = writeZip([{ name: 'a', content: text }])
    const zip = writeZip([{ name: 'a', content }])
    const inflatedBytes = content.length + text.length
    expect(outline(await scanChunks(zip, 99, { inflatedBytes })).join()).not.toMatch(/over-limit/)
    expect(outline(await scanChunks(zip, 99, { inflatedBytes: inflatedBytes - 1 }))).toContain(
      'zip: zip over-limit 1',
    )
  })

  it('are bytes out for each byte in, of what is large', async () => {
    const bomb = writeZip([{ name: 'a', content: new Uint8Array(1_000_000) }])
    expect(outline(await scanChunks(bomb))[0]).toBe('upload: zip 0 needles')
    const ratioFreeBytes = 100_000
    expect(outline(await scanChunks(bomb, 99, { ratioFreeBytes }))[0]).toBe(
      'upload: zip over-limit 1',
    )
    const enough = { ratioFreeBytes, ratio: 1100 }
    expect(outline(await scanChunks(bomb, 99, enough))[0]).toBe('upload: zip 0 needles')
  })

  it('are bytes of the central directory', async () => {
    const zip = writeZip(many(3))
    const directoryBytes = 3 * 47
    expect(outline(await scanChunks(zip, 99, { directoryBytes }))[0]).toBe('upload: zip 0 needles')
    expect(outline(await scanChunks(zip, 99, { directoryBytes: directoryBytes - 1 }))[0]).toBe(
      'upload: zip over-limit 1',
    )
  })

  it('are bytes that are held for libraries', async () => {
    const zip = writeZip([{ name: 'a', content: webp }])
    expect(outline(await scanChunks(zip, 99, { heldBytes: webp.length }))).toContain(
      'zip: webp 1 needles',
    )
    expect(outline(await scanChunks(zip, 99, { heldBytes: webp.length - 1 }))).toContain(
      'zip: webp over-limit',
    )
  })
})
