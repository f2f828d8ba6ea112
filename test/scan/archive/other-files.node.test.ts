import { Buffer } from 'node:buffer'
import { beforeAll, describe, expect, it } from 'vitest'
import { scanFile } from '../../../src/scan/scanner.ts'
import { readModules } from '../../../src/core/node.ts'
import { box } from '../../support/avif-parts.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'

const latin = (text: string) => Buffer.from(text, 'latin1')
const pad = (text: string) => Buffer.concat([latin(text), Buffer.alloc(2000)])

describe('vector drawings and video', () => {
  const files = {
    svg: latin(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9"/></svg>',
    ),
    eps: latin(
      '%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n0 0 moveto 9 9 lineto stroke\n%%EOF\n',
    ),
    'eps with a header': pad('\xc5\xd0\xd3\xc6\x20\0\0\0'),
    wmf: pad('\xd7\xcd\xc6\x9a\0\0\0\0\0\0'),
    emf: pad('\x01\0\0\0\x6c\0\0\0'),
    ai: latin('%PDF-1.5\n1 0 obj <</Type/Catalog>> endobj\n%%EOF\n'),
    mp4: pad('\0\0\0\x18ftypisom\0\0\x02\0isommp42\0\0\0\x08moov'),
    mov: pad('\0\0\0\x14ftypqt  \0\0\x02\0qt  \0\0\0\x08wide'),
    '3gp': pad('\0\0\0\x18ftyp3gp5\0\0\x01\0isom3gp5'),
    webm: pad('\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm'),
    avi: pad('RIFF\0\x08\0\0AVI LIST'),
    'mpeg program': pad('\0\0\x01\xba\x44\0\x04\0\x04\x01'),
    'mpeg transport': pad('\x47\x40\0\x10\0'),
    flv: pad('FLV\x01\x05\0\0\0\x09'),
    ogg: pad('OggS\0\x02'),
    wmv: pad('\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c'),
  }

  it.each(Object.entries(files))('are unscannable, with digests: %s', async (_, file) => {
    const scanned = await scanFile({ modules: readModules() }, file)
    expect(scanned).toMatchObject({ coverage: 'unscannable', bytes: file.length, digests: {} })
    expect(['unknown-format', 'unsupported-format']).toContain(
      scanned.coverage === 'unscannable' && scanned.reason,
    )
  })
})

describe('cover art', () => {
  let jpeg: Buffer
  let png: Buffer
  beforeAll(async () => {
    jpeg = await picture(90, 70).jpeg().toBuffer()
    png = await picture(90, 70, 3, 2).png().toBuffer()
  })

  const u32 = (value: number) => [
    value >>> 24,
    (value >> 16) & 255,
    (value >> 8) & 255,
    value & 255,
  ]
  const cover = (image: Buffer, kind: number) =>
    box('covr', box('data', Uint8Array.from([...u32(kind), ...u32(0)]), image))
  const movie = (brand: string, image: Buffer, kind: number) =>
    Buffer.concat([
      Uint8Array.from(box('ftyp', latin(`${brand}\0\0\x02\0${brand}mp42`))),
      Uint8Array.from(
        box('moov', box('udta', box('meta', u32(0), box('ilst', cover(image, kind))))),
      ),
      Uint8Array.from(box('mdat', Buffer.alloc(4000, 0x55))),
    ])
  /** ID3v2.3: its size has 7 bits a byte. */
  const song = (image: Buffer) => {
    const body = Buffer.concat([latin('\0image/jpeg\0\x03\0'), image])
    const frame = Buffer.concat([latin('APIC'), Uint8Array.from([...u32(body.length), 0, 0]), body])
    const size = [21, 14, 7, 0].map((shift) => (frame.length >> shift) & 127)
    return Buffer.concat([
      latin('ID3\x03\0\0'),
      Uint8Array.from(size),
      frame,
      pad('\xff\xfb\x90\0'),
    ])
  }
  /** An attachment of Matroska: its name, media type and data. */
  const attachment = (image: Buffer) => {
    const element = (id: string, data: Buffer) =>
      Buffer.concat([
        latin(id),
        Uint8Array.from([0x10 | (data.length >> 24), ...u32(data.length).slice(1)]),
        data,
      ])
    const parts = [
      element('\x46\x6e', latin('cover.png')),
      element('\x46\x60', latin('image/png')),
      element('\x46\x5c', image),
    ]
    const file = element('\x19\x41\xa4\x69', element('\x61\xa7', Buffer.concat(parts)))
    return Buffer.concat([pad('\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska'), file])
  }

  it('is hashed in MP4, QuickTime, MP3 and Matroska', async () => {
    const files: [Uint8Array, 'jpeg' | 'png'][] = [
      [movie('isom', jpeg, 13), 'jpeg'],
      [movie('M4V ', png, 14), 'png'],
      [movie('qt  ', jpeg, 13), 'jpeg'],
      [song(jpeg), 'jpeg'],
      [attachment(png), 'png'],
    ]
    for (const [file, format] of files) {
      const lines = ['upload: unknown unknown-format', `embedded: ${format} 1 needles`]
      expect(outline(await scanChunks(file))).toEqual(lines)
      expect(outline(await scanChunks(file, 97))).toEqual(lines)
    }
  })

  it.each([0, 1])('is found where its first segment has a length of %i', async (length) => {
    const short = Uint8Array.from([0xff, 0xd8, 0xff, 0xe5, 0, length])
    const file = Buffer.concat([pad('x'), short, jpeg.subarray(2)])
    expect(outline(await scanChunks(file))).toEqual([
      'upload: unknown unknown-format',
      'embedded: jpeg 1 needles',
    ])
  })
})
