import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { type Counted, ScanBudget } from '../../../src/scan/budget.ts'
import { SCAN_LIMITS } from '../../../src/scan/limits.ts'
import { allFiles, problemOf, type ScannedFile } from '../../../src/scan/scanned.ts'
import { FileScanner, type TextKind } from '../../../src/scan/scanner.ts'
import { randomBytes } from '../../support/random.ts'
import { picture } from '../../support/sharp-images.ts'

const modules = readModules()
const MIB = 1024 * 1024

/** Counts what is taken of the limits: a search does a bounded amount of work for each. */
class CountingBudget extends ScanBudget {
  readonly counts = new Map<Counted, number>()

  override take(what: Counted, amount = 1): boolean {
    this.counts.set(what, (this.counts.get(what) ?? 0) + amount)
    return super.take(what, amount)
  }
}

async function searched(
  body: Uint8Array,
  text: TextKind | undefined,
): Promise<{ work: (what: Counted) => number; file: ScannedFile }> {
  const budget = new CountingBudget(SCAN_LIMITS)
  const context = { modules, digestKinds: [] }
  const scanner = new FileScanner(context, { budget, depth: 0, text })
  for (let at = 0; at < body.length; at += 65_536) scanner.write(body.subarray(at, at + 65_536))
  const file = await scanner.end()
  return { file, work: (what) => budget.counts.get(what) ?? 0 }
}

function repeated(text: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, text)
}

