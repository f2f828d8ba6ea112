import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { ScanBudget } from '../../../src/scan/budget.ts'
import { type ScanLimits, SCAN_LIMITS } from '../../../src/scan/limits.ts'
import { allFiles, needlesOf, type ScannedFile } from '../../../src/scan/scanned.ts'
import { FileScanner } from '../../../src/scan/scanner.ts'
import { distance, type Hash256 } from '../../../src/util/hash.ts'
import { type PdfObject, writePdf } from '../../support/pdf-writer.ts'
import { scene } from '../../support/scene.ts'

const context = { modules: readModules(), digestKinds: [] }
const NEAR = 10
const [WIDTH, HEIGHT] = [150, 110]
const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const
const pixels = scene(WIDTH, HEIGHT, 3, 5).data
const other = scene(WIDTH, HEIGHT, 3, 9).data
const jpeg = await sharp(pixels, { raw }).jpeg().toBuffer()
const otherJpeg = await sharp(other, { raw }).jpeg().toBuffer()

async function scan(
  file: Uint8Array,
  limits: Partial<ScanLimits> = {},
  cut = file.length,
): Promise<{ file: ScannedFile; searched: number }> {
  const budget = new ScanBudget({ ...SCAN_LIMITS, ...limits })
  const scanner = new FileScanner(context, { budget, depth: 0 })
  for (let at = 0; at < file.length; at += cut) scanner.write(file.slice(at, at + cut))
  return { file: await scanner.end(), searched: budget.taken('textBytes') }
}

const hashesIn = (file: ScannedFile) =>
  allFiles(file).flatMap((one) => needlesOf(one).map(({ hash }) => hash))
const nearest = (file: ScannedFile, known: Hash256) =>
  Math.min(256, ...hashesIn(file).map((hash) => distance(hash, known)))
const hashOf = async (file: Uint8Array) => hashesIn((await scan(file)).file)[0]!
const known = await hashOf(jpeg)

const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')
const base64 = (data: Uint8Array) => Buffer.from(data).toString('base64')

function base85(data: Uint8Array): string {
  let text = ''
  for (let at = 0; at < data.length; at += 4) {
    const part = data.subarray(at, at + 4)
    let value = Buffer.concat([part, new Uint8Array(4)]).readUInt32BE(0)
    let group = ''
    for (let i = 0; i < 5; i++, value = Math.floor(value / 85))
      group = String.fromCharCode(33 + (value % 85)) + group
    text += group === '!!!!!' && part.length === 4 ? 'z' : group.slice(0, part.length + 1)
  }
  return text
}

const lines = (text: string) => text.replaceAll(/(.{76})/g, '$1\n')
const PICTURE = `/Type /XObject /Subtype /Image /Width ${WIDTH} /Height ${HEIGHT} /ColorSpace /DeviceRGB /BitsPerComponent 8`
const object = (entries: string, text: string): PdfObject => ({
  value: `<< ${entries} >>`,
  data: Buffer.from(text, 'latin1'),
})
const A85_FLATE = '/Filter [/ASCII85Decode /FlateDecode]'
const shown = object(`${PICTURE} ${A85_FLATE}`, lines(`${base85(deflateSync(pixels))}~>`))
const otherZlib = deflateSync(other)

describe('streams of a PDF that are written in text', () => {
  it.each<[string, PdfObject]>([
    ['a raster in ASCII85', shown],
    [
      'a raster in hex',
      object(`${PICTURE} /Filter [/AHx /Fl]`, lines(`${hex(deflateSync(pixels))}>`)),
    ],
    ['a JPEG in ASCII85', object(`${PICTURE} /Filter [/A85 /DCT]`, `<~${lines(base85(jpeg))}~>\n`)],
    [
      'an attached file in ASCII85',
      object(`/Type /EmbeddedFile ${A85_FLATE}`, lines(`${base85(deflateSync(jpeg))}~>`)),
    ],
    [
      'a font that is a picture',
      object(`/Length1 9 ${A85_FLATE}`, lines(`${base85(deflateSync(jpeg))}~>`)),
    ],
  ])('are read, and not searched as texts: %s', async (_, one) => {
    const pdf = writePdf([one])
    for (const cut of [pdf.length, 1000]) {
      const { file, searched } = await scan(pdf, {}, cut)
      expect(nearest(file, known)).toBeLessThanOrEqual(NEAR)
      expect(searched).toBeLessThan(1500)
    }
  })

  it('are scanned as files for what is written in them', async () => {
    const content = deflateSync(Buffer.from(`% ${base64(jpeg)}\nq Q\n`))
    const pdf = writePdf([object(A85_FLATE, lines(`${base85(content)}~>`))])
    expect(nearest((await scan(pdf)).file, known)).toBeLessThanOrEqual(NEAR)
  })
})

