import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { decodeFax, type FaxForm } from '../../../src/scan/image/fax.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { dithered } from '../../support/dithered.ts'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { writeTiff } from '../../support/tiff-writer.ts'

const context = { modules: readModules() }

/** A scene of 61 x 48, as libtiff 4.5 wrote it. */
const FILES: Record<string, string> = {
  'T.4 in rows that begin with bytes': [
    'SUkqACIBAABODSQARWDUgEdqwzEAO38DLQA5usDMOKC8GbTxJg0eNQYoGmA1BigaYDUGJhqANQY8NUA1Bjx2GUA1',
    'BeZzBQOANQXwiAbgNQxAQgCHQDUHgOgHH4Q1DA4OcHHUYDUGmgIPDodANQaaB3Tp0DUGmgIOojUGmawFwDUGmpjo',
    'dj41BoTscUA1DT0DgDVwGZoHNfhYFHHqFDVJB6hQNUkHoHAmLqHAVhSAQFAdAOA1QMH8GDXLg/AQNadQH4CANTtj',
    'qYP4MDUHsM/PxjUHHQ4Z/qEANQQfHGOEnoM1BLHBUyDANQTDyoyDNQTQcCoMNQ+gZyGANQQMNAaHNQ4+cFFqYDUH',
    'pjgYHXo1Djo4ZY65DjUEH+Q4NFodADUH8GwKAAABAwABAAAAPQAAAAEBAwABAAAAMAAAAAIBAwABAAAAAQAAAAMB',
    'AwABAAAAAgAAAAYBAwABAAAAAQAAABEBBAABAAAACAAAABUBAwABAAAAAQAAABYBAwABAAAAMAAAABcBBAABAAAA',
    'GgEAABwBAwABAAAAAQAAAAAAAAA=',
  ].join(''),
  'T.4, one dimension': [
    'SUkqAFYBAAAAFODSQACisGpAAKO1YZiAATt/Ay0AAnN1gZhwAaC8GbQAHxJg0eACagxQNMAE1BigaYAJqDEw1AAT',
    'UGPDVABNQY8dhlAAmoLzOYKBwATUF8IgG4AJqGICEAQ6ABNQeA6AcfhAAmoYHBzg46jABNQaaAg8Oh0ACag00Dun',
    'ToAE1BpoCDqIAE1BpmsBcAE1BpqY6HY+ACag0J2OKACahp6BwATVwGZoHABNfhYFHHqFABNUkHqFABNUkHoHABJi',
    '6hwAVYUgEABUB0A4AJqgYP4MAAmuXB+AgAE1p1AfgIABNTtjqYP4MAAmoPYZ+fjABNQcdDhn+oQAJqCD44xwk9Bg',
    'AmoJY4KmQYAJqCYeVGQYAJqCaDgVBgAmofQM5DABNQQMNAaHABNQ4+cFFqYAJqD0xwMDr0ACahx0cMsdchwATUEH',
    '+Q4NFodAAmoP4NgACgAAAQMAAQAAAD0AAAABAQMAAQAAADAAAAACAQMAAQAAAAEAAAADAQMAAQAAAAMAAAAGAQMA',
    'AQAAAAEAAAARAQQAAQAAAAgAAAAVAQMAAQAAAAEAAAAWAQMAAQAAADAAAAAXAQQAAQAAAE0BAAAcAQMAAQAAAAEA',
    'AAAAAAAA',
  ].join(''),
  'T.4, one dimension, the lowest bit first': [
    'SUkqAFYBAAAAKAdLAgBFDVYCAMWthhkBgNz+wLQAQM6ugRkOgAU9mC0A+EgGiwdAVjAKLAMgKxgFlgGQFYwMKwDI',
    'CsbDKgCygvG4YQoAWUHPnEGBAyAr6EME2AGQFUZACCBcAMgKHnABjh8CQFYYODgHxxUDICtYFhA8XLgAkBUsC9zl',
    'cgEgK1gWEFwRALKCZdaADoCsYFkZF258AGQFC7lxFABZYXmBAyCrA2YWOACyfmigOF6hAMgqCV6hAMgqCV7gAEhG',
    'VzgAqqEECAAq4AIcAFkFBn8wAJB1OvgBAYCs5Qr4AQGArNzGlcEfDABkBW+Ynx8DICs4LhzmXyEAZAXBxzEOyQsG',
    'QFaQxkFlggGQFWR4KiYYAFlBFhyoYABkhS8wJwyArCAwLGDhAMgKx+egaGUAZAUv48DA9QJAVjguDtO4TjgAsoLg',
    'n3CwaOECQFbwBxsADQAAAQMAAQAAAD0AAAABAQMAAQAAADAAAAACAQMAAQAAAAEAAAADAQMAAQAAAAMAAAAGAQMA',
    'AQAAAAEAAAAKAQMAAQAAAAIAAAARAQQAAQAAAAgAAAASAQMAAQAAAAEAAAAVAQMAAQAAAAEAAAAWAQMAAQAAADAA',
    'AAAXAQQAAQAAAE0BAAAcAQMAAQAAAAEAAAAkAQQAAQAAAAAAAAAAAAAA',
  ].join(''),
  'T.4, two dimensions, filled': [
    'SUkqADYBAAAAAacGkgABFFcAAaO1YZiAASavAAGc3WBmHAABIO4AAfiTBo8AARNQYDIaZqABmoMUDTABagABmoMe',
    'GqABcjuAAZqC8zmCgcABYIINgAGahiAhAEOgAVJyDjrAAZqGBwc4OOowAUXSaCUAAZqDTQO6dOgAAXe4AAGag0zW',
    'AuABYhljlDggoAGag0J2OKABSGnoMAGauAzNA4ABQmRYIo9wAZqkg9QoAAF6gAGTF1DgASDUAAGoDoBwARNUmCgA',
    'AZrlwfgIAAFZneABmp2x1MH8GAABRZsM6L+AAZqDjocM/1CAAVLIx1TgAZqCWOCpkGABbTCC4AGagmg4FQYAAVIb',
    'gAGaggYaA0OAAVEfQZtDAAGag9McDA69AAFCI6Y9KAABmoIP8hwaLQ6AAVoRGAwAAAEDAAEAAAA9AAAAAQEDAAEA',
    'AAAwAAAAAgEDAAEAAAABAAAAAwEDAAEAAAADAAAABgEDAAEAAAABAAAAEQEEAAEAAAAIAAAAEgEDAAEAAAABAAAA',
    'FQEDAAEAAAABAAAAFgEDAAEAAAAwAAAAFwEEAAEAAAAuAQAAHAEDAAEAAAABAAAAJAEEAAEAAAAFAAAAAAAAAA==',
  ].join(''),
  'T.6': [
    'SUkqAJgAAAApwaZRXpFXpq+3ug7hJhyagwGQ0zX9deR3qEGuCCDdAmwS0nIOOu0+li6TQS9QkvvfRWCPEMscocEF',
    'ptDkNPQcuPCZFgij3oR/1EJaDVVJqkwW9bM74YSI63izYZ0X/BFDqnpZGOqfHDCS9phBfFAwT6Q3uw1oj6DNocUE',
    'ccHrCI6Y9LZHwihxaS2hEYAIAIAKAAABAwABAAAAPQAAAAEBAwABAAAAMAAAAAIBAwABAAAAAQAAAAMBAwABAAAA',
    'BAAAAAYBAwABAAAAAQAAABEBBAABAAAACAAAABUBAwABAAAAAQAAABYBAwABAAAAMAAAABcBBAABAAAAkAAAABwB',
    'AwABAAAAAQAAAAAAAAA=',
  ].join(''),
}

