import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { longLines, wrap } from '../../scripts/wrap-docs.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Written by a program, or quoted from licences. */
const OTHERS = new Set(['THIRD-PARTY-NOTICES.md', 'docs/settings.md'])

const pages = [
  ...(await readdir(ROOT)),
  ...(await readdir(join(ROOT, 'docs'))).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md') && !OTHERS.has(name))

it.each(pages)('%s is wrapped at 100 columns', async (page) => {
  expect(longLines(await readFile(join(ROOT, page), 'utf8'))).toEqual([])
})

const words = (count: number) => Array.from({ length: count }, () => 'word').join(' ')

describe('wrap', () => {
  it('fills paragraphs and items, and keeps what would begin something else', () => {
    const item = `- ${words(30)}`
    const wrapped = wrap(`${words(30)}\n\n${item}\n`)
    expect(wrapped.split('\n').every((line) => line.length <= 100)).toBe(true)
    expect(wrapped).toMatch(/^- word.*\n {2}word/m)
    expect(wrap(`${words(20)} - 1. ${words(9)}`)).not.toMatch(/^(-|1\.)/m)
  })

  it('leaves what fits, tables, headings and code as they are', () => {
    const long = words(30)
    const text = ['short', 'lines', '', `| ${long} |`, '', `# ${long}`, '```', long, '```'].join(
      '\n',
    )
    expect(wrap(text)).toBe(text)
  })

  it('changes no words', () => {
    const text = `${words(40)}\nand the rest\n\n1. ${words(25)}\n2. b\n`
    const flat = (one: string) => one.replaceAll(/\s+/g, ' ')
    expect(flat(wrap(text))).toBe(flat(text))
  })
})
