import { beforeAll, describe, expect, it } from 'vitest'
import type { CoreModules } from '../../../src/core/modules.ts'
import { SCAN_LIMITS } from '../../../src/scan/limits.ts'
import { writeTar, writeZip } from '../../support/archive-writer.ts'
import { writeBmp } from '../../support/bmp-writer.ts'
import { countWork } from '../../support/count-work.ts'
import { addExif, writeExif } from '../../support/exif-writer.ts'
import { randomBytes } from '../../support/random.ts'
import { allFiles, type ScannedFile } from '../../../src/scan/scanned.ts'
import { formatHash } from '../../../src/util/hash.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { writeTiff } from '../../support/tiff-writer.ts'
import { picture } from '../../support/sharp-images.ts'

type Encoded = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'tiff' | 'bmp'

/** A grey page of 40 x 40. */
const TAGS = { 256: [40], 257: [40], 258: [8], 259: [1], 262: [1], 277: [1], 278: [40] }
const files = {} as Record<Encoded, Uint8Array>
let other: Uint8Array
let zip: Uint8Array

beforeAll(async () => {
  const image = picture(90, 70)
  files.jpeg = await image.clone().jpeg().toBuffer()
  files.png = await image.clone().png().toBuffer()
  files.gif = await image.clone().gif().toBuffer()
  files.webp = await image.clone().webp().toBuffer()
  files.avif = await image.clone().avif({ effort: 0 }).toBuffer()
  files.tiff = await image.clone().tiff({ compression: 'lzw' }).toBuffer()
  files.bmp = bmpOf(await image.clone().raw().toBuffer(), 90, 70)
  other = await picture(60, 50, 3, 2).jpeg().toBuffer()
  zip = writeZip([{ name: 'a', content: other, method: 0 }])
})

function bmpOf(rgb: Buffer, width: number, height: number): Uint8Array {
  const pixel = (x: number, y: number) => rgb.readUIntBE((y * width + x) * 3, 3)
  return writeBmp({ width, height, bits: 24, pixel })
}

/** A PDF with an image in it, as far as it matters here. */
function pdfOf(image: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from('%PDF-1.7\n1 0 obj <</Subtype/Image/Filter/DCTDecode>> stream\n'),
    image,
    Buffer.from('\nendstream endobj\ntrailer <<>>\n%%EOF\n'),
  ])
}

describe('images by their signatures', () => {
  it.each<Encoded>(['jpeg', 'png', 'gif', 'webp', 'avif', 'tiff', 'bmp'])(
    'are found in files of unknown kind, in chunks of any size: %s',
    async (format) => {
      const file = Buffer.concat([randomBytes(3000, 1), files[format], randomBytes(3000, 2)])
      const whole = await scanChunks(file)
      expect(outline(whole)).toEqual([
        'upload: unknown unknown-format',
        `embedded: ${format} 1 needles`,
      ])
      for (const cut of [1, 7, 4096]) expect(await scanChunks(file, cut)).toEqual(whole)
    },
  )

  it('are found in PDF', async () => {
    const pdf = Buffer.concat([pdfOf(files.jpeg), pdfOf(other)])
    expect(outline(await scanChunks(pdf))).toEqual([
      'upload: pdf unsupported-format',
      'pdf: jpeg 1 needles',
      'pdf: jpeg 1 needles',
    ])
  })

  it.each<Encoded>(['jpeg', 'png', 'gif', 'webp', 'avif', 'tiff', 'bmp'])(
    'are found behind a %s',
    async (format) => {
      const file = Buffer.concat([files[format], other])
      expect(outline(await scanChunks(file))).toEqual([
        `upload: ${format} 1 needles`,
        'embedded: jpeg 1 needles',
      ])
    },
  )

  it('are told apart from thumbnails, which are hashed with their image', async () => {
    const file = addExif(files.jpeg, writeExif(1, other))
    expect(outline(await scanChunks(file))).toEqual(['upload: jpeg 2 needles'])
  })

  it('are not begun for a thumbnail, which is decoded with its image', async () => {
    const file = addExif(files.jpeg, writeExif(1, other))
    const none = { embeddedStarts: 0 }
    expect(outline(await scanChunks(file, file.length, none))).toEqual(['upload: jpeg 2 needles'])
    const twice = Buffer.concat([file, other, files.png])
    expect(outline(await scanChunks(twice, twice.length, { embeddedStarts: 1 }))).toEqual([
      'upload: jpeg 2 needles',
      'embedded: png 1 needles',
    ])
  })

  it.each([1e6, 20_000, 700])(
    'are thumbnails of images that cannot be scanned, in chunks of %d bytes',
    async (bytes) => {
      const file = addExif(files.jpeg, writeExif(1, other))
      const jpeg = Buffer.from(files.jpeg)
      const frame = file.length - jpeg.length + jpeg.indexOf('ffc0', 'hex') + 1
      for (const [what, broken] of [
        ['truncated', file.subarray(0, frame + 300)],
        ['unsupported-variant', Uint8Array.from(file, (byte, i) => (i === frame ? 0xc9 : byte))],
      ] as const) {
        const outlined = outline(await scanChunks(broken, bytes))
        expect(outlined).toEqual([`upload: jpeg ${what}`, 'embedded: jpeg 1 needles'])
      }
    },
  )

  it('are found where a thumbnail is only the beginning of them', async () => {
    const cut = other.subarray(0, Math.floor(other.length * 0.8))
    const exif = Buffer.concat([writeExif(1, cut), other.subarray(cut.length)])
    const file = addExif(files.jpeg, exif)
    const [, embedded] = allFiles(await scanChunks(file))
    const whole = await scanChunks(other)
    expect(embedded).toMatchObject({ within: 'embedded', coverage: 'scanned' })
    const hashes = (scanned: ScannedFile | undefined) =>
      scanned?.coverage === 'scanned' ? scanned.needles.map(({ hash }) => formatHash(hash)) : []
    expect(hashes(embedded)).toEqual(hashes(whole))
  })

  it('are told if they have a size and cannot be read, and not if they have none', async () => {
    const cut = Buffer.concat([randomBytes(2000, 3), files.png.subarray(0, 60)])
    expect(outline(await scanChunks(cut))).toEqual([
      'upload: unknown unknown-format',
      'embedded: png truncated',
    ])
    const signatures = Buffer.concat([randomBytes(2000, 3), files.png.subarray(0, 12)])
    expect(outline(await scanChunks(signatures))).toEqual(['upload: unknown unknown-format'])
  })

  it('are not seen in megabytes of noise', async () => {
    const noise = randomBytes(4_000_000, 7)
    expect(outline(await scanChunks(noise, 65536))).toEqual(['upload: unknown unknown-format'])
  })
})