async function hashesOf(file: Uint8Array) {
  const scanned = await scanFile(context, file)
  if (scanned.coverage === 'unscannable') throw new Error(scanned.reason)
  expect(scanned.isPartial).toBe(false)
  return scanned.needles
}

/** Bits between a TIFF and what libvips shows of it. */
async function distanceToSharp(file: Uint8Array): Promise<number> {
  const [shown] = await hashesOf(await sharp(file).png().toBuffer())
  const needles = await hashesOf(file)
  expect(shown!.quality).toBeGreaterThan(80)
  return Math.min(...needles.map(({ hash }) => distance(hash, shown!.hash)))
}

describe('fax data in TIFF', () => {
  it.each(Object.keys(FILES))('is hashed as libvips shows it: %s', async (name) => {
    expect(await distanceToSharp(Buffer.from(FILES[name]!, 'base64'))).toBe(0)
  })

  it('is hashed as libvips wrote it', async () => {
    const { width, height, bits } = dithered(301, 211, 3)
    const tags = { 256: [width], 257: [height], 258: [1], 259: [1], 262: [1], 277: [1] }
    const file = writeTiff([{ tags, segments: [bits] }])
    const options = { compression: 'ccittfax4', bitdepth: 1 } as const
    const fax = await sharp(file).toColourspace('b-w').tiff(options).toBuffer()
    expect(await distanceToSharp(fax)).toBe(0)
  })

  const sizes = once(() => [dithered(64, 48, 4), dithered(2481, 60, 4), dithered(5003, 24, 4)])
  const FORMS = ['g3:1d', 'g3:2d', 'g3:1d:fill', 'g3:2d:fill', 'g4']
  const ways = FORMS.flatMap((form) =>
    ['msb2lsb', 'lsb2msb'].map((order): [string, string] => [form, order]),
  )

  it.skipIf(!hasTiffcp()).each(ways)('is hashed as tiffcp wrote it: %s %s', async (form, order) => {
    const folder = mkdtempSync(join(tmpdir(), 'fax-'))
    const [from, to] = [join(folder, 'from.tif'), join(folder, 'to.tif')]
    for (const { width, height, bits } of sizes()) {
      const tags = { 256: [width], 257: [height], 258: [1], 259: [1], 262: [1], 277: [1] }
      writeFileSync(from, writeTiff([{ tags, segments: [bits] }]))
      for (const strip of ['8', '100000']) {
        execFileSync('tiffcp', ['-c', form, '-f', order, '-r', strip, from, to])
        expect(await distanceToSharp(readFileSync(to))).toBe(0)
      }
    }
  })
})

