import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it, vi } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { ScanBudget } from '../../../src/scan/budget.ts'
import { readDirectories } from '../../../src/scan/image/tiff/directory.ts'
import { SCAN_LIMITS } from '../../../src/scan/limits.ts'
import { PdfObjects } from '../../../src/scan/pdf/objects.ts'
import { unpredict } from '../../../src/scan/pdf/predictor.ts'
import { ValueReader } from '../../../src/scan/pdf/syntax.ts'
import { unpackRuns } from '../../../src/scan/image/unpack.ts'
import { needlesOf, allFiles, type ScannedFile } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { PARSED_BYTE_MS } from '../../../src/scan/work.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { atOnce } from '../../../src/util/steps.ts'
import { dithered } from '../../support/dithered.ts'
import { ENCRYPTED_PDFS } from '../../support/encrypted-pdfs.ts'
import { type PdfForm, type PdfObject, writePdf } from '../../support/pdf-writer.ts'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { scene } from '../../support/scene.ts'
import { scanChunks } from '../../support/scan-chunks.ts'
import { writeTiff } from '../../support/tiff-writer.ts'

const context = { modules: readModules(), digestKinds: [] }
const NEAR = 10
const [WIDTH, HEIGHT] = [300, 220]
const SIZE: [number, number] = [WIDTH, HEIGHT]
const pixels = scene(WIDTH, HEIGHT, 3, 5).data
const greys = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
  Math.round(0.299 * pixels[3 * i]! + 0.587 * pixels[3 * i + 1]! + 0.114 * pixels[3 * i + 2]!),
)

/** A picture of the scene's size in a file. */
function pictureOf(entries: string, data: Uint8Array): PdfObject {
  const size = `/Width ${WIDTH} /Height ${HEIGHT}`
  return { value: `<< /Type /XObject /Subtype /Image ${size} ${entries} >>`, data }
}

const RGB = '/ColorSpace /DeviceRGB /BitsPerComponent 8'
const GREY = '/ColorSpace /DeviceGray /BitsPerComponent 8'
const FLATE = '/Filter /FlateDecode'
const write = (objects: PdfObject[], form: PdfForm = {}) =>
  writePdf(objects, { size: SIZE, ...form })

async function rastersOf(file: Uint8Array): Promise<ScannedFile[]> {
  return allFiles(await scanFile(context, file)).filter(({ within }) => within === 'pdf')
}

async function nearest(file: Uint8Array, known: Hash256): Promise<number> {
  const rasters = await rastersOf(file)
  const needles = rasters.flatMap((one) => needlesOf(one))
  return Math.min(256, ...needles.map(({ hash }) => distance(hash, known)))
}

async function hashOfPng(png: Uint8Array): Promise<Hash256> {
  const scanned = await scanFile(context, png)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  return scanned.needles[0]!.hash
}

const known = async () => {
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const
  return hashOfPng(await sharp(pixels, { raw }).png().toBuffer())
}

/** What poppler shows of the page. */
async function shownHash(file: Uint8Array): Promise<Hash256> {
  const folder = mkdtempSync(join(tmpdir(), 'pdf-'))
  writeFileSync(join(folder, 'a.pdf'), file)
  execFileSync('pdftoppm', ['-r', '72', '-png', '-singlefile', 'a.pdf', 'a'], {
    cwd: folder,
    stdio: 'ignore',
  })
  return hashOfPng(readFileSync(join(folder, 'a.png')))
}

