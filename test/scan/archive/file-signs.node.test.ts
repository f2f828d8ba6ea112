import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { FileSigns } from '../../../src/scan/archive/file-signs.ts'
import { randomBytes } from '../../support/random.ts'

const noise = randomBytes(40_000, 3)
const ICON = [0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 104, 4, 0, 0, 22, 0, 0, 0]
const others = {
  gzip: gzipSync('a text'),
  zstd: zstdCompressSync('a text'),
  jxl: Buffer.from('\0\0\0\x0cJXL \r\n\x87\n', 'latin1'),
  jp2: Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'),
  psd: Buffer.from('8BPS\0\x01\0\0\0\0\0\0', 'latin1'),
  ico: Buffer.from(ICON),
}

function formatsIn(file: Uint8Array, chunkBytes: number) {
  const signs = new FileSigns()
  for (let at = 0; at < file.length; at += chunkBytes)
    signs.take(file.subarray(at, at + chunkBytes))
  return signs.close().map(({ format }) => format)
}

it.each(Object.entries(others))('finds %s across chunks and blocks', (format, archive) => {
  for (const before of [1, 511, 16_373, 16_380, 16_383, 16_384, 31_000]) {
    const file = Buffer.concat([noise.subarray(0, before), archive])
    for (const chunkBytes of [1, 7, 511, 16_384, 100_000])
      expect([before, chunkBytes, formatsIn(file, chunkBytes)]).toEqual([
        before,
        chunkBytes,
        [format],
      ])
  }
})

it('finds nothing in noise', () => {
  expect(formatsIn(noise, 1000)).toEqual([])
})

it.each(Object.entries(others))('does not take %s for a second file in itself', (_, file) => {
  for (const chunkBytes of [1, 7, 100_000])
    expect(formatsIn(Buffer.concat([file, noise]), chunkBytes)).toEqual([])
})

it.each<[string, number, ...number[]]>([
  ['no entries', 4, 0],
  ['a reserved byte', 9, 1],
  ['an entry without bytes', 14, 0, 0],
  ['a picture within its entries', 18, 21],
  ['a picture far behind', 21, 1],
])('finds no icon with %s', (_, at, ...bytes) => {
  const icon = Buffer.from(ICON)
  icon.set(bytes, at)
  expect(formatsIn(Buffer.concat([noise, icon]), 1000)).toEqual([])
})
