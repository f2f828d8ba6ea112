// The errors that docs/library.md lists are those that the package exports, from where it says.

import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))

/** Error classes by entry, of the reports of the public API. */
async function exported(): Promise<string[]> {
  const reports = await readdir(`${DOCS}api-report`)
  const found = await Promise.all(
    reports.map(async (name) => {
      const entry = name.replace('.api.md', '')
      const path = entry === 'hashgate' ? entry : `hashgate/${entry}`
      const text = await readFile(`${DOCS}api-report/${name}`, 'utf8')
      const classes = text.matchAll(/^export (?:abstract )?class (\w+) extends \w*Error\b/gm)
      return [...classes].map(([, error]) => `${error} of ${path}`)
    }),
  )
  return found.flat().toSorted()
}

/** The table of errors in docs/library.md. */
async function documented(): Promise<string[]> {
  const text = await readFile(`${DOCS}library.md`, 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+Error)` \| ([^|]*) \|/gm)]
  return rows
    .flatMap(([, error, entries = '']) =>
      [...entries.matchAll(/`([^`]+)`/g)].map(([, entry]) => `${error} of ${entry}`),
    )
    .toSorted()
}

it('docs/library.md lists every error that can be imported', async () => {
  const errors = await exported()
  expect(errors).toContain('BadConfigError of hashgate')
  expect(await documented()).toEqual(errors)
})
