import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { distance, formatHash, parseHash } from '../../src/util/hash.ts'
import { readModules } from '../../src/core/node.ts'
import type { Needle, Probe, ScannedFile } from '../../src/scan/scanned.ts'
import { FileScanner, scanFile } from '../../src/scan/scanner.ts'
import type { FileDigests } from '../../src/scan/digests.ts'
import { addExif, writeExif } from '../support/exif-writer.ts'
import { type GifFrame, writeGif } from '../support/gif-writer.ts'
import { randomFrom } from '../support/random.ts'
import { scene } from '../support/scene.ts'
import { largePicture, picture } from '../support/sharp-images.ts'

const context = { modules: readModules() }

async function scan(file: Sharp | Uint8Array): Promise<ScannedFile> {
  return scanFile(context, file instanceof Uint8Array ? file : await file.toBuffer())
}

async function needlesOf(file: Sharp | Uint8Array): Promise<Needle[]> {
  const scanned = await scan(file)
  return scanned.coverage === 'scanned' ? scanned.needles : []
}

function byProbe(needles: readonly Needle[], probe: Probe): Needle {
  const needle = needles.find((candidate) => candidate.probe === probe)
  if (!needle) throw new Error(`no needle of ${probe}`)
  return needle
}

async function hashOf(file: Sharp | Uint8Array, probe: Probe = 'identity'): Promise<string> {
  return formatHash(byProbe(await needlesOf(file), probe).hash)
}

describe('scanFile', () => {
  it('gives the same hash for a picture in any lossless format', async () => {
    const image = picture(300, 200)
    const png = await hashOf(image.clone().png())
    expect(await hashOf(image.clone().webp({ lossless: true }))).toBe(png)
    expect(await hashOf(image.clone().png({ progressive: true }))).toBe(png)
  })

  it('gives nearly the same hash in any lossy format', async () => {
    const image = picture(300, 200)
    const png = byProbe(await needlesOf(image.clone().png()), 'identity')
    const others = [
      image.clone().jpeg(),
      image.clone().webp(),
      image.clone().avif(),
      image.clone().gif(),
    ]
    for (const other of others) {
      const { hash, quality } = byProbe(await needlesOf(other), 'identity')
      expect(distance(hash, png.hash)).toBeLessThanOrEqual(10)
      expect(Math.abs(quality - png.quality)).toBeLessThanOrEqual(10)
    }
  })

  it('tells format, size and bytes', async () => {
    const image = picture(301, 77)
    const files = {
      jpeg: image.clone().jpeg(),
      png: image.clone().png(),
      gif: image.clone().gif(),
      webp: image.clone().webp(),
      avif: image.clone().avif({ effort: 0 }),
    }
    for (const [format, encoder] of Object.entries(files)) {
      const file = await encoder.toBuffer()
      const size = { width: 301, height: 77, bytes: file.length }
      expect(await scan(file)).toMatchObject({ coverage: 'scanned', format, ...size })
    }
  })

  it('has no needle for an empty file, or a picture under 5 pixels a side', async () => {
    expect(await scan(new Uint8Array(0))).toMatchObject({ coverage: 'scanned', needles: [] })
    expect(await needlesOf(picture(4, 40).png())).toEqual([])
    expect(await needlesOf(picture(40, 4).jpeg())).toEqual([])
    expect(await needlesOf(picture(5, 5).png())).toHaveLength(1)
  })

  it('gives the same for bytes in chunks of any size', async () => {
    const image = picture(90, 70, 4)
    const encoded = [
      image.clone().jpeg(),
      image.clone().png(),
      image.clone().gif(),
      image.clone().webp(),
      image.clone().avif({ effort: 0 }),
    ]
    for (const encoder of encoded) {
      const file = await encoder.toBuffer()
      const whole = await scan(file)
      for (const cut of [1, 7, 4096]) {
        const scanner = new FileScanner(context)
        for (let at = 0; at < file.length; at += cut) scanner.write(file.subarray(at, at + cut))
        expect(await scanner.end()).toEqual(whole)
      }
    }
  })
})

