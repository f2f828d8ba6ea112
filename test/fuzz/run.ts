// Fuzzes the decoders, and prints what came of it. Files on which something went wrong are kept.
//
//   npm run fuzz -- [--count 20000] [--seed 1] [--threads 2] [--keep FOLDER]
//   npm run fuzz -- --differential [--count 1000] [--seed 1] [--formats jpeg,png] [--keep FOLDER]
//                   [--others-of 10] [--report FILE] [--seconds 300] [--only NUMBER]
//
// With --differential it compares files of unusual structure, so many of each format, with what libvips shows of them. Of ten
// it compares one with what Chromium and Pillow show, where they are installed, and each that libvips shows otherwise or not. With --report it goes on behind what a file has counted, and
// adds to it; --seconds ends it before. --only makes one file again: the number in its name, of the same seed and format.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FORMATS } from './differential/formats.ts'
import {
  formatReport,
  printReport,
  readReport,
  unexplainedOf,
  writeReport,
} from './differential/report.ts'
import { runDifferential } from './differential/run.ts'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string' },
    differential: { type: 'boolean', default: false },
    formats: { type: 'string', default: FORMATS.join() },
    'others-of': { type: 'string', default: '10' },
    report: { type: 'string' },
    only: { type: 'string' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    keep: { type: 'string', default: 'build/fuzz' },
  },
})

if (values.differential) {
  const asked = values.formats.split(',')
  const formats = FORMATS.filter((format) => asked.includes(format))
  const only = values.only === undefined ? undefined : Number(values.only)
  const report = values.report === undefined ? {} : readReport(values.report)
  if (only !== undefined) for (const one of formats) formatReport(report, one).next = only
  const save = () => {
    if (values.report !== undefined) writeReport(values.report, report)
  }
  await runDifferential({
    count: only === undefined ? Number(values.count ?? 1000) : only + 1,
    seed: Number(values.seed),
    formats,
    othersOf: Number(values['others-of']),
    deadline: performance.now() + Number(values.seconds) * 1000,
    keep: values.keep,
    report,
    onProgress: save,
  })
  save()
  printReport(report)
  process.exit(unexplainedOf(report).length > 0 ? 1 : 0)
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