describe('TIFF by its signature and first directory', () => {
  const strips = [new Uint8Array(40 * 40).fill(9)]

  it.each(['none', 'lzw', 'deflate', 'jpeg', 'packbits'] as const)(
    'is found behind a text, in an image and in a form of its own: %s',
    async (compression) => {
      const tiff = await picture(90, 70).tiff({ compression }).toBuffer()
      for (const front of [Buffer.from('avatar='), files.gif, other]) {
        const file = Buffer.concat([front, tiff, randomBytes(500, 5)])
        const [, ...found] = outline(await scanChunks(file))
        expect(found).toEqual(['embedded: tiff 1 needles'])
        for (const cut of [1, 7, 4096]) {
          expect(outline(await scanChunks(file, cut)).slice(1)).toEqual(found)
        }
      }
    },
  )

  it('is found in either byte order, as BigTIFF, and with its directory before its samples', async () => {
    const grey = await picture(64, 64).greyscale().raw().toBuffer()
    for (const isLittle of [true, false]) {
      for (const isBig of [true, false]) {
        const size = { 256: [64], 257: [64], 258: [8], 259: [1], 262: [1], 277: [1], 278: [64] }
        const tiff = writeTiff([{ tags: size, segments: [grey] }], isLittle, isBig)
        const file = Buffer.concat([randomBytes(77, 1), tiff])
        const plain = await scanChunks(tiff)
        const [, embedded] = allFiles(await scanChunks(file, 50))
        expect(embedded).toMatchObject({ coverage: 'scanned', format: 'tiff' })
        expect(embedded?.coverage === 'scanned' && embedded.needles).toEqual(
          plain.coverage === 'scanned' && plain.needles,
        )
      }
    }
  })

  it('is not seen in an Exif block, nor where no directory of a picture is', async () => {
    const exif = addExif(files.jpeg, writeExif(6))
    for (const cut of [1, 700, 1e6]) {
      expect(outline(await scanChunks(exif, cut, { embeddedStarts: 0, heldBytes: 0 }))).toEqual([
        'upload: jpeg 2 needles',
      ])
    }
    const bare = ['II*\0\x08\0\0\0', 'MM\0*\0\0\x20\0', 'II+\0\x08\0\0\0', 'II*\0\xff\xff\xff\xff']
    for (const head of bare) {
      const file = Buffer.concat([
        randomBytes(2000, 1),
        Buffer.from(head, 'latin1'),
        randomBytes(20_000, 2),
      ])
      expect(outline(await scanChunks(file))).toEqual(['upload: unknown unknown-format'])
    }
  })

  it('does not count in an Exif block that says where samples were in another file', async () => {
    const page = { tags: { ...TAGS, 256: [4000], 257: [3000], 278: [3000] }, segments: strips }
    const left = Buffer.concat([Buffer.from('Exif\0\0'), writeTiff([page])])
    const length = Buffer.from([0xff, 0xe1, (left.length + 2) >> 8, (left.length + 2) & 255])
    const file = Buffer.concat([files.jpeg.subarray(0, 2), length, left, files.jpeg.subarray(2)])
    for (const cut of [1, 9, 1e6])
      expect(outline(await scanChunks(file, cut))).toEqual(['upload: jpeg 1 needles'])
    const free = Buffer.concat([randomBytes(99, 1), left.subarray(6)])
    expect(outline(await scanChunks(free))).toEqual([
      'upload: unknown unknown-format',
      'embedded: tiff damaged',
    ])
  })

  it('is over the limit if it is longer than what may be held', async () => {
    const file = Buffer.concat([randomBytes(99, 1), files.tiff])
    for (const heldBytes of [100, files.tiff.length - 1]) {
      expect(outline(await scanChunks(file, 64, { heldBytes }))).toEqual([
        'upload: unknown unknown-format',
        'embedded: tiff over-limit',
      ])
    }
    expect(outline(await scanChunks(file, 64, { heldBytes: files.tiff.length }))).toContain(
      'embedded: tiff 1 needles',
    )
  })

  it('costs little where only its first bytes are, again and again', async () => {
    const file = Buffer.alloc(1_000_000, 'II*\0', 'latin1')
    const none = outline(await scanChunks(Buffer.concat([Buffer.from('-'), file]), 65_536))
    expect(none).toContain('embedded: unknown over-limit')
    const text = Buffer.from('*MII+'.repeat(100_000), 'utf16le')
    expect(outline(await scanChunks(text, 65_536))).toEqual(['upload: unknown unknown-format'])
  })
})

