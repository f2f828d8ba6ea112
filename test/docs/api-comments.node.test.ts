// What can be imported from the package says what it takes and throws: docs/api-report/ has the names, the sources the comments.
// That each has an example, and that it runs, is for test/package/examples.long.test.ts.

import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const texts = async (folder: string, ending: string) => {
  const names = (await readdir(`${ROOT}${folder}`, { recursive: true })).filter((name) =>
    name.endsWith(ending),
  )
  return Promise.all(names.map((name) => readFile(`${ROOT}${folder}/${name}`, 'utf8')))
}

const sources = await texts('src', '.ts')
const report = (await texts('docs/api-report', '.md')).join('\n').replaceAll('\r', '')

const COMMENT = String.raw`/\*\*((?:(?!\*/)[^])*)\*/\s*`

/** Comments before declarations that match. */
function commentsOf(declaration: string): string[] {
  const found = new RegExp(`${COMMENT}${declaration}`, 'g')
  return sources.flatMap((source) => [...source.matchAll(found)].map(([, text = '']) => text))
}

/** Functions of the report, with the names of their parameters. */
const functions = [...report.matchAll(/^export function (\w+)(?:<.*>)?\((.*)\): .+;$/gm)].map(
  ([, name = '', parameters = '']) => ({
    name,
    parameters: [...parameters.matchAll(/(?:^|, )(\w+)\??: /g)].map(([, one = '']) => one),
  }),
)

/** Interfaces of the report, with the members that may be left out. */
const options = [...report.matchAll(/^export interface (\w+).*? \{\n([^]*?)^\}/gm)].map(
  ([, name = '', body = '']) => ({
    name,
    members: [...body.matchAll(/^ {4}(?:readonly )?(\w+)\?[:(]/gm)].map(([, one = '']) => one),
  }),
)

it('the report has functions and options', () => {
  expect(functions.map(({ name }) => name)).toContain('gate')
  expect(options.find(({ name }) => name === 'GateOptions')?.members).toContain('settings')
})

it.each(functions)('$name says what each parameter is, and what a wrong one throws', (one) => {
  const comments = commentsOf(`export (?:async )?function ${one.name}\\b`)
  const isComplete = (text: string) =>
    one.parameters.every((name) => new RegExp(`@param ${name}\\b`).test(text)) &&
    (one.parameters.length === 0 || text.includes('@throws'))
  expect(comments.some(isComplete), `${one.name}(${one.parameters.join(', ')})`).toBe(true)
})

it.each(options.filter(({ members }) => members.length > 0))(
  '$name says the default of what may be left out',
  ({ name, members }) => {
    const bodies = sources.flatMap((source) =>
      [...source.matchAll(new RegExp(`export interface ${name}\\b[^{]*\\{([^]*?)\\n\\}`, 'g'))].map(
        ([, body = '']) => body,
      ),
    )
    const lacking = members.filter(
      (member) =>
        !bodies.some((body) =>
          [...body.matchAll(new RegExp(`${COMMENT}(?:readonly )?${member}\\?[:(]`, 'g'))].some(
            ([, text = '']) => text.includes('@default'),
          ),
        ),
    )
    expect(lacking).toEqual([])
  },
)