describe('orientation', () => {
  it.each([2, 3, 4, 5, 6, 7, 8])(
    '%i: the hash as stored, and as displayed',
    async (orientation) => {
      const image = picture(200, 130)
      const stored = await hashOf(image.clone().png())
      const displayed = await hashOf(
        sharp(await image.clone().withMetadata({ orientation }).png().toBuffer())
          .autoOrient()
          .png(),
      )
      expect(displayed).not.toBe(stored)
      for (const file of [
        image.clone().withMetadata({ orientation }).png(),
        image.clone().withMetadata({ orientation }).webp({ lossless: true }),
      ]) {
        expect(await hashOf(file)).toBe(stored)
        expect(await hashOf(file, 'displayed')).toBe(displayed)
      }
      const jpeg = byProbe(
        await needlesOf(image.clone().withMetadata({ orientation }).jpeg({ quality: 100 })),
        'displayed',
      )
      expect(formatHash(jpeg.hash)).toSatisfy((hash: string) => hash !== stored)
      expect(distance(jpeg.hash, Uint8Array.from(Buffer.from(displayed, 'hex')))).toBeLessThan(6)
    },
  )

  it('is found behind the image data of a PNG', async () => {
    const file = await picture(200, 130).withMetadata({ orientation: 6 }).png().toBuffer()
    const [exif, data] = [file.indexOf('eXIf') - 4, file.indexOf('IDAT') - 4]
    expect(exif).toBeLessThan(data)
    const chunk = file.subarray(exif, exif + 12 + file.readUInt32BE(exif))
    const late = Buffer.concat([
      file.subarray(0, exif),
      file.subarray(exif + chunk.length, -12),
      chunk,
      file.subarray(-12),
    ])
    expect(await hashOf(late, 'displayed')).toBe(await hashOf(file, 'displayed'))
  })

  it('gives one needle where the picture is displayed as it is stored', async () => {
    expect(await needlesOf(picture(90, 60).withMetadata({ orientation: 1 }).jpeg())).toHaveLength(1)
  })
})

describe('embedded thumbnail', () => {
  it('is a needle, whatever the picture shows', async () => {
    const thumbnail = await picture(120, 90, 3, 8).jpeg().toBuffer()
    const file = addExif(await picture(400, 300).jpeg().toBuffer(), writeExif(6, thumbnail))
    expect(await hashOf(file, 'thumbnail')).toBe(await hashOf(thumbnail))
    expect((await needlesOf(file)).map(({ probe }) => probe)).toEqual([
      'identity',
      'displayed',
      'thumbnail',
    ])
  })

  it('is passed over when it is damaged', async () => {
    const jpeg = await picture(400, 300).jpeg().toBuffer()
    for (const thumbnail of [Buffer.from('no picture'), Buffer.of(0xff, 0xd8, 0xff, 0xd9)]) {
      expect(await needlesOf(addExif(jpeg, writeExif(1, thumbnail)))).toHaveLength(1)
    }
  })
})

describe('transparency', () => {
  it('gives the hash with alpha dropped, and over white where that differs', async () => {
    const image = picture(200, 150, 4)
    const white = await hashOf(image.clone().flatten({ background: 'white' }).png())
    const dropped = await hashOf(image.clone().removeAlpha().png())
    for (const file of [image.clone().png(), image.clone().webp({ lossless: true, exact: true })]) {
      const needles = await needlesOf(file)
      expect(formatHash(byProbe(needles, 'identity').hash)).toBe(dropped)
      const overWhite = byProbe(needles, 'over-white').hash
      expect(distance(overWhite, Uint8Array.from(Buffer.from(white, 'hex')))).toBeLessThan(6)
    }
    expect(await needlesOf(image.clone().removeAlpha().ensureAlpha().png())).toHaveLength(1)
    const turned = await needlesOf(image.clone().withMetadata({ orientation: 6 }).png())
    expect(turned.map(({ probe }) => probe).slice(0, 4)).toEqual([
      ...['identity', 'over-white', 'displayed', 'displayed-over-white'],
    ])
  })

  /** A picture whose pixels all have one colour, and whose alpha is another picture. */
  const inAlpha = (colour: number, seed: number) => {
    const { data } = scene(160, 120, 1, seed)
    const pixels = Uint8Array.from({ length: data.length * 4 }, (_, i) =>
      i % 4 === 3 ? (data[i >> 2] ?? 0) : colour,
    )
    return sharp(pixels, { raw: { width: 160, height: 120, channels: 4 } })
  }
  const nearestTo = async (file: Sharp | Uint8Array, known: string) => {
    const needles = await needlesOf(file)
    const distances = needles.map(({ hash }) => distance(hash, parseHash(known)!))
    return Math.min(...distances)
  }

  it('gives pictures that only alpha has, over white, over black and of alpha itself', async () => {
    const known = await hashOf(picture(160, 120, 1, 3).png())
    for (const colour of [0, 255, 128]) {
      const image = inAlpha(colour, 3)
      for (const file of [
        image.clone().png(),
        image.clone().webp({ lossless: true, exact: true }),
      ]) {
        expect(await nearestTo(file, known)).toBeLessThanOrEqual(10)
      }
    }
  })

  it('gives frames of an animation that differ in alpha only', async () => {
    const halftone = (seed: number) => {
      const { data } = scene(320, 240, 1, seed)
      const random = randomFrom(seed)
      const pixels = data.map((grey) => (random() * 255 < grey ? 0 : 1))
      const pixel = (x: number, y: number) => pixels[y * 320 + x] ?? 0
      return { width: 320, height: 240, pixel }
    }
    const gif = (palette: number[][], frames: GifFrame[]) =>
      writeGif({ width: 320, height: 240, palette, frames })
    const known = await hashOf(
      gif(
        [
          [255, 255, 255],
          [0, 0, 0],
        ],
        [halftone(5)],
      ),
    )
    for (const colour of [0, 255]) {
      const frames = [4, 5].map((seed) => ({ ...halftone(seed), transparent: 1, disposal: 2 }))
      const grey = [colour, colour, colour]
      expect(await nearestTo(gif([grey, grey], frames), known)).toBeLessThanOrEqual(10)
    }
  })
})