describe('the texts of a PDF are searched', () => {
  const whole = `${PICTURE} ${A85_FLATE}`
  const small = '/Width 32 /Height 32 /ColorSpace /DeviceGray /BitsPerComponent 8'
  const rows = base85(otherZlib)
  // The first bytes of this text are those of a run, which goes to its end.
  const runs = `/Subtype /Image ${small} /Filter [/ASCII85Decode /RunLengthDecode]`

  it.each<[string, PdfObject]>([
    ['an unknown filter', object('/Filter /None', base64(jpeg))],
    ['a filter with the name of a property', object('/Filter /constructor', base64(jpeg))],
    ['another coding than the filter says', object('/Filter /ASCII85Decode', hex(jpeg))],
    ['no filter', object('', hex(jpeg))],
    ['other data than the second filter says', object(whole, hex(jpeg))],
    ['a filter that reads anything', object(runs, hex(jpeg))],
    [
      'a filter of pictures that are not decoded',
      object(`${PICTURE} /Filter [/A85 /JPX]`, hex(jpeg)),
    ],
    ['a JPEG filter over another format', object(`${PICTURE} /Filter [/A85 /DCT]`, hex(jpeg))],
    [
      'behind a JPEG in ASCII85',
      object(`${PICTURE} /Filter [/A85 /DCT]`, `${base85(otherJpeg)}${hex(jpeg)}~>`),
    ],
    ['behind zlib in ASCII85', object(whole, `${rows}${hex(jpeg)}~>`)],
    ['behind the end of ASCII85', object(whole, `${rows}~>\n${hex(jpeg)}`)],
    ['between the characters of ASCII85', object(whole, `${rows}~>{${base64(jpeg)}}`)],
    [
      'behind the rows of a raster',
      object(whole, `${base85(deflateSync(Buffer.concat([other, jpeg])))}~>`),
    ],
    [
      'in a picture that is too small to be hashed',
      object(
        `/Subtype /Image /Width 8 /Height 900 /ColorSpace /DeviceGray /BitsPerComponent 8 ${A85_FLATE}`,
        `${base85(deflateSync(jpeg))}~>`,
      ),
    ],
    [
      'in a raster with too few rows',
      object(
        `/Subtype /Image /Width 90 /Height 900 /ColorSpace /DeviceRGB /BitsPerComponent 8 ${A85_FLATE}`,
        `${base85(deflateSync(jpeg))}~>`,
      ),
    ],
    ['a length that ends before it', object(`${whole} /Length 20`, `${rows}~>{${base64(jpeg)}}`)],
    [
      'behind a stream of that length',
      object(`${whole} /Length ${rows.length + 2}`, `${rows}~>\nendstream\n${base64(jpeg)}`),
    ],
  ])('%s', async (_, one) => {
    const { file } = await scan(writePdf([one]))
    expect(nearest(file, known)).toBeLessThanOrEqual(NEAR)
  })

  it('before its first and behind its last bytes', async () => {
    const pdf = writePdf([object(whole, `${rows}~>`)])
    const stream = Buffer.from(`1 0 obj << ${whole} >> stream\n${hex(jpeg)}\nendstream\n`)
    const text = Buffer.from(`\n${base64(jpeg)}\n`)
    const short = await sharp(pixels, { raw }).resize(40).jpeg({ quality: 5 }).toBuffer()
    const cases: [Uint8Array[], Hash256][] = [
      [[Buffer.from(`${base64(short)}\n`), pdf], await hashOf(short)],
      [[pdf, text], known],
      [[pdf, stream], known],
    ]
    for (const [parts, hash] of cases)
      expect(nearest((await scan(Buffer.concat(parts))).file, hash)).toBeLessThanOrEqual(NEAR)
  })

  it('if the file is too long to be held, in whatever chunks it comes', async () => {
    const pdf = writePdf([object('', base64(jpeg))])
    const limits = { heldBytes: pdf.length >> 1 }
    for (const cut of [pdf.length, 1000]) {
      const { file } = await scan(pdf, limits, cut)
      expect(file).toMatchObject({ reason: 'over-limit' })
      expect(nearest(file, known)).toBeLessThanOrEqual(NEAR)
    }
  })

  it('if the file has more objects than are read, or is encrypted', async () => {
    const attached = object(`/Type /EmbeddedFile ${A85_FLATE}`, `${base85(deflateSync(jpeg))}~>`)
    const many = Buffer.from(`%PDF-1.7\n${'1 0 obj 1 endobj\n'.repeat(66_000)}`)
    const files = [
      Buffer.concat([many, writePdf([attached])]),
      writePdf([attached], { trailer: '/Encrypt 9 0 R' }),
    ]
    for (const pdf of files) {
      const { file } = await scan(pdf)
      expect(nearest(file, known)).toBeLessThanOrEqual(NEAR)
    }
  })
})
