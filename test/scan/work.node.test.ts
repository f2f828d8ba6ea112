import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import sharp from 'sharp'
import { readModules } from '../../src/core/node.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { allFiles, problemOf, type ScannedFile } from '../../src/scan/scanned.ts'
import { budgetOf, FileScanner, scanFile } from '../../src/scan/scanner.ts'
import { writeZip } from '../support/archive-writer.ts'
import { picture } from '../support/sharp-images.ts'

const context = { modules: readModules(), probes: PROBE_SETS.default }
const blank = sharp({ create: { width: 1000, height: 1000, channels: 3, background: '#777' } })
const avif = await blank.avif().toBuffer()
const jpeg = await picture(96, 96, 3, 1).jpeg().toBuffer()

function zipOf(count: number, content: Uint8Array): Uint8Array {
  return writeZip(Array.from({ length: count }, (_, i) => ({ name: `${i}`, content })))
}

function imagesOf(file: ScannedFile): ScannedFile[] {
  return allFiles(file).slice(1)
}

describe('the work of an upload', () => {
  it('ends the decoding of a library, and what was decoded keeps its needles', async () => {
    expect(avif.length).toBeLessThan(1000)
    const file = await scanFile({ ...context, limits: { workMs: 1000 } }, zipOf(12, avif))
    const images = imagesOf(file)
    const decoded = images.filter(({ coverage }) => coverage === 'scanned')
    expect(images).toHaveLength(12)
    expect(decoded.length).toBeGreaterThan(3)
    expect(decoded.length).toBeLessThan(12)
    expect(problemOf(file)).toBe('over-limit')
    const none = await scanFile({ ...context, limits: { workMs: 100_000 } }, zipOf(12, avif))
    expect(problemOf(none)).toBeUndefined()
  })

  it('ends probes first, so that some is left to hash others as they are', async () => {
    const file = await scanFile({ ...context, limits: { workMs: 150 } }, zipOf(60, jpeg))
    const images = imagesOf(file).map((one) => ({
      needles: one.coverage === 'scanned' ? one.needles.length : 0,
      isPartial: one.coverage === 'scanned' && one.isPartial,
    }))
    const [first] = images
    expect(first?.isPartial).toBe(false)
    const partial = images.filter(({ needles, isPartial }) => isPartial && needles > 0)
    expect(partial.length).toBeGreaterThan(5)
    for (const { needles } of partial) expect(needles).toBeLessThan(first!.needles)
  })

  it('ends unpacking', async () => {
    const text = Buffer.from('a line of a text that is packed, once more\n'.repeat(200_000))
    const files = Array.from({ length: 10 }, (_, i) => ({
      name: `${i}`,
      content: Buffer.concat([Buffer.from(`${i}`), text]),
      method: 8,
    }))
    const file = await scanFile({ ...context, limits: { workMs: 100 } }, writeZip(files))
    expect(problemOf(file)).toBe('over-limit')
    expect(file).toMatchObject({ format: 'zip', unscannableEntries: expect.any(Number) })
  })

  it('ends the search of a text that is not packed', async () => {
    const text = Buffer.from('Fish &amp; chips, 12.50, and a glass of water\n'.repeat(8000))
    const search = async (workMs: number) => {
      const own = { ...context, limits: { workMs } }
      const budget = budgetOf(own)
      const scanner = new FileScanner(own, { budget, depth: 0 })
      scanner.write(text)
      return { file: await scanner.end(), spent: budget.workMs }
    }
    const whole = await search(100_000)
    expect(allFiles(whole.file)).toMatchObject([{ reason: 'unknown-format' }])
    const part = await search(10)
    expect(allFiles(part.file)).toMatchObject([
      { reason: 'unknown-format' },
      { reason: 'over-limit' },
    ])
    expect(part.spent).toBeLessThan(whole.spent / 5)
  })

  it('counts each inflater of a gzip with many members, however short they are', () => {
    const spent = (members: number) => {
      const budget = budgetOf(context)
      const scanner = new FileScanner(context, { budget, depth: 0 })
      scanner.write(Buffer.concat(Array<Buffer>(members).fill(gzipSync(''))))
      scanner.close()
      return budget.workMs
    }
    expect(spent(2000) - spent(1000)).toBeGreaterThan(1000 * 0.03)
  })

  it('counts each chunk of an image, however short it is', () => {
    const spent = (bytes: number) => {
      const budget = budgetOf(context)
      const scanner = new FileScanner(context, { budget, depth: 0 })
      for (let at = 0; at < jpeg.length; at += bytes) scanner.write(jpeg.subarray(at, at + bytes))
      scanner.close()
      return budget.workMs
    }
    expect(spent(1) - spent(jpeg.length)).toBeGreaterThan(jpeg.length * 0.005)
  })

  it('has room for four conversions, which are billed', async () => {
    let calls = 0
    const heic = Buffer.from('0000001c66747970686569630000000068656963', 'hex')
    const convert = async () => {
      calls++
      return picture(96, 96, 3, calls).png().toBuffer()
    }
    const file = await scanFile({ ...context, convert }, zipOf(6, heic))
    expect(calls).toBe(4)
    expect(imagesOf(file).map(({ coverage }) => coverage)).toEqual([
      ...Array<string>(4).fill('scanned'),
      ...Array<string>(2).fill('unscannable'),
    ])
    expect(problemOf(file)).toBe('over-limit')
  })
})
