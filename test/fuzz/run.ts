// Fuzzes the decoders, and prints what came of it. Files on which something went wrong are kept.
//
//   npm run fuzz -- [--count 20000] [--seed 1] [--threads 2] [--keep FOLDER]
//   npm run fuzz -- --differential [--count 1000] [--seed 1] [--formats jpeg,png] [--keep FOLDER]
//
// With --differential it compares files of unusual structure, so many of each format, with what libvips shows, and Chromium
// where there is one.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runDifferential } from './differential/run.ts'
import { FORMATS } from './differential/structured.ts'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string' },
    differential: { type: 'boolean', default: false },
    formats: { type: 'string', default: FORMATS.join() },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    keep: { type: 'string', default: 'build/fuzz' },
  },
})

if (values.differential) {
  const asked = values.formats.split(',')
  const { tally, unexplained } = await runDifferential({
    count: Number(values.count ?? 1000),
    seed: Number(values.seed),
    formats: FORMATS.filter((format) => asked.includes(format)),
    withChromium: true,
    keep: values.keep,
  })
  for (const [outcome, files] of [...tally].toSorted(([a], [b]) => a.localeCompare(b))) {
    console.log(`${String(files).padStart(8)}  ${outcome}`)
  }
  console.log(`read differently without a class that explains it: ${unexplained.length}`)
  for (const name of unexplained.slice(0, 100)) console.log(`  ${join(values.keep, name)}`)
  process.exit(unexplained.length > 0 ? 1 : 0)
}

const begun = performance.now()
const count = Number(values.count ?? 20_000)
const report = await fuzz(count, Number(values.seed), Number(values.threads))
for (const [outcome, files] of [...report.counts].toSorted(([a], [b]) => a.localeCompare(b))) {
  console.log(`${String(files).padStart(8)}  ${outcome}`)
}
const seconds = (performance.now() - begun) / 1000
console.log(`${count} files in ${seconds.toFixed(0)} s, each decoded twice`)
console.log(`slowest: ${report.slowest.ms.toFixed(0)} ms, ${report.slowest.name}`)
console.log(`violations: ${report.violations.length}`)
await mkdir(values.keep, { recursive: true })
await writeFile(join(values.keep, 'slowest'), report.slowest.file)
for (const [i, { name, problem, file }] of report.violations.slice(0, 100).entries()) {
  console.log(`  ${name}: ${problem}`)
  await writeFile(join(values.keep, `violation-${i}`), file)
}
process.exit(report.violations.length > 0 ? 1 : 0)
