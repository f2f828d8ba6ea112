// However much work a file makes, all else that the isolate has to do goes on beside it.

import { deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import sharp from 'sharp'
import { readModules } from '../../src/core/node.ts'
import { Inspection } from '../../src/upload/inspection.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { allFiles, type ScannedFile } from '../../src/scan/scanned.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { writeZip } from '../support/archive-writer.ts'
import { randomBytes } from '../support/random.ts'
import { turnsBeside } from '../support/turns.ts'
import { picture } from '../support/sharp-images.ts'

const modules = readModules()
const context = { modules, probes: PROBE_SETS.default }
const jpeg = await picture(96, 96, 3, 1).jpeg().toBuffer()

const text = Buffer.from(Buffer.from(randomBytes(4 << 20, 1)).toString('hex'))

function zipOf(count: number, content: Uint8Array, method = 0): Uint8Array {
  return writeZip(Array.from({ length: count }, (_, i) => ({ name: `${i}`, content, method })))
}

/** Inspects a body that comes at once. Returns the files that were judged. */
async function inspect(headers: Record<string, string>, body: Uint8Array): Promise<ScannedFile[]> {
  const judged: ScannedFile[] = []
  const inspection = new Inspection(
    { headers: new Headers(headers), url: 'https://files.example/' },
    {
      context,
      settings: { body: { maxFiles: 100, base64Fields: [] } },
      judge: async (files) => {
        judged.push(...files)
        return { action: 'allow', reason: 'no-match', files: [], isComplete: true }
      },
    },
  )
  await inspection.take(body)
  await inspection.end()
  return judged.flatMap(allFiles)
}

const progressive = await sharp(await picture(800, 600, 3, 2).png().toBuffer())
  .resize(8000, 5000)
  .jpeg({ quality: 20, progressive: true })
  .toBuffer()

describe('other tasks run meanwhile', () => {
  it.each<[what: string, file: Uint8Array, turns: number, images: number]>([
    ['a ZIP of small pictures', zipOf(200, jpeg), 20, 200],
    ['one that is packed into a few kilobytes', zipOf(1, zipOf(200, jpeg), 8), 20, 200],
    ['pictures behind one another', Buffer.concat(Array(200).fill(jpeg)), 20, 200],
    ['megabytes of text in a ZIP', zipOf(1, text, 8), 5, 0],
    ['the end of a large progressive JPEG', progressive, 6, 1],
  ])('%s', async (_, file, least, images) => {
    const { result, turns } = await turnsBeside(scanFile(context, file))
    expect(turns).toBeGreaterThan(least)
    const scanned = allFiles(result).filter(({ coverage, format }) => {
      return coverage === 'scanned' && format === 'jpeg'
    })
    expect(scanned).toHaveLength(images)
  })

  it('a body that inflates, of which little waits to be scanned', async () => {
    const zip = zipOf(200, jpeg)
    for (const [encoding, body] of [
      ['gzip', gzipSync(zip)],
      ['deflate', deflateRawSync(zip)],
      ['gzip, gzip', gzipSync(gzipSync(zip))],
    ] as const) {
      const { result, turns } = await turnsBeside(inspect({ 'content-encoding': encoding }, body))
      expect(turns).toBeGreaterThan(20)
      const images = result.filter(({ format }) => format === 'jpeg')
      expect(images.length).toBeGreaterThanOrEqual(200) // more, if the body is looked at as it came, too
    }
  })
})