function hasPoppler(): boolean {
  try {
    execFileSync('pdftoppm', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function rowsWithFilters(data: Uint8Array, samples: number): Uint8Array {
  const rowBytes = WIDTH * samples
  const out: number[] = []
  const at = (row: number, i: number) => (row < 0 || i < 0 ? 0 : data[row * rowBytes + i]!)
  for (let y = 0; y < HEIGHT; y++) {
    const filter = y % 5
    out.push(filter)
    for (let i = 0; i < rowBytes; i++) {
      const [left, up, corner] = [at(y, i - samples), at(y - 1, i), at(y - 1, i - samples)]
      const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs)
      const paeth = a! <= b! && a! <= c! ? left : b! <= c! ? up : corner
      out.push((at(y, i) - [0, left, up, (left + up) >> 1, paeth][filter]!) & 255)
    }
  }
  return Uint8Array.from(out)
}

function differences(data: Uint8Array, samples: number): Uint8Array {
  return data.map((value, i) =>
    i % (WIDTH * samples) < samples ? value : value - data[i - samples]!,
  )
}

/** Codes of nine bits, with a clear code before the tenth would come. */
function lzw(data: Uint8Array): Uint8Array {
  let bits = ''
  for (const [i, byte] of data.entries()) {
    if (i % 200 === 0) bits += (256).toString(2).padStart(9, '0')
    bits += byte.toString(2).padStart(9, '0')
  }
  bits += (257).toString(2).padStart(9, '0')
  return Uint8Array.from(bits.match(/.{1,8}/g)!, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
}

function base85(data: Uint8Array): Uint8Array {
  let text = ''
  for (let at = 0; at < data.length; at += 4) {
    const part = data.subarray(at, at + 4)
    let value = Buffer.concat([part, new Uint8Array(4)]).readUInt32BE(0)
    const digits = Array.from({ length: 5 }, () => {
      const digit = value % 85
      value = Math.floor(value / 85)
      return String.fromCharCode(33 + digit)
    }).toReversed()
    text +=
      value === 0 && part.length === 4 && digits.join('') === '!!!!!'
        ? 'z'
        : digits.join('').slice(0, part.length + 1)
    if (at % 76 === 0) text += '\n'
  }
  return Buffer.from(`${text}~>`)
}

const runLength = (data: Uint8Array) =>
  Buffer.concat([
    ...Array.from({ length: Math.ceil(data.length / 100) }, (_, i) => {
      const part = data.subarray(i * 100, i * 100 + 100)
      return Buffer.concat([Uint8Array.of(part.length - 1), part])
    }),
    Uint8Array.of(128),
  ])

/** Greys of few bits. */
function packedTo(bits: number): Uint8Array {
  const rowBytes = Math.ceil((WIDTH * bits) / 8)
  const out = new Uint8Array(rowBytes * HEIGHT)
  for (const [i, grey] of greys.entries()) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)]
    const value = Math.round((grey / 255) * (2 ** bits - 1))
    out[y * rowBytes + ((x * bits) >> 3)]! |= value << (8 - bits - ((x * bits) & 7))
  }
  return out
}

const deflated = deflateSync(pixels)
const hex = (data: Uint8Array) => Buffer.from(`${Buffer.from(data).toString('hex')}>`)
const parameters = (predictor: number, more = '') =>
  `/DecodeParms << /Predictor ${predictor} /Colors 3 /Columns ${WIDTH} ${more} >>`

const FILTERED: Record<string, PdfObject> = {
  'no filter': pictureOf(RGB, pixels),
  Flate: pictureOf(`${RGB} ${FLATE}`, deflated),
  'Flate and differences': pictureOf(
    `${RGB} ${FLATE} ${parameters(2)}`,
    deflateSync(differences(pixels, 3)),
  ),
  'Flate and rows of PNG': pictureOf(
    `${RGB} ${FLATE} ${parameters(15)}`,
    deflateSync(rowsWithFilters(pixels, 3)),
  ),
  LZW: pictureOf(`${RGB} /Filter /LZWDecode`, lzw(pixels)),
  'run lengths': pictureOf(`${RGB} /Filter /RunLengthDecode`, runLength(pixels)),
  'Flate in hex, for short': pictureOf(`${RGB} /Filter [/AHx /Fl]`, hex(deflated)),
  'Flate twice': pictureOf(`${RGB} /Filter [/FlateDecode /FlateDecode]`, deflateSync(deflated)),
}

