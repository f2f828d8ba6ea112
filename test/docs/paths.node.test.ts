// Files that the documentation names in code: each exists.

import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['src', 'assembly', 'test', 'bench', 'scripts', 'docs', 'examples', 'assets']

const files = new Set<string>()
for (const folder of FOLDERS) {
  files.add(folder)
  for (const name of await readdir(join(ROOT, folder), { recursive: true }))
    files.add(join(folder, name))
}

const pages = [
  ...(await readdir(ROOT)),
  ...(await readdir(join(ROOT, 'docs'))).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md') // a changelog may name what was
const texts = new Map(
  await Promise.all(
    pages.map(async (name) => [name, await readFile(join(ROOT, name), 'utf8')] as const),
  ),
)

const isFile = (path: string) => files.has(path.replace(/\/$/, ''))

/** Code within a line, without spaces. */
const codeIn = (text: string) => [...text.matchAll(/`([^`\s]+)`/g)].map(([, code = '']) => code)

/** Last cells of the rows of a page's tables. */
const lastCells = (text: string) =>
  [...text.matchAll(/^\|.*\|([^|]*)\|$/gm)].map(([, cell = '']) => cell)

/** Whether a name is a folder of tests, or a test without its ending. */
const isTest = (name: string) =>
  ['', '.test.ts', '.node.test.ts', '.long.test.ts'].some((ending) =>
    isFile(join('test', name + ending)),
  )

it.each([...texts])('%s names files that exist', (page, text) => {
  const inFolder = new RegExp(`^(${FOLDERS.join('|')})/[\\w./-]+$`)
  const named = codeIn(text.replaceAll(/^```.*?^```/gms, '')).filter(
    (code) => inFolder.test(code) && !/[A-Z]{4}/.test(code), // FILE stands for any name
  )
  for (const path of named) expect(isFile(path) || isTest(path), `${page}: ${path}`).toBe(true)
})

describe('docs/threat-model.md', () => {
  it('names tests that exist', () => {
    const named = lastCells(texts.get('docs/threat-model.md') ?? '')
      .flatMap(codeIn)
      .filter((code) => /^[\w-]+\/[\w/-]*$/.test(code))
    expect(named.length).toBeGreaterThan(50)
    for (const name of named) expect(isTest(name), `no test ${name}`).toBe(true)
  })
})

describe('docs/limits.md', () => {
  it('names the files of the limits', () => {
    const cells = lastCells(texts.get('docs/limits.md') ?? '')
    expect(cells.filter((cell) => cell.includes('.ts')).length).toBeGreaterThan(50)
    for (const cell of cells) {
      let folder = ''
      for (const code of codeIn(cell)) {
        const path = code.includes('/') ? code : join(folder, code)
        expect(isFile(join('src', path)) || isFile(path), `no file ${code}`).toBe(true)
        folder = dirname(path)
      }
    }
  })
})