describe('animations', () => {
  const pages = () =>
    Promise.all([1, 2, 3].map((seed) => picture(120, 90, 3, seed).png().toBuffer()))

  it('have a needle for each frame of a GIF', async () => {
    const file = await sharp(await pages(), { join: { animated: true } })
      .gif()
      .toBuffer()
    expect((await needlesOf(file)).map(({ frame }) => frame)).toEqual([0, 1, 2])
  })

  it('have a needle for each frame of a WebP', async () => {
    const frames = await pages()
    const file = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer()
    expect(await scan(file)).toMatchObject({ format: 'webp', isPartial: false })
    const needles = await needlesOf(file)
    expect(needles.map(({ frame }) => frame)).toEqual([0, 1, 2])
    const hashes = await Promise.all(frames.map((frame) => hashOf(new Uint8Array(frame))))
    expect(needles.map(({ hash }) => formatHash(hash))).toEqual(hashes)
  })
})

describe('budgets of the library decoders', () => {
  it('scan pictures just under their pixels, and none just over', async () => {
    const sides = { webp: [2400, 1500], avif: [1300, 1000] } as const
    for (const [format, [width, height]] of Object.entries(sides)) {
      const encode = (lines: number) =>
        largePicture(width, lines).toFormat(format as 'webp' | 'avif', { effort: 0 })
      expect(await scan(encode(height))).toMatchObject({ coverage: 'scanned', format })
      expect(await scan(encode(height + 1))).toMatchObject({
        coverage: 'unscannable',
        reason: 'over-pixel-budget',
        format,
        width,
      })
    }
  })

  it('refuse what needs more memory than it may have', async () => {
    const noise = Buffer.from(
      Array.from({ length: 1300 * 1000 * 3 }, (_, i) => (i * i * 31 + (i >> 3)) & 255),
    )
    const image = sharp(noise, { raw: { width: 1300, height: 1000, channels: 3 } })
    const scanned = await scan(image.avif({ quality: 100, chromaSubsampling: '4:4:4', effort: 0 }))
    expect(scanned).toMatchObject({ coverage: 'unscannable', reason: 'over-memory-budget' })
  })

  it('do not believe a small size in a header of its own', async () => {
    const file = await sharp({
      create: { width: 3000, height: 2000, channels: 3, background: '#268' },
    })
      .webp({ lossless: true, effort: 0 })
      .withMetadata({ orientation: 1 })
      .toBuffer()
    const extended = file.indexOf('VP8X')
    expect(extended).toBe(12)
    file.writeUIntLE(99, extended + 12, 3)
    file.writeUIntLE(99, extended + 15, 3)
    expect(await scan(file)).toMatchObject({ coverage: 'unscannable', width: 3000, height: 2000 })
  })
})

/** By Node itself, in one chunk. */
function digestsOf(file: Uint8Array): FileDigests {
  const of = (kind: string) => new Uint8Array(createHash(kind).update(file).digest())
  return { md5: of('md5'), sha1: of('sha1'), sha256: of('sha256') }
}

