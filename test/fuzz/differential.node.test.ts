import { expect, it } from 'vitest'
import { runDifferential } from './differential/run.ts'
import { FORMATS } from './differential/structured.ts'

it('hashes what libvips shows of files of unusual structure, or says why not', async () => {
  const options = { count: 40, seed: 5, formats: FORMATS, withChromium: false }
  const { tally, unexplained } = await runDifferential(options)
  expect(unexplained).toEqual([])
  for (const format of ['jpeg', 'png', 'gif', 'webp', 'avif']) {
    expect(tally.get(`${format} libvips: near`)).toBeGreaterThan(8)
  }
}, 120_000)
