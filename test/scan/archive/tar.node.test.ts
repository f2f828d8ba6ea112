import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  base256,
  paxRecord,
  type TarFile,
  writeGzip,
  writeTar,
} from '../../support/archive-writer.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'

let jpeg: Uint8Array
let png: Uint8Array
const nothing = new Uint8Array(0)

beforeAll(async () => {
  jpeg = await picture(90, 70).jpeg().toBuffer()
  png = await picture(60, 50).png().toBuffer()
})

async function outlineOf(...files: TarFile[]): Promise<string[]> {
  return outline(await scanChunks(writeTar(files)))
}

describe('a TAR archive', () => {
  it('is scanned entry by entry, in chunks of any size', async () => {
    const tar = writeTar([
      { name: 'a.jpg', content: jpeg },
      { name: 'folder', content: nothing, type: '5' },
      { name: 'b', content: png, type: '\0' },
      { name: 'c', content: Buffer.from('a text') },
    ])
    const whole = await scanChunks(tar)
    expect(outline(whole)).toEqual([
      'upload: tar 0 needles',
      'tar: jpeg 1 needles',
      'tar: png 1 needles',
      'tar: unknown unknown-format',
    ])
    for (const cut of [1, 7, 4096]) expect(await scanChunks(tar, cut)).toEqual(whole)
    const packed = gzipSync(tar)
    const unpacked = outline(await scanChunks(packed))
    expect(unpacked.slice(0, 3)).toEqual([
      'upload: gzip 0 needles',
      'gzip: tar 0 needles',
      'tar: jpeg 1 needles',
    ])
    for (const cut of [1, 7, 4096]) expect(outline(await scanChunks(packed, cut))).toEqual(unpacked)
  })

  it('is read with long names, extended headers, and sizes that are no octal digits', async () => {
    const long = { name: '././@LongLink', content: Buffer.from('x'.repeat(600)), type: 'L' }
    const pax = { name: 'pax', content: paxRecord('path', 'y'.repeat(300)), type: 'x' }
    const size = { name: 'pax', content: paxRecord('size', `${png.length}`), type: 'x' }
    const global = { name: 'pax', content: paxRecord('comment', 'z'), type: 'g' }
    const lines = await outlineOf(
      global,
      long,
      { name: 'x', content: jpeg, size: base256(jpeg.length) },
      pax,
      { name: 'y', content: jpeg },
      size,
      { name: 'z', content: png, size: Buffer.from('00000000000\0') },
    )
    expect(lines).toEqual([
      'upload: tar 0 needles',
      'tar: jpeg 1 needles',
      'tar: jpeg 1 needles',
      'tar: png 1 needles',
    ])
  })

  it('tells how many entries are parts of files, and scans the others', async () => {
    const sparse = { name: 'pax', content: paxRecord('GNU.sparse.major', '1'), type: 'x' }
    expect(
      await outlineOf(
        { name: 'a', content: Buffer.from('some'), type: 'S' },
        sparse,
        { name: 'b', content: Buffer.from('parts') },
        { name: 'c', content: jpeg },
      ),
    ).toEqual([
      'upload: tar unsupported-entry 2',
      'tar: unknown unknown-format',
      'tar: unknown unknown-format',
      'tar: jpeg 1 needles',
    ])
  })

  it.each<[string, TarFile[]]>([
    ['a link with data', [{ name: 'a', content: Buffer.from('data'), type: '2' }]],
    ['a size that is no number', [{ name: 'a', content: nothing, size: Buffer.from('9') }]],
    ['an endless size', [{ name: 'a', content: nothing, size: Buffer.alloc(12, 0xff) }]],
    [
      'an extended header that cannot be read',
      [{ name: 'p', content: Buffer.from('9 x'), type: 'x' }],
    ],
    ['a size for all', [{ name: 'p', content: paxRecord('size', '1'), type: 'g' }]],
    [
      'two sizes',
      [
        {
          name: 'p',
          content: Buffer.concat([paxRecord('size', '1'), paxRecord('size', '2')]),
          type: 'x',
        },
      ],
    ],
    [
      'a size in words',
      [
        { name: 'p', content: paxRecord('size', 'x'), type: 'x' },
        { name: 'a', content: nothing },
      ],
    ],
  ])('is ambiguous with %s', async (_, files) => {
    const [archive] = await outlineOf(...files, { name: 'z', content: jpeg })
    expect(archive).toBe('upload: tar ambiguous-archive 1')
  })

  it('is searched for images behind what cannot be read', async () => {
    const link = { name: 'a', content: Buffer.from('data'), type: '2' }
    expect(await outlineOf(link, { name: 'z', content: jpeg })).toEqual([
      'upload: tar ambiguous-archive 1',
      'embedded: jpeg 1 needles',
    ])
    const broken = Buffer.concat([
      writeTar([{ name: 'a', content: png }]).subarray(0, -1024),
      Buffer.alloc(512, 1),
      jpeg,
    ])
    expect(outline(await scanChunks(broken))).toEqual([
      'upload: tar damaged',
      'tar: png 1 needles',
      'embedded: jpeg 1 needles',
    ])
  })

  it('is damaged if it is truncated, and read on after its end', async () => {
    const tar = writeTar([{ name: 'a', content: jpeg }])
    const [archive] = outline(await scanChunks(tar.subarray(0, 600)))
    expect(archive).toBe('upload: tar damaged 1')
    const two = Buffer.concat([tar, writeTar([{ name: 'b', content: png }])])
    expect(outline(await scanChunks(two))).toEqual([
      'upload: tar 0 needles',
      'tar: jpeg 1 needles',
      'tar: png 1 needles',
    ])
  })

  it('takes extended headers up to 64 KiB', async () => {
    const headerOf = (bytes: number) => {
      const content = paxRecord('comment', 'x'.repeat(bytes - 15))
      expect(content.length).toBe(bytes)
      return { name: 'pax', content, type: 'x' }
    }
    expect(await outlineOf(headerOf(65536), { name: 'a', content: jpeg })).toContain(
      'tar: jpeg 1 needles',
    )
    expect((await outlineOf(headerOf(65537), { name: 'a', content: jpeg }))[0]).toBe(
      'upload: tar over-limit 1',
    )
  })
})