describe('the search of a text', () => {
  it.each([
    ['names without values', 'a&', 'urlencoded'],
    ['empty strings', '"",', 'text'],
    ['one letter', 'A', 'text'],
    ['numbers', '255,216,12,', 'text'],
    ['prose', 'The quick brown fox jumps over the lazy dog. ', 'text'],
  ] as const)('passes over it once: a megabyte of %s', async (_, unit, kind) => {
    const { file, work } = await searched(repeated(unit, MIB), kind)
    expect(work('textBytes')).toBeLessThan(2 * MIB)
    expect(work('textLooks')).toBeLessThan(100)
    expect(allFiles(file)).toHaveLength(1)
    expect(work('embeddedStarts')).toBeLessThan(3)
  })

  it('passes over a megabyte of markup with a reference in each line twice, at most', async () => {
    const line = '<w:t xml:space="preserve">Fish &amp; chips, 12.50, and a glass of water</w:t>\n'
    const { file, work } = await searched(repeated(line, MIB), undefined)
    expect(work('textBytes')).toBeLessThan(3 * MIB)
    expect(problemOf(file)).toBe('unknown-format')
    expect(allFiles(file)).toHaveLength(1)
  })

  it('passes few times over signs of all kinds, as ASCII85 has them', async () => {
    const signs = Buffer.from(randomBytes(MIB / 4, 6)).map((byte) => 33 + (byte % 94))
    const { file, work } = await searched(signs, 'text')
    expect(allFiles(file)).toHaveLength(1)
    expect(work('textBytes')).toBeLessThan(26 * signs.length)
  })

  it.each([
    ['signs of all kinds', Buffer.from(randomBytes(MIB / 8, 6)).map((byte) => 33 + (byte % 94))],
    ['beginnings of zlib', repeated(`"eJyr${'A'.repeat(44)}",`, MIB / 2)],
    [
      'beginnings of JPEG',
      repeated(`"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD${'A'.repeat(14)}",`, MIB / 2),
    ],
    ['escapes', repeated('%41\\u0041&#65;=41', MIB / 2)],
  ])('yields before it has done much: %s', async (_, body) => {
    const budget = new ScanBudget(SCAN_LIMITS)
    const scanner = new FileScanner({ modules }, { budget, depth: 0, text: 'text' })
    const stretches: number[] = []
    let before = 0
    for (const steps = scanner.take(body); !steps.next().done; before = budget.workMs) {
      stretches.push(budget.workMs - before)
      expect(budget.isTurnOver).toBe(true)
      await budget.turn()
    }
    expect(stretches.length).toBeGreaterThan(2)
    expect(Math.max(...stretches)).toBeLessThan(50)
    expect(budget.workMs).toBeGreaterThan(20)
  })

  it('finds nothing in base64 noise', async () => {
    const { file, work } = await searched(
      Buffer.from(Buffer.from(randomBytes(MIB, 5)).toString('base64')),
      'text',
    )
    expect(allFiles(file).slice(1)).toEqual([])
    expect(work('textLooks')).toBeLessThan(300)
  })

  it('finds nothing in hex noise, which is base85 as well', async () => {
    const { file } = await searched(
      Buffer.from(Buffer.from(randomBytes(MIB, 5)).toString('hex')),
      'text',
    )
    expect(allFiles(file).slice(1)).toEqual([])
  })

  it('ignores the first bytes of a TIFF among noise, but reports a damaged TIFF', async () => {
    const noise = Buffer.from(randomBytes(20_000, 7))
    noise.write('II*\0\0\0\x30\0', 6000, 'latin1') // a directory that is far behind its end
    const { file } = await searched(Buffer.from(noise.toString('base64')), 'text')
    expect(allFiles(file).slice(1)).toEqual([])
    const tiff = await picture(60, 44).tiff({ compression: 'deflate' }).toBuffer()
    const damaged = Buffer.from(tiff).fill(0xff, 8, tiff.readUInt32LE(4))
    const { file: other } = await searched(Buffer.from(damaged.toString('base64')), 'text')
    expect(problemOf(other)).toBe('unknown-format')
    expect(allFiles(other).slice(1)).toMatchObject([
      { coverage: 'unscannable', reason: 'damaged', format: 'tiff', width: 60 },
    ])
  })

  it('takes the two bytes of JPEG XL for an image only at the beginning of a long value', async () => {
    for (const coding of ['hex', 'base64'] as const) {
      const found = async (bytes: number) => {
        const value = Buffer.from(randomBytes(bytes, 9))
        value.set([0xff, 0x0a])
        const json = JSON.stringify({ id: 'ab', avatar: value.toString(coding) })
        return allFiles((await searched(Buffer.from(json), 'text')).file).slice(1)
      }
      expect(await found(319)).toEqual([])
      expect(await found(321)).toMatchObject([
        { coverage: 'unscannable', reason: 'unsupported-format', format: 'jxl' },
      ])
    }
  })

  it('passes as often over honest texts in other scripts', async () => {
    const text = 'Съешь ещё "этих" мягких булок, да выпей чаю. &amp; Zwölf “Boxkämpfer” – '
    const body = Buffer.from(JSON.stringify({ a: text.repeat(2000) }))
    const { work } = await searched(body, 'text')
    expect(work('textBytes')).toBeLessThan(5 * body.length)
    expect(work('embeddedStarts')).toBe(0)
  })

  it('ignores rows of small numbers, though some icons begin that way', async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => [i, [0, 0, 1, 0, 1, 0][i] ?? i % 7])
    const { file } = await searched(Buffer.from(JSON.stringify(rows)), 'text')
    expect(allFiles(file).slice(1)).toEqual([])
  })

  it.each(['%41', '\\u0041\\/&amp;%25', '%25%32%35', '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD'])(
    'takes a bounded number of passes, whatever it is made of: %s',
    async (unit) => {
      const { work } = await searched(repeated(unit, MIB / 4), 'urlencoded')
      expect(work('textBytes')).toBeLessThan(20 * MIB)
      expect(work('textLooks')).toBeLessThan(MIB)
    },
  )

  it('says when a text has more bytes than may be searched, and not before', async () => {
    const search = async (textBytes: number) => {
      const budget = new ScanBudget({ ...SCAN_LIMITS, textBytes })
      const scanner = new FileScanner({ modules }, { budget, depth: 0, text: 'text' })
      scanner.write(repeated('words ', 1000))
      return allFiles(await scanner.end()).map(
        (one) => one.coverage === 'unscannable' && one.reason,
      )
    }
    expect(await search(1000)).toEqual(['unknown-format'])
    expect(await search(999)).toEqual(['unknown-format', 'over-limit'])
  })
})
