// A name has one meaning: no type or function of src/ is called as one of another file.

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

/** Functions that several files declare in one meaning. */
const SHARED = {
  // One for each platform.
  loadPdq: ['pdq/browser.ts', 'pdq/node.ts', 'pdq/workerd.ts'],
  // The public one checks or binds what the inner one takes.
  distance: ['pdq/hashes.ts', 'util/hash.ts'],
  formatHash: ['pdq/hashes.ts', 'util/hash.ts'],
  parseHash: ['pdq/hashes.ts', 'util/hash.ts'],
  sweepQuarantine: ['quarantine.ts', 'quarantine/sweep.ts'],
  // One for the middleware, one for a Worker.
  quarantine: ['quarantine.ts', 'worker/features.ts'],
  remote: ['remote.ts', 'worker/features.ts'],
}

it('gives each function of src/ a name of its own', () => {
  const functions =
    /^(?:export )?(?:(?:default )?(?:async )?function\*? |const (?=\w+ = (?:async )?(?:\(.*=>|\([^)]*$|\w+ =>|function)))(\w+)/gm
  const found = declaredTwice(functions)
  for (const files of Object.values(found)) files.sort()
  expect(found).toEqual(SHARED)
})