describe('limits of images by their signatures', () => {
  const OVER = 'embedded: unknown over-limit'
  const inNoise = (images: Uint8Array[]) => {
    return Buffer.concat([
      randomBytes(2000, 1),
      ...images.flatMap((image) => [image, randomBytes(99, 2)]),
    ])
  }

  it('are their number', async () => {
    const file = inNoise([files.jpeg, other, files.gif])
    expect(outline(await scanChunks(file, 64, { embeddedImages: 3 }))).not.toContain(OVER)
    expect(outline(await scanChunks(file, 64, { embeddedImages: 2 }))).toEqual([
      'upload: unknown unknown-format',
      'embedded: jpeg 1 needles',
      'embedded: jpeg 1 needles',
      OVER,
    ])
  })

  it('are places that look like one', async () => {
    const fake = Buffer.from('\xff\xd8\xff\xe0\0\x02\xff\0', 'latin1')
    const file = inNoise([fake, fake, files.png])
    expect(outline(await scanChunks(file, 64, { embeddedStarts: 3 }))).toEqual([
      'upload: unknown unknown-format',
      'embedded: png 1 needles',
    ])
    expect(outline(await scanChunks(file, 64, { embeddedStarts: 2 }))).toContain(OVER)
  })

  it('are how many are open at once, and their memory', async () => {
    // A comment that is said to be long hides what follows from whoever reads only one image at a time.
    const hiding = Buffer.from('\xff\xd8\xff\xfe\xff\xff', 'latin1')
    const file = inNoise([hiding, hiding, files.png])
    expect(outline(await scanChunks(file, 64, { embeddedAtOnce: 3 }))).toContain(
      'embedded: png 1 needles',
    )
    expect(outline(await scanChunks(file, 64, { embeddedAtOnce: 2 }))).toContain(OVER)
    const little = outline(await scanChunks(file, 64, { decoderBytes: 1 }))
    expect(little.join()).toMatch(/embedded: \w+ over-limit/)
  })

  it('are bytes of one that does not mark its end', async () => {
    const file = inNoise([files.avif])
    const limits = { embeddedHeldBytes: files.avif.length }
    expect(outline(await scanChunks(file, 64, limits))).toContain('embedded: avif 1 needles')
    limits.embeddedHeldBytes = 200
    expect(outline(await scanChunks(file, 64, limits)).join()).toMatch(/embedded: avif damaged/)
  })

  it('stop a file that is nothing but signatures', async () => {
    const file = Buffer.alloc(2_000_000, '\xff\xd8\xff\xe0', 'latin1')
    const scan = (modules: CoreModules) => scanChunks(file, 65536, {}, modules)
    const { result, decoders, steps } = await countWork(scan)
    expect(outline(result)).toContain(OVER)
    // 500,000 places look like the beginning of a JPEG.
    expect(decoders).toBe(SCAN_LIMITS.embeddedAtOnce + 1)
    expect(steps).toBeLessThan(30 * file.length)
  })
})

