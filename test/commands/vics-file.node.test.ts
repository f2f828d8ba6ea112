import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VicsFile } from '../../src/commands/vics-file.ts'
import type { ExchangePage } from '../../src/desk/exchanges/exchange.ts'

const SETTINGS = { kind: 'vics', categories: { 1: 'A', 2: 'B' }, mode: 'replace' } as const

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-vics-'))
})

afterAll(() => rm(folder, { recursive: true }))

function media(i: number, category: number): object {
  return {
    MediaID: i,
    MD5: String(i).padStart(32, 'A'),
    SHA1: String(i).padStart(40, 'b'),
    Category: category,
    MediaSize: '123',
    Series: 'S',
    AlternativeHashes: [{ HashName: 'PhotoDNA', HashValue: 'AAAA', MD5: 'x' }],
  }
}

async function read(text: string, from?: object): Promise<ExchangePage[]> {
  const path = join(folder, 'list.json')
  await writeFile(path, text)
  const pages: ExchangePage[] = []
  const file = new VicsFile(path, SETTINGS, () => 7)
  for await (const page of file.pages(from as never)) pages.push(page)
  return pages
}

describe.each([
  [
    '1.3',
    (all: object[]) => ({
      'odata.metadata': 'http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media',
      value: all,
    }),
  ],
  [
    '1.3, of cases',
    (all: object[]) => ({
      'odata.metadata': 'http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Cases',
      value: [{ CaseID: 1, Media: all }],
    }),
  ],
  [
    '2.0',
    (all: object[]) => ({
      '@odata.context':
        'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/$metadata#Media',
      value: all,
    }),
  ],
])('a file of Project VIC %s', (_, wrap) => {
  it('is read with the categories that are named, upper-case digits and unmatched kinds', async () => {
    const pages = await read(JSON.stringify(wrap([media(1, 1), media(2, 2), media(3, 5)])))
    expect(pages).toHaveLength(1)
    const [page] = pages
    expect(page?.upserts.map(({ key, tier }) => [key, tier])).toEqual([
      ['1', 'A'],
      ['2', 'B'],
    ])
    expect(page?.upserts[0]?.hashes.map(({ kind }) => kind)).toEqual([
      'md5',
      'sha1',
      'other:photodna',
    ])
    expect(page?.skipped).toEqual({ 'record: its category is not imported': 1 })
    expect(page).toMatchObject({ startsOver: true, isComplete: true })
  })

  it('is read in pages, and goes on where it was cut off', async () => {
    const text = JSON.stringify(wrap(Array.from({ length: 2500 }, (__, i) => media(i, 1))))
    const pages = await read(text)
    expect(pages.map(({ upserts }) => upserts.length)).toEqual([1000, 1000, 500])
    expect(pages.map(({ startsOver }) => startsOver)).toEqual([true, false, false])
    const path = join(folder, 'list.json')
    const rest: ExchangePage[] = []
    const file = new VicsFile(path, SETTINGS, () => 7)
    for await (const page of file.pages(pages[0]?.checkpoint as never)) rest.push(page)
    expect(rest.map(({ upserts }) => upserts.length)).toEqual([1000, 500])
    expect(rest[0]?.startsOver).toBe(false)
  })

  it('is refused if it is cut off', async () => {
    const text = JSON.stringify(wrap([media(1, 1), media(2, 1)]))
    await expect(read(text.slice(0, -20))).rejects.toThrow('download the whole file')
  })
})
