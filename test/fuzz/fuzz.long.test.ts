import { expect, it } from 'vitest'
import { fuzz } from './fuzz.ts'

it('ends every one of 3,000 mutated and generated files with a hash or a named reason', async () => {
  const { violations, counts } = await fuzz(3000, 2026, 2)
  expect(violations.map(({ name, problem }) => `${name}: ${problem}`)).toEqual([])
  for (const format of ['jpeg', 'png', 'gif', 'bmp', 'webp']) {
    expect(counts.get(`${format} hash`)).toBeGreaterThan(10)
  }
})
