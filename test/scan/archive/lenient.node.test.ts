// Archives that other programs read, though they are not as they should be.

import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeTar } from '../../support/archive-writer.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'

let jpeg: Buffer

beforeAll(async () => {
  jpeg = await picture(90, 70).jpeg().toBuffer()
})

/** A TAR archive whose first header has another checksum, as text, and a name with a byte above 127. */
function tarWith(checksum: (unsigned: number, signed: number) => string): Buffer {
  const tar = Buffer.from(writeTar([{ name: 'a', content: jpeg }]))
  tar[1] = 0xe9
  tar.fill(0x20, 148, 156)
  let [unsigned, signed] = [0, 0]
  for (const byte of tar.subarray(0, 512)) {
    unsigned += byte
    signed += byte < 128 ? byte : byte - 256
  }
  tar.fill(0, 148, 156)
  tar.write(checksum(unsigned, signed), 148, 'latin1')
  return tar
}

describe('gzip', () => {
  it.each([
    ['an empty member in front', () => [gzipSync(''), gzipSync(jpeg)]],
    ['zeros between members', () => [gzipSync(''), Buffer.alloc(700), gzipSync(jpeg)]],
    ['reserved flags', () => [Buffer.from(gzipSync(jpeg).fill(0xe0, 3, 4))]],
    [
      'zeros within a file',
      () => [gzipSync(jpeg.subarray(0, 900)), Buffer.alloc(9), gzipSync(jpeg.subarray(900))],
    ],
  ] as const)('is read with %s, as Python reads it', async (_, members) => {
    const file = Buffer.concat(members())
    for (const cut of [1, 7, file.length]) {
      expect(outline(await scanChunks(file, cut))).toEqual([
        'upload: gzip 0 needles',
        'gzip: jpeg 1 needles',
      ])
    }
  })
})

describe('TAR', () => {
  it.each<[string, (unsigned: number, signed: number) => string]>([
    ['of signed bytes', (_, signed) => `${signed.toString(8).padStart(6, '0')}\0 `],
    ['behind a zero byte, as GNU tar reads it', (unsigned) => `\0${unsigned.toString(8)}\0`],
    ['with a prefix, as Python reads it', (unsigned) => `0o${unsigned.toString(8)}\0`],
    ['with spaces', (unsigned) => ` ${unsigned.toString(8)} `],
  ])('is read with a checksum %s', async (_, checksum) => {
    const files = outline(await scanChunks(gzipSync(tarWith(checksum))))
    expect(files).toContain('tar: jpeg 1 needles')
  })

  it('is read behind a block of zeros, as GNU tar reads it', async () => {
    const tar = Buffer.concat([Buffer.alloc(512), writeTar([{ name: 'a', content: jpeg }])])
    expect(outline(await scanChunks(tar))).toContain('tar: jpeg 1 needles')
  })
})