describe('a file of two formats', () => {
  it('is scanned as both: an image, and an archive behind it', async () => {
    for (const format of ['jpeg', 'png', 'gif', 'webp', 'avif'] as const) {
      const start = files[format].length
      const counted = writeZip([{ name: 'a', content: other, method: 0 }], { start })
      for (const archive of [zip, counted]) {
        const file = Buffer.concat([files[format], archive])
        const whole = await scanChunks(file)
        expect(outline(whole)).toEqual([
          `upload: ${format} 1 needles`,
          'embedded: zip 0 needles',
          'zip: jpeg 1 needles',
        ])
        for (const cut of [7, 4096]) expect(await scanChunks(file, cut)).toEqual(whole)
      }
    }
  })

  it('is scanned as both: a program that unpacks itself, and its archive', async () => {
    const file = Buffer.concat([Buffer.from('MZ'), randomBytes(5000, 4), zip])
    expect(outline(await scanChunks(file))).toEqual([
      'upload: unknown unknown-format',
      'embedded: zip 0 needles',
      'zip: jpeg 1 needles',
    ])
  })

  it('is scanned as both: a PDF and an archive', async () => {
    const behind = Buffer.concat([pdfOf(files.jpeg), zip])
    expect(outline(await scanChunks(behind))).toEqual([
      'upload: pdf unsupported-format',
      'embedded: zip 0 needles',
      'zip: jpeg 1 needles',
      'pdf: jpeg 1 needles',
    ])
    const inside = writeZip([{ name: '%PDF-1.7', content: Buffer.from(pdfOf(other)), method: 0 }])
    expect(outline(await scanChunks(inside))).toContain('pdf: jpeg 1 needles')
  })

  it('is scanned as both: an image whose header is the name of a first TAR entry', async () => {
    const name = Buffer.from(files.gif.subarray(0, 90)).toString('latin1')
    const file = writeTar([
      { name, content: Buffer.alloc(0) },
      { name: 'b', content: other },
    ])
    const lines = outline(await scanChunks(file))
    expect(lines[0]).toMatch(/^upload: gif/)
    expect(lines.slice(1, 3)).toEqual(['embedded: tar 0 needles', 'tar: jpeg 1 needles'])
  })

  it('is ambiguous if its archive is not the one that its end describes', async () => {
    const central = { bytes: 5 }
    const lying = writeZip([{ name: 'a', content: other, central }])
    expect(outline(await scanChunks(Buffer.concat([files.png, lying])))).toEqual([
      'upload: png 1 needles',
      'embedded: zip ambiguous-archive',
      'zip: jpeg 1 needles',
    ])
  })

  it('is ambiguous if an archive lies in what a header says is a name', async () => {
    const header = Buffer.from(writeZip([{ name: 'x', content: Buffer.alloc(0) }])).subarray(0, 30)
    header.writeUInt16LE(0xffff, 26)
    header.writeUInt16LE(0xffff, 28)
    const packed = writeZip([{ name: 'a', content: Buffer.from('A text. '.repeat(99)) }])
    const file = Buffer.concat([files.png, header, packed])
    for (const cut of [1, 4096]) {
      expect(outline(await scanChunks(file, cut))).toEqual([
        'upload: png 1 needles',
        'embedded: zip ambiguous-archive',
      ])
    }
  })

  it('is ambiguous if the end of an archive lies in what looks like another', async () => {
    const fake = Buffer.from('PK\x05\x06' + '\0'.repeat(8), 'latin1')
    const packed = Buffer.from(writeZip([{ name: 'a', content: other, only: 'central' }]))
    const end = packed.length - 22
    const file = Buffer.concat([files.png, packed.subarray(0, end), fake, packed.subarray(end)])
    for (const cut of [1, 4096]) {
      expect(outline(await scanChunks(file, cut))[1]).toBe('embedded: zip ambiguous-archive')
    }
  })

  it('is ambiguous if an archive begins in what another entry says is its data', async () => {
    // A header in front of the archive that claims to be deflated, and hides it.
    const fake = Buffer.from(writeZip([{ name: 'x', content: Buffer.alloc(0) }])).subarray(0, 31)
    const data = Buffer.concat([Buffer.of(0, zip.length & 255, zip.length >> 8), Buffer.alloc(2)])
    data.writeUInt16LE(~zip.length & 0xffff, 3)
    fake.writeUInt16LE(8, 6)
    fake.writeUInt32LE(0, 18)
    const file = Buffer.concat([files.png, fake, data, zip])
    const lines = outline(await scanChunks(file))
    expect(lines[1]).toMatch(/^embedded: zip ambiguous-archive/)
    expect(lines).toContain('zip: jpeg 1 needles')
  })
})
