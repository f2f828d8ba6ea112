// A name has one meaning: no type of src/ is called as one of another file.

import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))

const names = (await readdir(SRC, { recursive: true })).filter((name) => name.endsWith('.ts'))
const texts = new Map(
  await Promise.all(names.map(async (name) => [name, await readFile(SRC + name, 'utf8')] as const)),
)

/** Names that more than one file declares, with these files. */
function declaredTwice(declaration: RegExp): Record<string, string[]> {
  const found = [...texts].flatMap(([file, text]) => {
    const declared = new Set([...text.matchAll(declaration)].map(([, name = '']) => name))
    return [...declared].map((name) => ({ name, file }))
  })
  const byName = [...Map.groupBy(found, ({ name }) => name)].filter(([, some]) => some.length > 1)
  return Object.fromEntries(byName.map(([name, some]) => [name, some.map(({ file }) => file)]))
}

it('gives each type of src/ a name of its own', () => {
  const types = /^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm
  expect(texts.size).toBeGreaterThan(400)
  expect(declaredTwice(types)).toEqual({})
})
