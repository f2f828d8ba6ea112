import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { benchFalseMatches } from '../../bench/false-matches.ts'
import { randomBytes } from '../support/random.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-false-matches-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Soft blots of 600 x 600 pixels: each quarter has a hash of its own. */
function blots(seed: number): Promise<Buffer> {
  const raw = { width: 24, height: 24, channels: 1 } as const
  return sharp(randomBytes(24 * 24, seed), { raw })
    .resize(600, 600, { kernel: 'cubic' })
    .png()
    .toBuffer()
}

async function save(picture: Sharp, kind: string, source: string): Promise<void> {
  const own = join(folder, 'pictures', kind, source)
  await mkdir(own, { recursive: true })
  await picture.toFile(join(own, 'picture.png'))
}

async function report(...args: string[]): Promise<string> {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  await benchFalseMatches(['--distractors', join(folder, 'pictures'), ...args])
  log.mockRestore()
  return lines.join('\n')
}

/** The rows of the first table of nearest pairs. */
function nearestIn(text: string): string[][] {
  const [, table = ''] = text.split('### The 20 nearest pairs')
  const rows = table.split('\n').filter((line) => /^\| \d/.test(line))
  return rows.map((row) => row.split('|').map((cell) => cell.trim()))
}

it('compares pieces of photographs with pictures of other origins alone', async () => {
  const [whole, other] = [await blots(1), await blots(2)]
  const quarter = (left: number, top: number) =>
    sharp(whole).extract({ left, top, width: 300, height: 300 })
  await save(sharp(whole), 'photographs', 'first-data')
  await save(quarter(300, 0), 'photographs', 'first-doc')
  await save(quarter(0, 300), 'drawings', 'second-data')
  await save(sharp(other), 'drawings', 'third-data')

  const text = await report('--pieces', join(folder, 'pieces'))
  expect(text).toMatch(/\| photographs +\| +2 \| +4 \| +6 \| +1 \|/)
  expect(text).toMatch(/\| drawings +\| +2 \| +0 \| +2 \| +2 \|/)
  const near = nearestIn(text).filter(([, bits]) => Number(bits) <= 10)
  expect(near.map(([, , , upload, entry]) => [upload, entry])).toEqual([
    ['second-data/picture.png', 'first-data/picture-02.jpg'],
    ['first-data/picture-02.jpg', 'second-data/picture.png'],
  ])
})

it('compares whole pictures alone by default', async () => {
  await save(sharp(await blots(1)), 'photographs', 'first-data')
  await save(sharp(await blots(2)), 'photographs', 'second-data')
  const text = await report()
  expect(text).toMatch(/\| photographs +\| +2 \| +0 \| +2 \| +2 \|/)
  expect(nearestIn(text).filter(([, bits]) => Number(bits) <= 40)).toEqual([])
})