describe('digests of a file', () => {
  it('are those of all its bytes, in chunks of any size', async () => {
    const file = await picture(300, 200).jpeg().toBuffer()
    const expected = digestsOf(file)
    for (const size of [1, 7, 4096, file.length]) {
      const scanner = new FileScanner(context)
      for (let at = 0; at < file.length; at += size) scanner.write(file.subarray(at, at + size))
      expect((await scanner.end()).digests).toEqual(expected)
    }
  })

  it('are left out where they are not wanted, and of empty files', async () => {
    const file = await picture(300, 200).jpeg().toBuffer()
    expect(await scanFile({ ...context, digestKinds: [] }, file)).not.toHaveProperty('digests')
    expect(await scanFile(context, new Uint8Array(0))).not.toHaveProperty('digests')
  })
})

describe('files that cannot be scanned', () => {
  const head = (text: string) =>
    Uint8Array.from(text.padEnd(64, '\0'), (char) => char.charCodeAt(0))

  it.each([
    ['heic', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
    ['jxl', '\xff\x0a\xcb\x40\x42\x71\x21\x00\x12\x88\x02\x00'.padEnd(320, '\x5a')],
    ['psd', '8BPS\0\x01'],
    ['ico', '\0\0\x01\0\x02\0'],
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n'],
  ])('are named by their format: %s', async (format, text) => {
    expect(await scan(head(text))).toEqual({
      coverage: 'unscannable',
      reason: 'unsupported-format',
      format,
      bytes: Math.max(64, text.length),
      digests: digestsOf(head(text)),
    })
  })

  it('are of unknown format', async () => {
    expect(await scan(head('some text'))).toEqual({
      coverage: 'unscannable',
      reason: 'unknown-format',
      bytes: 64,
      digests: digestsOf(head('some text')),
    })
  })

  it('cost little, however many chunks a WebP has', async () => {
    const file = new Uint8Array(16_000_000)
    file.set(head('RIFF\xff\xff\xff\x01WEBP').subarray(0, 12))
    const reads = vi.spyOn(DataView.prototype, 'getUint32')
    try {
      expect(await scan(file)).toMatchObject({ coverage: 'unscannable', reason: 'damaged' })
      expect(reads.mock.calls.length).toBeGreaterThan(500) // lengths of chunks are among them
      expect(reads.mock.calls.length).toBeLessThan(2000) // and 2,000,000 chunks in the file
    } finally {
      reads.mockRestore()
    }
  })

  it('are truncated or damaged', async () => {
    const image = picture(300, 200)
    const half = async (encoder: Sharp, share: number) => {
      const file = await encoder.toBuffer()
      return file.subarray(0, file.length * share)
    }
    const reason = async (file: Uint8Array) => {
      const scanned = await scan(file)
      return scanned.coverage === 'unscannable' ? scanned.reason : scanned.coverage
    }
    expect(await reason(await half(image.clone().jpeg(), 0.3))).toBe('truncated')
    expect(await reason(await half(image.clone().jpeg(), 0.9))).toBe('scanned')
    expect(await reason(await half(image.clone().png(), 0.3))).toBe('truncated')
    expect(await reason(await half(image.clone().webp(), 0.3))).toBe('damaged')
    expect(await reason(await half(image.clone().avif({ effort: 0 }), 0.3))).toBe('damaged')
    expect(await reason(head('\xff\xd8\xff\xe0nonsense'))).toBe('damaged')
    expect(await reason(head('RIFF\x30\0\0\0WEBPnonsense'))).toBe('damaged')
    expect(await reason(head('\0\0\0\x20ftypavif\0\0\0\0avifmif1'))).toBe('damaged')
  })
})

describe('good files between hostile ones', () => {
  it('have the hashes that they have alone', async () => {
    const image = picture(200, 160, 4)
    const encoders = [
      image.clone().jpeg({ progressive: true }),
      image.clone().png(),
      image.clone().gif(),
      image.clone().webp(),
      image.clone().avif({ effort: 0 }),
    ]
    const good = await Promise.all(encoders.map((encoder) => encoder.toBuffer()))
    const hostile = good.flatMap((file) =>
      [0.2, 0.5, 0.8].map((share) => {
        const broken = Buffer.from(file)
        const at = Math.floor(file.length * share)
        broken.fill(0xa7, at, at + 40)
        return broken.subarray(0, share > 0.6 ? broken.length : -50)
      }),
    )
    const alone = await Promise.all(good.map((file) => scan(file)))
    for (const [i, bad] of hostile.entries()) {
      const at = i % good.length
      const [, between] = await Promise.all([scan(bad), scan(good[at]!), scan(bad)])
      expect(between).toEqual(alone[at])
    }
  })
})
