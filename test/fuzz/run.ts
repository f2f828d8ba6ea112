// Fuzzes the decoders, and prints what came of it. Files on which something went wrong are kept.
//
//   npm run fuzz -- [--count 20000] [--seed 1] [--threads 2] [--keep FOLDER]

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    keep: { type: 'string', default: 'build/fuzz' },
  },
})

const begun = performance.now()
const report = await fuzz(Number(values.count), Number(values.seed), Number(values.threads))
for (const [outcome, count] of [...report.counts].toSorted(([a], [b]) => a.localeCompare(b))) {
  console.log(`${String(count).padStart(8)}  ${outcome}`)
}
const seconds = (performance.now() - begun) / 1000
console.log(`${values.count} files in ${seconds.toFixed(0)} s, each decoded twice`)
console.log(`slowest: ${report.slowest.ms.toFixed(0)} ms, ${report.slowest.name}`)
console.log(`violations: ${report.violations.length}`)
await mkdir(values.keep, { recursive: true })
await writeFile(join(values.keep, 'slowest'), report.slowest.file)
for (const [i, { name, problem, file }] of report.violations.slice(0, 100).entries()) {
  console.log(`  ${name}: ${problem}`)
  await writeFile(join(values.keep, `violation-${i}`), file)
}
process.exit(report.violations.length > 0 ? 1 : 0)
