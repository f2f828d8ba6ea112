// A picture, and whether it is seen in a text.

import { expect } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { allFiles, needlesOf, type ScannedFile, settleAll } from '../../../src/scan/scanned.ts'
import { budgetOf, FileScanner, type TextKind } from '../../../src/scan/scanner.ts'
import { TextSearch } from '../../../src/scan/text/text-search.ts'
import { distance } from '../../../src/util/hash.ts'
import { atOnce } from '../../../src/util/steps.ts'
import { picture } from '../../support/sharp-images.ts'
import type { Way } from './written.ts'

const modules = readModules()
const image = picture(40, 30)
const samples = await image.clone().removeAlpha().raw().toBuffer()

/** The picture in five formats. */
export const files = {
  jpeg: await image.clone().jpeg().toBuffer(),
  png: await image.clone().png().toBuffer(),
  gif: await image.clone().gif().toBuffer(),
  webp: await image.clone().webp().toBuffer(),
  bmp: bitmapOf(samples, 40, 30),
}
const [hash = new Uint8Array(0)] = await hashesIn(files.png)

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
  return hashesOf(await scanner.end())
}

function hashesOf(file: ScannedFile): Uint8Array[] {
  return allFiles(file).flatMap((one) => needlesOf(one).map((needle) => needle.hash))
}

/** Expects that the picture is seen if the text is searched in blocks of this many bytes. */
export async function expectSeenInBlocks(
  text: string,
  blockBytes: number,
  isUrlencoded = false,
): Promise<void> {
  const context = { modules, digestKinds: [] }
  const budget = budgetOf(context)
  const open = (isSearched: boolean) =>
    new FileScanner(context, { budget, depth: 1, encodings: 1, within: 'text', isSearched })
  const search = new TextSearch({ budget, isUrlencoded, open, blockBytes })
  atOnce(search.take(Buffer.from(text)))
  const found = await settleAll(search.close())
  const distances = found.flatMap(hashesOf).map((one) => distance(one, hash))
  expect(Math.min(...distances, 256), `in blocks of ${blockBytes}`).toBeLessThanOrEqual(20)
}

/** Expects that the picture is seen, in whatever chunks the text comes. */
export async function expectSeen(
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

/** Expects that the picture is seen as a name in JSON, and between lines of a text. */
export async function expectSeenInText(write: Way, cuts: number[]): Promise<void> {
  await expectSeen(JSON.stringify({ [write(files.jpeg)]: 1 }), 'text', cuts)
  await expectSeen(`A photo:\n${write(files.png)}\n-- \nYours\n`, 'text', cuts)
}

/** Expects that the picture is seen as a value and as a name of a form that is urlencoded. */
export async function expectSeenInForm(write: Way, cuts: number[]): Promise<void> {
  const value = `a=1&photo=${encodeURIComponent(write(files.jpeg))}&b=2+3`
  await expectSeen(value, 'urlencoded', cuts)
  const name = String(new URLSearchParams({ a: '1', [write(files.png)]: '' }))
  await expectSeen(name, 'urlencoded', cuts)
}