describe('broken fax data', () => {
  const codings = [
    ['T.6', 'group-4', 144],
    ['T.4, one dimension', 'one-dimensional', 333],
    ['T.4, two dimensions, filled', 'two-dimensional', 302],
  ] as const

  it.each(codings)('is read as libtiff reads it, or damaged: %s', async (name, coding, bytes) => {
    const whole = Buffer.from(FILES[name]!, 'base64')
    const form = { coding, isAligned: false, columns: 61, rows: 48 }
    const start = 8
    let same = 0
    for (let seed = 1; seed <= 200; seed++) {
      const random = randomFrom(seed)
      const file = Buffer.from(whole)
      for (let flips = 1 + (seed % 3); flips > 0; flips--) {
        const at = start + Math.floor(random() * bytes)
        file[at] = (file[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      }
      const read = readRows(form, file.subarray(start, start + bytes))
      const shown = await sharp(file, { failOn: 'none' }).toColourspace('b-w').raw().toBuffer()
      const isSame = Buffer.compare(read.pixels, shown) === 0
      if (isSame) same++
      else expect(read.isDamaged, `seed ${seed}`).toBe(true)
    }
    expect(same).toBeGreaterThan(100)
  })
})

describe('hostile fax data', () => {
  it('has rows that are white from a run on that passes their end', () => {
    // Horizontal mode, white 2 and black 3, then white 2 and black 12, of 10 pixels.
    const codes = ['001', '0111', '10', '001', '0111', '0000111']
    const bits = codes.join('').padEnd(32, '1')
    const data = Uint8Array.from({ length: 4 }, (_, i) => parseInt(bits.slice(i * 8, i * 8 + 8), 2))
    const form = { coding: 'group-4', isAligned: false, columns: 10, rows: 1 } as const
    const [rows] = decodeFax(form, data)
    expect(rows?.subarray(0, 2)).toEqual(Uint8Array.of(0b0011_1000, 0))
  })

  it('has rows without ends behind one with an end', () => {
    // An end of line, twice white 2, black 3 and white 5, and six ends.
    const [end, row] = ['000000000001', '0111101100']
    const bits = `${end}${row}${row}${end.repeat(6)}`.padEnd(112, '0')
    const data = Uint8Array.from({ length: 14 }, (_, i) =>
      parseInt(bits.slice(i * 8, i * 8 + 8), 2),
    )
    const form = { coding: 'one-dimensional', isAligned: false, columns: 10, rows: 9 } as const
    const [rows] = decodeFax(form, data)
    expect(rows).toEqual(Uint8Array.of(0b0011_1000, 0, 0b0011_1000, 0))
  })

  const forms = (['group-4', 'one-dimensional', 'two-dimensional'] as const).flatMap((coding) =>
    [true, false].map((isAligned): FaxForm => ({ coding, isAligned, columns: 777, rows: 2400 })),
  )

  it.each(forms)('ends, and gives whole rows: %o', (form) => {
    for (let seed = 1; seed <= 60; seed++) {
      const data = randomBytes(300, seed)
      if (seed % 3 === 0) data.fill(255, 30) // rows like the one before
      let bytes = 0
      for (const rows of decodeFax(form, data)) bytes += rows.length
      expect(bytes % 98).toBe(0)
      expect(bytes).toBeLessThanOrEqual(300 * 8 * 98)
    }
  })
})

/** Pixels of fax data, 255 for black, as libtiff shows them if 0 is black; rows that are missing are 0. */
function readRows(form: FaxForm, data: Uint8Array): { pixels: Uint8Array; isDamaged: boolean } {
  const pixels = new Uint8Array(form.columns * form.rows)
  const rowBytes = Math.ceil(form.columns / 8)
  const parts: Uint8Array[] = []
  const chunks = decodeFax(form, data)
  let next = chunks.next()
  for (; !next.done; next = chunks.next()) parts.push(next.value.slice())
  const bits = Buffer.concat(parts)
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [i % form.columns, Math.floor(i / form.columns)]
    const byte = bits[y * rowBytes + (x >> 3)] ?? 0
    pixels[i] = (byte >> (7 - (x & 7))) & 1 ? 255 : 0
  }
  const isShort = bits.length < form.rows * rowBytes
  return { pixels, isDamaged: isShort || next.value === 'damaged' }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

function hasTiffcp(): boolean {
  try {
    execFileSync('tiffcp', ['-h'], { stdio: 'ignore' })
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'ENOENT'
  }
}
