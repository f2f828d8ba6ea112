import { describe, expect, it } from 'vitest'
import { sniffFormat } from '../../../src/scan/image/format.ts'

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.padEnd(32, '\0'), (char) => char.charCodeAt(0))
}

describe('sniffFormat', () => {
  it.each([
    ['jpeg', '\xff\xd8\xff\xe0\0\x10JFIF'],
    ['jpeg', '\xff\xd8\xff\xdb'],
    ['png', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
    ['gif', 'GIF87a'],
    ['gif', 'GIF89a'],
    ['bmp', 'BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'],
    ['webp', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['avif', '\0\0\0\x20ftypavif\0\0\0\0avifmif1'],
    ['avif', '\0\0\0\x20ftypmif1\0\0\0\0mif1avif'],
    ['heic', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
    ['heic', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic'],
    ['jxl', '\xff\x0a\xcb\x40\x42\x71\x21\x00\x12\x88\x02\x00'.padEnd(320, '\x5a')],
    ['jxl', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['tiff', 'II*\0\x08\0\0\0'],
    ['tiff', 'MM\0*\0\0\0\x08'],
    ['psd', '8BPS\0\x01'],
    ['ico', '\0\0\x01\0\x02\0'],
  ])('tells %s', (format, head) => {
    expect(sniffFormat(bytes(head))).toBe(format)
  })

  it.each([
    '',
    '\xff\xd8',
    'BMW is a make of cars, not a bitmap',
    'RIFF\x10\0\0\0WAVEfmt ',
    '\0\0\0\x20ftypisom\0\0\0\0isommp41',
    '<svg xmlns="http://www.w3.org/2000/svg">',
    'hello',
  ])('does not mistake others for an image: %j', (head) => {
    expect(sniffFormat(bytes(head))).toBeUndefined()
  })
})
