import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SET_NAMES } from '../../src/scan/probes/sets.ts'
import { writeZip } from '../support/archive-writer.ts'
import { picture } from '../support/sharp-images.ts'

let folder: string
const path = (name: string) => join(folder, name)

interface Run {
  code: number
  out: string
  err: string
}

function hashgate(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/cli.js', ...args], (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

const tune = (...args: string[]) =>
  hashgate('tune', '--list', path('list.csv'), '--dir', path('files'), ...args)

/** The rows of the table, by threshold. */
function rowsOf({ out }: Run): Map<string, string[]> {
  const lines = out.split('\n').map((line) => line.trim().split(/ {2,}/))
  const isRow = ([threshold = '']: string[]) => /^\d+$/.test(threshold)
  return new Map(lines.filter(isRow).map(([threshold = '', ...cells]) => [threshold, cells]))
}

/** What people do to a picture, and pictures that have nothing to do with it. */
const FILES = ['as-is.jpg', 'small.webp', 'mirrored.png', 'cropped.jpg', 'bordered.png', 'in.zip']
const OTHERS = ['other-1.jpg', 'other-2.jpg', 'blank.png']

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-tune-'))
  await mkdir(path('files/more'), { recursive: true })
  const known = picture(640, 480, 3, 7)
  const to = (name: string) => path(`files/${name}`)
  await known.clone().jpeg({ quality: 60 }).toFile(to('as-is.jpg'))
  await known.clone().resize(150).webp().toFile(to('small.webp'))
  await known.clone().flop().png().toFile(to('mirrored.png'))
  const kept = { left: 32, top: 24, width: 576, height: 432 }
  await known.clone().extract(kept).jpeg().toFile(to('cropped.jpg'))
  await known
    .clone()
    .extend({ top: 40, bottom: 40, left: 40, right: 40, background: '#cc2040' })
    .png()
    .toFile(to('bordered.png'))
  await writeFile(
    to('in.zip'),
    writeZip([{ name: 'a.png', content: await readFile(to('mirrored.png')) }]),
  )
  await picture(500, 400, 3, 8).jpeg().toFile(to('other-1.jpg'))
  await picture(500, 400, 3, 9).jpeg().toFile(to('more/other-2.jpg'))
  await picture(2, 2, 3, 9).resize(200, 200, { kernel: 'nearest' }).png().toFile(to('blank.png'))
  await writeFile(to('document.bin'), 'known byte for byte')
  const digest = createHash('md5').update('known byte for byte').digest('hex')
  await known.clone().png().toFile(path('known.png'))
  const { out } = await hashgate('hash', path('known.png'))
  await writeFile(path('list.csv'), `hash,id\n${out.slice(0, 64)},1\n${digest},2\n`)
  const labels = [
    ...FILES.map((name) => `${name},yes`),
    ...OTHERS.map((name) => `${name === 'other-2.jpg' ? 'more/' : ''}${name},no`),
  ]
  await writeFile(path('labels.csv'), ['file,known', ...labels, ''].join('\n'))
})

afterAll(() => rm(folder, { recursive: true }))

describe('hashgate tune', () => {
  it('counts what hashgate match finds, at each threshold and set', async () => {
    const run = await tune()
    const rows = rowsOf(run)
    expect([...rows.keys()]).toEqual([
      ...['0', '4', '8', '12', '16', '20', '24', '28', '31'],
      ...['32', '36', '40', '44', '48'],
    ])
    const all = [...FILES, ...OTHERS, 'document.bin'].map((name) =>
      path(name === 'other-2.jpg' ? `files/more/${name}` : `files/${name}`),
    )
    for (const threshold of ['0', '16', '31', '40']) {
      const counts: string[] = []
      for (const set of SET_NAMES) {
        const options = ['--list', path('list.csv'), '--threshold', threshold, '--probes', set]
        const { out } = await hashgate('match', ...options, ...all)
        counts.push(String(out.match(/"verdict":"match"/g)?.length ?? 0))
      }
      expect(rows.get(threshold), `at ${threshold}`).toEqual(counts)
    }
    expect(rows.get('31')?.map(Number)).toEqual([3, 3, 7, 7])
    expect(run.code).toBe(0)
    expect(run.out).toContain('could not be scanned completely: 1')
    expect(run.out).toContain('too few to estimate how many uploads would match by mistake')
  })

  it('tells recall and precision of files that are labelled', async () => {
    const run = await tune('--labels', path('labels.csv'))
    const cells = rowsOf(run).get('31')
    expect(cells?.slice(0, 3)).toEqual(['2 (33.3 %)', '0', '100 %'])
    expect(cells?.slice(6, 9)).toEqual(['6 (100 %)', '0', '100 %'])
    expect(run.out).toContain('found or wrong: 9')
  })

  it('fails if no file can be scanned', async () => {
    await mkdir(path('no-pictures'), { recursive: true })
    await writeFile(path('no-pictures/document.bin'), 'text')
    const run = await hashgate('tune', '--list', path('list.csv'), '--dir', path('no-pictures'))
    expect(run.code).toBe(1)
  })

  it('never shows a hash', async () => {
    const { out, err } = await tune()
    expect(out + err).not.toMatch(/[0-9a-f]{16}/i)
  })

  it('refuses labels that make no sense, with the line', async () => {
    const refused = async (text: string) => {
      await writeFile(path('bad.csv'), text)
      const { code, err } = await tune('--labels', path('bad.csv'))
      expect(code).toBe(1)
      return err
    }
    expect(await refused('name,known\na,yes\n')).toContain('line 1 of the labels: must name')
    expect(await refused('file,known\nas-is.jpg,maybe\n')).toContain('line 2 of the labels: known')
    expect(await refused('file,known\nnone.jpg,yes\n')).toContain('has no file none.jpg')
    expect(await refused('file,known\nas-is.jpg,yes\nas-is.jpg,no\n')).toContain(
      'line 3 of the labels: names as-is.jpg again',
    )
    expect(await refused('file,known\n"as-is.jpg,yes\n')).toContain('of the labels')
  })

  it('names what is missing', async () => {
    await mkdir(path('empty'), { recursive: true })
    const at = (list: string, dir: string) =>
      hashgate('tune', '--list', path(list), '--dir', path(dir))
    expect((await at('list.csv', 'empty')).err).toContain('has no files')
    expect((await at('list.csv', 'none')).err).toContain('there is no such folder')
    expect((await at('none.csv', 'files')).err).toContain('there is no such file')
  })
})
