import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { allFiles } from '../../../src/scan/scanned.ts'
import { budgetOf, FileScanner, type TextKind } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import { writeZip } from '../../support/archive-writer.ts'
import { picture } from '../../support/sharp-images.ts'
import { BINARY_WAYS, WAYS } from './written.ts'

const modules = readModules()
const files = {} as Record<'jpeg' | 'png' | 'gif' | 'webp' | 'bmp', Buffer>
let hash: Uint8Array

beforeAll(async () => {
  const image = picture(60, 44)
  files.jpeg = await image.clone().jpeg().toBuffer()
  files.png = await image.clone().png().toBuffer()
  files.gif = await image.clone().gif().toBuffer()
  files.webp = await image.clone().webp().toBuffer()
  const { data } = await image.clone().removeAlpha().raw().toBuffer({ resolveWithObject: true })
  files.bmp = bitmapOf(data, 60, 44)
  const [own] = await hashesIn(files.png)
  hash = own ?? new Uint8Array(0)
})

function percentEncoded(file: Buffer): string {
  return [...file].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

function bitmapOf(rgb: Buffer, width: number, height: number): Buffer {
  const stride = (width * 3 + 3) & ~3
  const file = Buffer.alloc(54 + stride * height)
  file.write('BM')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(54, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(width, 18)
  file.writeInt32LE(height, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y++)
    for (let i = 0; i < width * 3; i++)
      file[54 + (height - 1 - y) * stride + i] = rgb[y * width * 3 + i - (i % 3) + 2 - (i % 3)] ?? 0
  return file
}

async function hashesIn(
  body: Uint8Array,
  text?: TextKind,
  cut = body.length,
): Promise<Uint8Array[]> {
  const context = { modules }
  const scanner = new FileScanner(context, { budget: budgetOf(context), depth: 0, text })
  for (let at = 0; at < body.length; at += cut) scanner.write(body.slice(at, at + cut))
  const all = allFiles(await scanner.end())
  return all.flatMap((one) =>
    one.coverage === 'scanned' ? one.needles.map((needle) => needle.hash) : [],
  )
}

/** Whether the picture is seen, in whatever chunks the text comes. */
async function expectSeen(
  body: string | Uint8Array,
  text?: TextKind,
  cuts = [Infinity, 1000],
  what = '',
) {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  for (const cut of cuts) {
    const hashes = await hashesIn(bytes, text, Math.min(cut, bytes.length))
    const nearest = Math.min(...hashes.map((one) => distance(one, hash)), 256)
    expect(nearest, `${what} in chunks of ${cut}`).toBeLessThanOrEqual(20)
  }
}

describe('a picture that is written in a text', () => {
  it.each(Object.entries(WAYS))('is seen in a string of JSON: %s', async (name, write) => {
    // A bitmap's signature is too short to be searched for in a PDF.
    for (const [format, file] of Object.entries(files)) {
      if (format === 'bmp' && name.endsWith('PDF')) continue
      const json = JSON.stringify({ id: 7, name: 'a-b_c', photo: write(file), more: 'yes' })
      await expectSeen(json, 'text', undefined, format)
    }
  })

  it.each(Object.entries(WAYS))(
    'is seen in the name of a member, and in a text: %s',
    async (_, write) => {
      await expectSeen(JSON.stringify({ [write(files.jpeg)]: 1 }), 'text')
      await expectSeen(`A photo:\n${write(files.png)}\n-- \nYours\n`, 'text')
    },
  )

  it.each(Object.entries(WAYS))('is seen in a form that is urlencoded: %s', async (_, write) => {
    await expectSeen(`a=1&photo=${encodeURIComponent(write(files.jpeg))}&b=2+3`, 'urlencoded')
    await expectSeen(String(new URLSearchParams({ a: '1', [write(files.png)]: '' })), 'urlencoded')
  })

  it('is seen in a form where plus signs have become spaces, or that is sent as a text', async () => {
    const spaced = files.png.toString('base64').replaceAll('+', ' ')
    await expectSeen(`a=1&photo=data:image/png;base64,${encodeURIComponent(spaced)}`, 'urlencoded')
    await expectSeen(`a=1&photo=${spaced}`, 'urlencoded')
    await expectSeen(`a=b+c&photo=${percentEncoded(files.jpeg)}`)
  })

  it('is seen where escapes of one kind are parted by those of another', async () => {
    const html = `<img src="data:image/png;base64,${files.png
      .toString('base64')
      .replaceAll('/', '&#x2F;')
      .replaceAll('+', '%2B')}">`
    await expectSeen(JSON.stringify({ html }).replaceAll('B', '\\u0042'), 'text')
    const percent = percentEncoded(files.png)
    await expectSeen(percent.replaceAll('%4', '%4=\r\n'), 'text')
    await expectSeen(percent.replaceAll('%4', '&#37;4'), 'text')
  })

  it.each(Object.entries(WAYS).filter(([way]) => !BINARY_WAYS.has(way)))(
    'is seen in markup, in archives and UTF-16: %s',
    async (_, write) => {
      const written = write(files.jpeg)
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('"', '&quot;')
      const svg = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="${written}"/></svg>`
      await expectSeen(svg)
      await expectSeen(gzipSync(svg))
      await expectSeen(writeZip([{ name: 'a.svg', content: Buffer.from(svg), method: 8 }]))
      await expectSeen(Buffer.from(`\ufeff${svg}`, 'utf16le'))
    },
  )

  it('is seen byte by byte', async () => {
    const json = JSON.stringify({ note: 'a\nb', photo: files.jpeg.toString('base64') })
    await expectSeen(json, 'text', [1, 7])
  })
})