const inverted = greys.map((grey) => 255 - grey)
const words = Uint8Array.from({ length: greys.length * 2 }, (_, i) => greys[i >> 1]!)
const inks = Uint8Array.from({ length: greys.length * 4 }, (_, i) =>
  i % 4 === 3 ? 0 : 255 - pixels[3 * (i >> 2) + (i % 4)]!,
)
const ramp = (order: (i: number) => number) =>
  Buffer.from(Array.from({ length: 256 }, (_, i) => Array(3).fill(order(i))).flat() as number[])
const lightness = greys.map((grey) => {
  const light = grey <= 10 ? grey / 255 / 12.92 : ((grey / 255 + 0.055) / 1.055) ** 2.4
  return (light > 0.008856 ? 116 * Math.cbrt(light) - 16 : 903.3 * light) * 2.55
})
const labs = Uint8Array.from({ length: greys.length * 3 }, (_, i) =>
  i % 3 === 0 ? lightness[i / 3]! : 128,
)
const LAB = '[/Lab << /WhitePoint [0.95 1 1.09] /Range [-128 127 -128 127] >>]'

const COLOURED: Record<string, PdfObject[]> = {
  grey: [pictureOf(GREY, greys)],
  'grey the other way round': [pictureOf(`${GREY} /Decode [1 0]`, inverted)],
  '16 bits': [pictureOf('/ColorSpace /DeviceGray /BitsPerComponent 16', words)],
  inks: [pictureOf('/ColorSpace /DeviceCMYK /BitsPerComponent 8', inks)],
  'a profile': [
    pictureOf('/ColorSpace [/ICCBased 6 0 R] /BitsPerComponent 8', pixels),
    { value: '<< /N 3 /Alternate /DeviceRGB >>', data: Buffer.from('none') },
  ],
  'a space behind references': [
    pictureOf('/ColorSpace 6 0 R /BitsPerComponent 8', pixels),
    { value: '[/CalRGB 7 0 R]' },
    { value: '<< /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] >>' },
  ],
  'a palette in hex': [
    pictureOf(
      `/ColorSpace [/Indexed /DeviceRGB 255 <${ramp((i) => 255 - i).toString('hex')}>] /BitsPerComponent 8`,
      inverted,
    ),
  ],
  'a palette in a stream': [
    pictureOf('/ColorSpace [/Indexed /DeviceRGB 255 6 0 R] /BitsPerComponent 8', inverted),
    { value: `<< ${FLATE} >>`, data: deflateSync(ramp((i) => 255 - i)) },
  ],
  Lab: [pictureOf(`/ColorSpace ${LAB} /BitsPerComponent 8`, labs)],
  'a separation': [
    pictureOf('/ColorSpace [/Separation /Black /DeviceGray 6 0 R] /BitsPerComponent 8', inverted),
    { value: '<< /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >>' },
  ],
  'a length in another object': [
    pictureOf(`${RGB} ${FLATE} /Length 6 0 R`, deflated),
    { value: String(deflated.length) },
  ],
  'a wrong length': [pictureOf(`${RGB} ${FLATE} /Length 9`, deflated)],
}

/** Colours that poppler converts by profiles, which are not applied here. */
const BY_PROFILE = new Set(['inks', 'a space behind references'])

