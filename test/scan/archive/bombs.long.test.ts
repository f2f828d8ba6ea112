import { describe, expect, it } from 'vitest'
import { SCAN_LIMITS } from '../../../src/scan/limits.ts'
import { writeGzip, writeTar, writeZip, type ZipFile } from '../../support/archive-writer.ts'
import { countWork } from '../../support/count-work.ts'
import { outline, scanChunks } from '../../support/scan-chunks.ts'

const text = Buffer.from('A text that says nothing. '.repeat(50))

/** An archive of copies of a file. */
function copies(content: Uint8Array, count: number): Uint8Array {
  return writeZip(Array.from({ length: count }, (_, i) => ({ name: `${i}`, content })))
}

async function problemsOf(file: Uint8Array): Promise<Set<string | undefined>> {
  const lines = outline(await scanChunks(file, 65536))
  return new Set(lines.map((line) => /[a-z-]+-(limit|archive)/.exec(line)?.[0]).filter(Boolean))
}

describe('archives that are meant to do harm', () => {
  it('end at the limits: each level is sixteen times the last', async () => {
    let file: Uint8Array = new Uint8Array(20_000_000)
    for (let level = 0; level < 5; level++) file = copies(file, level === 0 ? 4 : 16)
    expect(file.length).toBeLessThan(1_000_000)
    const { result, taken } = await countWork(() => problemsOf(file))
    expect(result).toEqual(new Set(['over-limit']))
    // What was open goes over the limit once each, by a chunk.
    expect(taken('inflatedBytes')).toBeLessThan(1.01 * SCAN_LIMITS.inflatedBytes)
    expect(taken('entries')).toBeLessThan(SCAN_LIMITS.entries)
  })

  it('end at the limits: an archive in an archive without end', async () => {
    let file: Uint8Array = text
    for (let level = 0; level < 40; level++) {
      const wrap = [
        writeGzip,
        (inner: Uint8Array) => copies(inner, 1),
        (inner: Uint8Array) => writeTar([{ name: 'a', content: inner }]),
      ]
      file = wrap[level % 3]!(file)
    }
    expect(await problemsOf(file)).toEqual(new Set(['over-limit']))
  })

  it('end at the limits: more entries than there may be', async () => {
    const entries = (count: number): ZipFile[] => {
      return Array.from({ length: count }, (_, i) => ({
        name: `${i}`,
        content: Buffer.of(i),
        method: 0,
      }))
    }
    expect(await problemsOf(writeZip(entries(SCAN_LIMITS.entries)))).toEqual(new Set())
    const over = writeZip(entries(SCAN_LIMITS.entries + 1))
    expect(await problemsOf(over)).toEqual(new Set(['over-limit']))
  })

  it('are ambiguous if entries overlap: many records for one file', async () => {
    const record = { content: text, only: 'central' as const, central: { name: 'a', offset: 0 } }
    const records = Array.from({ length: 100 }, () => ({ name: 'a', ...record }))
    const file = writeZip([{ name: 'a', content: text }, ...records])
    expect(await problemsOf(file)).toEqual(new Set(['ambiguous-archive']))
  })

  it('are ambiguous if entries overlap: headers in the data of others', async () => {
    const inner = writeZip([{ name: 'b', content: text, method: 0 }]).subarray(0, 31 + text.length)
    const file = writeZip([
      { name: 'a', content: inner, method: 0 },
      { name: 'b', content: text, method: 0, only: 'central', central: { offset: 31 } },
    ])
    expect(await problemsOf(file)).toEqual(new Set(['ambiguous-archive']))
  })
})
