import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { DEMO_HASHES, seed } from '../../src/desk/fake/seed.ts'
import { createExchangeServer } from '../../src/desk/fake/server.ts'

it('the exchange server lists the pictures of the examples', async () => {
  const list = await readFile(new URL('../../examples/list.csv', import.meta.url), 'utf8')
  const rows = list.trim().split('\n').slice(2)
  expect(rows.map((row) => row.split(',')[0])).toEqual([...DEMO_HASHES])
  const server = createExchangeServer()
  seed(server)
  for (const provider of Object.values(server.providers)) {
    expect(provider.live().flatMap(({ hashes }) => hashes.map(({ value }) => value))).toEqual([
      ...DEMO_HASHES,
    ])
  }
})
