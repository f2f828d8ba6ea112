import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { ArchiveSigns } from '../../../src/scan/archive/archive-signs.ts'
import { randomBytes } from '../../support/random.ts'

const noise = randomBytes(40_000, 3)
const archives = { gzip: gzipSync('a text'), zstd: zstdCompressSync('a text') }

function formatsIn(file: Uint8Array, chunkBytes: number) {
  const signs = new ArchiveSigns()
  for (let at = 0; at < file.length; at += chunkBytes)
    signs.take(file.subarray(at, at + chunkBytes))
  return signs.close().map(({ format }) => format)
}

it.each(Object.entries(archives))('finds %s across chunks and blocks', (format, archive) => {
  for (const before of [0, 1, 511, 16_373, 16_380, 16_383, 16_384, 31_000]) {
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
