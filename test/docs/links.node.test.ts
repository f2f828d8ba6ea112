// Links and commands of the documentation: each leads somewhere.

import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MOST_COLUMNS = 100

const names = [
  ...(await readdir(ROOT)).filter((name) => name.endsWith('.md')),
  ...(await readdir(join(ROOT, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]
const texts = new Map(
  await Promise.all(
    names.map(async (name) => [normalize(name), await readFile(join(ROOT, name), 'utf8')] as const),
  ),
)
const files = new Set(
  (await readdir(ROOT, { recursive: false })).concat(
    (await readdir(join(ROOT, 'docs'), { recursive: true })).map((name) => join('docs', name)),
    (await readdir(join(ROOT, 'examples'), { recursive: true })).map((name) =>
      join('examples', name),
    ),
  ),
)

/** Text without code, in which brackets are no links. */
const prose = (text: string) => text.replaceAll(/```.*?```/gs, '').replaceAll(/`[^`\n]*`/g, '')

/** Names of headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replaceAll(/```.*?```/gs, '').matchAll(/^#+ (.+)$/gm)]
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  )
}

describe.each([...texts])('%s', (name, text) => {
  const links = [
    ...prose(text.replaceAll(/\]\(([^)\s]+)\)/g, ' \u0001$1\u0002 ')).matchAll(
      /\u0001(.*?)\u0002/g,
    ),
  ].map(([, link = '']) => link)

  it('has links that lead to files and headings', () => {
    for (const link of links.filter((one) => !/^[a-z]+:/.test(one))) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? name : normalize(join(dirname(name), path)).replace(/\/$/, '')
      expect(files.has(target), `${name}: ${link}`).toBe(true)
      const inside = texts.get(target)
      if (anchor !== undefined && inside !== undefined)
        expect([...anchorsOf(inside)], `${name}: ${link}`).toContain(anchor)
    }
  })
})

describe('README.md', () => {
  const readme = texts.get('README.md') ?? ''

  it('is read in two minutes: 120 lines of 100 columns', () => {
    const lines = readme.split('\n')
    expect(lines.length).toBeLessThanOrEqual(121)
    for (const line of lines)
      expect(line.length, `too long: ${line}`).toBeLessThanOrEqual(MOST_COLUMNS)
  })

  it('keeps the two commands: the main job, and the tests', () => {
    expect(readme).toMatch(/^npm ci && npm run dev\b/m)
    expect(readme).toMatch(/^npm ci && npm test\b/m)
  })
})

describe('docs/README.md', () => {
  it('lists every page', () => {
    const index = texts.get('docs/README.md') ?? ''
    const pages = [...texts.keys()].filter(
      (name) => /^docs\/[^/]+\.md$/.test(name) && name !== 'docs/README.md',
    )
    expect(pages.length).toBeGreaterThan(10)
    for (const page of pages) expect(index).toContain(`(${page.slice('docs/'.length)})`)
  })
})
