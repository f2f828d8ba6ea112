import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { allFiles, problemOf } from '../../../src/scan/scanned.ts'
import { budgetOf, FileScanner } from '../../../src/scan/scanner.ts'
import { picture } from '../../support/sharp-images.ts'
import { expectSeen, expectSeenInForm, expectSeenInText, files } from './seen.ts'
import { WAYS } from './written.ts'

const modules = readModules()

function percentEncoded(file: Buffer): string {
  return [...file].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
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

  // Whole here, in chunks below, and the other way about in the long tests.
  it.each(Object.entries(WAYS))('is seen in the name of a member, and in a text: %s', (_, write) =>
    expectSeenInText(write, [Infinity]),
  )

  it.each(Object.entries(WAYS))('is seen in a form that is urlencoded: %s', (_, write) =>
    expectSeenInForm(write, [1000]),
  )

  it('is seen in a form where plus signs have become spaces, or that is sent as a text', async () => {
    const spaced = files.png.toString('base64').replaceAll('+', ' ')
    await expectSeen(`a=1&photo=data:image/png;base64,${encodeURIComponent(spaced)}`, 'urlencoded')
    await expectSeen(`a=1&photo=${spaced}`, 'urlencoded')
    await expectSeen(`a=b+c&photo=${percentEncoded(files.jpeg)}`)
  })

  it('is seen as characters for bytes, and as numbers of two bytes, whatever the file begins with', async () => {
    const image = picture(40, 30)
    const tiff = await image.clone().tiff({ compression: 'lzw' }).toBuffer()
    const avif = await image.clone().avif({ effort: 0, quality: 90 }).toBuffer()
    for (const [format, file] of Object.entries({ ...files, tiff, avif })) {
      const even = Buffer.concat([file, Buffer.alloc(file.length % 2)])
      const words = (read: (at: number) => number) =>
        JSON.stringify(Array.from({ length: even.length / 2 }, (_, i) => read(2 * i)))
      const bodies = [words((at) => even.readUInt16LE(at)), words((at) => even.readInt16BE(at))]
      const characters = file.toString('latin1')
      await expectSeen(characters, 'text', undefined, format)
      // The beginning of this bitmap is ASCII.
      if (format !== 'bmp') bodies.push(characters)
      for (const body of bodies) {
        await expectSeen(body, 'text', undefined, format)
        await expectSeen(body, undefined, undefined, format)
      }
    }
  })

  it('is seen in AVIF with characters that end other values', async () => {
    const avif = await picture(40, 30).avif({ effort: 0, quality: 90 }).toBuffer()
    for (const way of [
      'base64 with quotes and brackets among it (base64_decode)',
      'base64 with quotes between all (base64_decode)',
      'base64 with equals signs among it (base64_decode)',
      'base64 of pieces, each with its padding',
      'base64 of pieces, in an array',
    ]) {
      const photo = WAYS[way]?.(avif) ?? ''
      await expectSeen(JSON.stringify({ photo, more: 'yes' }), 'text', undefined, way)
      await expectSeen(`photo=${encodeURIComponent(photo)}&more=yes`, 'urlencoded', undefined, way)
      await expectSeen(photo, undefined, undefined, way)
    }
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

  it('is seen percent-encoded in JSON whose slashes are escaped, as json_encode does', async () => {
    for (const [format, file] of Object.entries(files)) {
      const uri = `data:image/png,${percentEncoded(file).replaceAll('%2f', '/')}`
      await expectSeen(JSON.stringify({ uri }).replaceAll('/', '\\/'), 'text', undefined, format)
    }
  })

  it('has its digests taken in a field declared to hold files, whatever it begins with', async () => {
    const unknown = Buffer.from(Array.from({ length: 60 }, (_, i) => (i * 37 + 130) & 255))
    const sha256 = createHash('sha256').update(unknown).digest('hex')
    const json = JSON.stringify({ video: unknown.toString('base64'), more: 'text' })
    const digestsBy = async (base64Fields: string[]) => {
      const context = { modules, base64Fields }
      const scanner = new FileScanner(context, {
        budget: budgetOf(context),
        depth: 0,
        text: 'text',
      })
      scanner.write(Buffer.from(json))
      const { inner = [] } = await scanner.end()
      return inner.map(({ digests }) => Buffer.from(digests?.sha256 ?? []).toString('hex'))
    }
    expect(await digestsBy(['video'])).toEqual([sha256])
    expect(await digestsBy(['photo'])).toEqual([])
  })

  it('is seen in each of its readings at once, even if it goes on for long', async () => {
    const file = await picture(300, 200).jpeg().toBuffer()
    const ways = [
      'a binary string with escapes',
      'a binary string in Windows-1252 (MySQL)',
      'a data URI, percent-encoded, under escapes of JSON',
    ]
    for (const way of ways) {
      const context = { modules }
      const scanner = new FileScanner(context, {
        budget: budgetOf(context),
        depth: 0,
        text: 'text',
      })
      scanner.write(Buffer.from(JSON.stringify({ photo: WAYS[way]?.(file) })))
      const inner = allFiles(await scanner.end()).slice(1)
      expect(inner.map(problemOf)).not.toContain('over-limit')
      expect(inner).toContainEqual(expect.objectContaining({ width: 300, height: 200 }))
    }
  })

  it('is seen byte by byte', async () => {
    const json = JSON.stringify({ note: 'a\nb', photo: files.jpeg.toString('base64') })
    await expectSeen(json, 'text', [1, 7])
  })
})
