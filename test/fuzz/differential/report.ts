import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { ComparedFormat } from './formats.ts'

/** What came of the files of a format. */
export interface FormatReport {
  /** Number of the file that is next. */
  next: number
  /** Files that are different from all others. */
  distinct: number
  /** Files by program and outcome. */
  outcomes: Record<string, number>
  /** Names of files of which a program shows another picture, and that no class explains. */
  unexplained: string[]
}

export type Report = Partial<Record<ComparedFormat, FormatReport>>

/** Reads what was counted before; nothing if there is no such file. */
export function readReport(path: string): Report {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : {}
}

export function writeReport(path: string, report: Report): void {
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`)
}

export function formatReport(report: Report, format: ComparedFormat): FormatReport {
  return (report[format] ??= { next: 0, distinct: 0, outcomes: {}, unexplained: [] })
}

export function unexplainedOf(report: Report): string[] {
  return Object.values(report).flatMap(({ unexplained }) => unexplained)
}

/** Prints files by format, program and outcome, and how many pictures that a program shows are damaged here. */
export function printReport(report: Report): void {
  for (const [format, { next, distinct, outcomes }] of Object.entries(report)) {
    console.log(`${format}: ${next} files, ${distinct} of them different`)
    for (const [outcome, files] of Object.entries(outcomes).toSorted(([a], [b]) =>
      a.localeCompare(b),
    )) {
      console.log(`${String(files).padStart(8)}  ${outcome}`)
    }
    for (const program of ['libvips', 'Chromium', 'Pillow']) printDamaged(program, outcomes)
  }
  const unexplained = unexplainedOf(report)
  console.log(`another picture without a class that explains it: ${unexplained.length}`)
  for (const name of unexplained.slice(0, 100)) console.log(`  ${name}`)
}

function printDamaged(program: string, outcomes: Record<string, number>): void {
  const own = Object.entries(outcomes).filter(([outcome]) => outcome.startsWith(program))
  const pictures = own.filter(([outcome]) => !/not-shown|no-picture/.test(outcome))
  const count = pictures.reduce((sum, [, files]) => sum + files, 0)
  const damaged = outcomes[`${program}: unscannable, damaged`] ?? 0
  if (count === 0) return
  const rate = ((100 * damaged) / count).toFixed(2)
  console.log(`          damaged: ${rate} % of ${count} pictures that ${program} shows`)
}