describe('rasters of PDF', () => {
  const cases = {
    ...COLOURED,
    ...Object.fromEntries(Object.entries(FILTERED).map(([name, one]) => [name, [one]])),
  }

  it.each(Object.keys(cases))('are hashed as they are: %s', async (name) => {
    const objects = cases[name]!
    expect(await nearest(write(objects), await known())).toBeLessThanOrEqual(NEAR)
    expect(await nearest(write(objects, { isPacked: true }), await known())).toBeLessThanOrEqual(
      NEAR,
    )
  })

  it.skipIf(!hasPoppler()).each(Object.keys(cases).filter((name) => !BY_PROFILE.has(name)))(
    'are hashed as poppler shows them: %s',
    async (name) => {
      const file = write(cases[name]!)
      expect(await nearest(file, await shownHash(file))).toBeLessThanOrEqual(NEAR)
    },
  )

  it.each([1, 2, 4])('are hashed as they are: %i bits', async (bits) => {
    const most = 2 ** bits - 1
    const shown = greys.map((grey) => (Math.round((grey / 255) * most) / most) * 255)
    const raw = { width: WIDTH, height: HEIGHT, channels: 1 } as const
    const hash = await hashOfPng(await sharp(shown, { raw }).png().toBuffer())
    const entries = `/ColorSpace /G /BitsPerComponent ${bits}`
    expect(await nearest(write([pictureOf(entries, packedTo(bits))]), hash)).toBeLessThanOrEqual(2)
  })

  it('are hashed if they are stencils, or fax data', async () => {
    const { bits } = dithered(256, 256, 5)
    const tags = { 256: [256], 257: [256], 258: [1], 259: [1], 262: [1], 277: [1] }
    const tiff = writeTiff([{ tags, segments: [bits] }])
    const shown = await hashOfPng(await sharp(tiff).png().toBuffer())
    const form = { compression: 'ccittfax4', bitdepth: 1, tile: true } as const
    const fax = await sharp(tiff).toColourspace('b-w').tiff(form).toBuffer()
    const { directories } = readDirectories(fax)
    const [at, length] = [directories[0]!.number(324, 0), directories[0]!.number(325, 0)]
    const isInverted = directories[0]!.number(262, 0) === 1
    const dict = (entries: string) =>
      `<< /Type /XObject /Subtype /Image /Width 256 /Height 256 /BitsPerComponent 1 ${entries} >>`
    const parms = `/DecodeParms << /K -1 /Columns 256 /BlackIs1 ${isInverted} >>`
    const bilevel = dict(`/ColorSpace /DeviceGray /Filter /CCITTFaxDecode ${parms}`)
    for (const object of [
      { value: bilevel, data: fax.subarray(at, at + length) },
      { value: dict('/ImageMask true'), data: bits },
    ])
      expect(await nearest(write([object], { size: [256, 256] }), shown)).toBe(0)
  })

  it('are found in ASCII85, and within what is drawn', async () => {
    const [width, height] = [100, 74]
    const { data: little } = scene(width, height, 3, 5)
    const raw = { width, height, channels: 3 } as const
    const hash = await hashOfPng(await sharp(little, { raw }).png().toBuffer())
    const data = base85(deflateSync(little))
    const size = `/Width ${width} /Height ${height}`
    const filters = '/Filter [/ASCII85Decode /FlateDecode]'
    const value = `<< /Type /XObject /Subtype /Image ${size} ${RGB} ${filters} >>`
    expect(await nearest(write([{ value, data }]), hash)).toBe(0)
    const inline = `BI /W ${width} /H ${height} /CS /RGB /BPC 8 /F [/A85 /Fl]`
    const content = `q\n${inline}\nID ${Buffer.from(data).toString('latin1')}\nEI\nQ`
    expect(await nearest(write([], { content }), hash)).toBe(0)
  })

  it('are found behind the filters of a JPEG or an attached file', async () => {
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const
    const jpeg = await sharp(pixels, { raw }).jpeg({ quality: 95 }).toBuffer()
    const png = await sharp(pixels, { raw }).png().toBuffer()
    const behind = pictureOf(`${RGB} /Filter [/FlateDecode /DCTDecode]`, deflateSync(jpeg))
    const attached = { value: `<< /Type /EmbeddedFile ${FLATE} >>`, data: deflateSync(png) }
    for (const object of [behind, attached])
      expect(await nearest(write([object]), await known())).toBeLessThanOrEqual(NEAR)
  })

  it('are hashed over white and over black, and alpha by itself', async () => {
    const alpha = scene(WIDTH, HEIGHT, 1, 9).data
    const objects = [
      pictureOf(`${RGB} ${FLATE} /SMask 6 0 R`, deflated),
      pictureOf(`${GREY} ${FLATE}`, deflateSync(alpha)),
    ]
    const over = (ground: number) => {
      const shown = pixels.map((value, i) => {
        const share = alpha[Math.floor(i / 3)]! / 255
        return value * share + ground * (1 - share)
      })
      return sharp(shown, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
        .png()
        .toBuffer()
    }
    const file = write(objects)
    for (const ground of [255, 0])
      expect(await nearest(file, await hashOfPng(await over(ground)))).toBeLessThanOrEqual(NEAR)
    expect(await nearest(file, await known())).toBeLessThanOrEqual(NEAR)
  })

  it('are read both before and after an update', async () => {
    const indexed = pictureOf('/ColorSpace 6 0 R /BitsPerComponent 8', inverted)
    const space = (table: Buffer) => `[/Indexed /DeviceRGB 255 <${table.toString('hex')}>]`
    const first = { value: space(ramp((i) => 255 - i)) }
    const blank = Buffer.from(`6 0 obj\n${space(ramp(() => 7))}\nendobj\n`)
    const file = write([indexed, first])
    expect(await nearest(Buffer.concat([file, blank]), await known())).toBeLessThanOrEqual(NEAR)
    const other = write([indexed, { value: space(ramp(() => 7)) }])
    const update = Buffer.from(`6 0 obj\n${first.value}\nendobj\n`)
    expect(await nearest(Buffer.concat([other, update]), await known())).toBeLessThanOrEqual(NEAR)
  })

  it('are the same in whatever chunks the file comes', async () => {
    const file = write(COLOURED['a palette in a stream']!, { isPacked: true })
    const whole = await rastersOf(file)
    for (const size of [1, 7, 4096]) {
      const files = allFiles(await scanChunks(file, size)).filter(({ within }) => within === 'pdf')
      expect(files).toMatchObject(whole.map(({ coverage }) => ({ coverage })))
    }
  })
})

describe('PDF that is encrypted without a password', () => {
  const [side, greyLevels] = [48, 16]
  const shown = scene(side, side, 1, 5).data.map((grey) => (grey >> 4) * (greyLevels + 1))
  const raw = { width: side, height: side, channels: 1 } as const

  it.each(Object.keys(ENCRYPTED_PDFS).filter((name) => name !== 'a password'))(
    'is decrypted: %s',
    async (name) => {
      const file = ENCRYPTED_PDFS[name]!
      const hash = await hashOfPng(await sharp(shown, { raw }).png().toBuffer())
      expect(await nearest(file, hash)).toBe(0)
      expect(await scanFile(context, file)).toMatchObject({ reason: 'unsupported-format' })
    },
  )
})

describe('what is not looked at in PDF', () => {
  const reasonsOf = async (file: Uint8Array) =>
    (await rastersOf(file)).map((one) => (one.coverage === 'unscannable' ? one.reason : 'scanned'))

  it('is the PDF itself, which may draw anything', async () => {
    expect(await scanFile(context, write([FILTERED.Flate!]))).toMatchObject({
      coverage: 'unscannable',
      reason: 'unsupported-format',
    })
  })

  it.each([
    ['JPEG 2000', `${RGB} /Filter /JPXDecode`, 'unsupported-format'],
    ['JBIG2', `${GREY} /Filter /JBIG2Decode`, 'unsupported-encoding'],
    ['a filter that nobody knows', `${GREY} /Filter /None`, 'unsupported-encoding'],
    [
      'several tints',
      '/ColorSpace [/DeviceN [/A /B] /DeviceRGB 6 0 R] /BitsPerComponent 8',
      'unsupported-variant',
    ],
    ['no size', `${RGB} /Width 0`, 'damaged'],
    ['less than half', `${RGB} /Height 65535`, 'truncated'],
  ])('has a reason: %s', async (_, entries, reason) => {
    expect(await reasonsOf(write([pictureOf(entries, pixels)]))).toEqual([reason])
  })

  it('is encrypted with a password, or in an unknown way', async () => {
    const file = write([FILTERED.Flate!], { trailer: '/Encrypt 9 0 R' })
    expect(await scanFile(context, file)).toMatchObject({ reason: 'encrypted-entry' })
    const stream = { value: '<< /Type /XRef /Encrypt 9 0 R >>', data: Buffer.from('x') }
    expect(await scanFile(context, write([FILTERED.Flate!, stream]))).toMatchObject({
      reason: 'encrypted-entry',
    })
    const locked = ENCRYPTED_PDFS['a password']!
    expect(await scanFile(context, locked)).toMatchObject({ reason: 'encrypted-entry' })
  })

  it('is encrypted by one of two trailers', async () => {
    const plain = Buffer.from('\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n')
    const file = Buffer.concat([ENCRYPTED_PDFS['RC4 of 128 bits']!, plain])
    expect(await scanFile(context, file)).toMatchObject({ reason: 'encrypted-entry' })
  })

  it('is a file that is too long to be held', async () => {
    const file = write([FILTERED.Flate!])
    const within = { ...context, limits: { heldBytes: file.length } }
    expect(allFiles(await scanFile(within, file)).some((one) => one.within === 'pdf')).toBe(true)
    const over = { ...context, limits: { heldBytes: file.length - 1 } }
    expect(await scanFile(over, file)).toMatchObject({ reason: 'over-limit' })
  })
})

describe('hostile PDF', () => {
  it('never throws, whatever its bytes are', async () => {
    const files = [
      write(COLOURED['a palette in a stream']!, { isPacked: true }),
      write([FILTERED['Flate and rows of PNG']!]),
      write(COLOURED['a separation']!),
    ]
    const random = randomFrom(3)
    for (const file of files) {
      for (let round = 0; round < 8; round++) {
        const copy = Uint8Array.from(file)
        for (const byte of randomBytes(6, round + 1))
          copy[Math.floor(random() * copy.length)] = byte
        const { coverage } = await scanFile(context, copy)
        expect(['scanned', 'unscannable']).toContain(coverage)
      }
    }
  })

  it('has rows of a byte, which come many at a time', () => {
    const data = Uint8Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? 2 : 1)) // up, by 1
    const form = { predictor: 15, samples: 1, bits: 8, columns: 1 }
    const rows = unpredict(unpackRuns(runLength(data)), form)!
    const chunks = [...rows].map((chunk) => chunk.slice())
    expect(chunks.length).toBe(1)
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(data.slice(0, 10_000).map((_, i) => i + 1)))
  })

  it('has references that lead to each other', async () => {
    const picture = pictureOf('/ColorSpace 6 0 R /Length 7 0 R /BitsPerComponent 8', pixels)
    const file = write([picture, { value: '7 0 R' }, { value: '6 0 R' }])
    expect((await rastersOf(file)).map(({ coverage }) => coverage)).toEqual(['unscannable'])
  })

  it.each([
    '1 0 obj(',
    '1 0 obj[',
    '1 0 obj<<',
    '1 0 obj<</A ',
    '1 0 obj<</A(',
    '<<',
    '1 0 obj\n<</Type/ObjStm/N 9>>stream\n',
  ])('is not read more often than it is long: %s', async (text) => {
    const file = Buffer.concat([
      Buffer.from('%PDF-1.7\n'),
      Buffer.from(text.repeat(Math.ceil(50_000 / text.length))),
    ])
    const budget = new ScanBudget(SCAN_LIMITS)
    const read = vi.spyOn(ValueReader.prototype, 'read')
    atOnce(new PdfObjects(file, budget).find())
    expect(read.mock.calls.length).toBeLessThan(8 * file.length + 65_536)
    expect(budget.workMs).toBeLessThan((8 * file.length + 65_536) * PARSED_BYTE_MS)
    read.mockRestore()
  })
})