describe('a gzip file', () => {
  it('is its content, in chunks of any size, whatever its header has', async () => {
    const extra = Buffer.from('some extra bytes')
    const headers = [{}, { extra }, { name: 'a' }, { comment: 'b' }, { hasCrc: true as const }]
    for (const fields of [...headers, Object.assign({}, ...headers), { extra: nothing }]) {
      const file = writeGzip(jpeg, fields)
      const whole = await scanChunks(file)
      expect(outline(whole)).toEqual(['upload: gzip 0 needles', 'gzip: jpeg 1 needles'])
      for (const cut of [1, 7, 4096]) expect(await scanChunks(file, cut)).toEqual(whole)
    }
  })

  it('is one file of several members, and what is behind them is searched', async () => {
    const members = [jpeg.subarray(0, 500), jpeg.subarray(500)].map((part) => writeGzip(part))
    const file = Buffer.concat([...members, Buffer.from('\0\0\0garbage'), png])
    for (const cut of [1, 4096]) {
      expect(outline(await scanChunks(file, cut))).toEqual([
        'upload: gzip 0 needles',
        'gzip: jpeg 1 needles',
        'embedded: png 1 needles',
      ])
    }
  })

  it('is damaged with a wrong CRC, or cut off', async () => {
    const good = writeGzip(jpeg)
    const broken = Uint8Array.from(good).fill(0xff, 20, 60)
    for (const file of [
      writeGzip(jpeg, {}, 7),
      good.subarray(0, -1),
      broken,
      good.subarray(0, 9),
    ]) {
      expect(outline(await scanChunks(file))[0]).toBe('upload: gzip damaged 1')
    }
  })

  it('is a bomb over a ratio, and empty with nothing in it', async () => {
    const bomb = gzipSync(gzipSync(new Uint8Array(40_000_000)))
    expect(outline(await scanChunks(bomb))).toContain('gzip: gzip over-limit 1')
    expect(outline(await scanChunks(gzipSync(nothing)))).toEqual(['upload: gzip 0 needles'])
  })
})
