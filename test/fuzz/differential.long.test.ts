import { expect, it } from 'vitest'
import { FORMATS } from './differential/formats.ts'
import { unexplainedOf } from './differential/report.ts'
import { runDifferential } from './differential/run.ts'

it('hashes what libvips shows of files of unusual structure, or says why not', async () => {
  const options = { count: 60, seed: 5, formats: FORMATS, othersOf: 0, report: {} }
  const report = await runDifferential(options)
  expect(unexplainedOf(report)).toEqual([])
  for (const format of FORMATS) {
    if (format === 'bmp') continue
    expect(report[format]?.outcomes['libvips: near']).toBeGreaterThan(5)
  }
}, 120_000)
