// Compares what hashgate hashes of files of unusual structure with what other programs show of them.

import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium } from '../../support/chromium.ts'
import { randomFrom } from '../../support/random.ts'
import { ChromiumReader } from './chromium-reader.ts'
import { classOf } from './classes.ts'
import { compare, type Comparison, scan } from './compare.ts'
import { type ComparedFormat, FORMATS } from './formats.ts'
import { makePool } from './pool.ts'
import { PillowReader } from './pillow-reader.ts'
import type { Reader } from './reading.ts'
import { type FormatReport, formatReport, type Report } from './report.ts'
import { SHARP } from './sharp-reader.ts'
import type { ScannedFile } from '../../../src/scan/scanned.ts'
import { structured } from './structured.ts'

export interface DifferentialOptions {
  /** Files of each format. */
  count: number
  seed: number
  formats: readonly ComparedFormat[]
  /**
   * Of so many files, Chromium and Pillow are asked about one, where they are installed; of 0, about none. They are also asked
   * about each file that libvips shows otherwise or not at all.
   */
  othersOf: number
  /** What was counted before, which is gone on with. */
  report: Report
  /** Called now and then, when the report has grown. */
  onProgress?: () => void
  /** Time to stop at, of `performance.now()`. */
  deadline?: number
  /** Folder for files that differ. */
  keep?: string
}

/** Files that are made of one pool. */
const POOL_FILES = 500

/** Files that are compared at the same time: the programs that show them are other processes and threads. */
const AT_ONCE = 10

/** Formats that a program cannot read. */
const UNREAD: Record<string, ReadonlySet<ComparedFormat>> = {
  libvips: new Set(['bmp']),
  Chromium: new Set(['tiff']),
  Pillow: new Set(['avif']),
}

/** Runs the comparison, and adds to the report. */
export async function runDifferential(options: DifferentialOptions): Promise<Report> {
  const chromium = options.othersOf > 0 ? findChromium() : undefined
  const browser = chromium === undefined ? undefined : await ChromiumReader.open(chromium)
  const pillow = options.othersOf > 0 ? PillowReader.open() : undefined
  const others = [browser, pillow].filter((one) => one !== undefined)
  try {
    for (let end = POOL_FILES, left = true; left; end += POOL_FILES) {
      left = false
      for (const format of options.formats) {
        const own = formatReport(options.report, format)
        await new FormatRun(options, format, own, others).goOnTo(Math.min(end, options.count))
        left ||= own.next < options.count
        options.onProgress?.()
        if (performance.now() > (options.deadline ?? Infinity)) return options.report
      }
    }
  } finally {
    for (const other of others) await other.close()
  }
  return options.report
}

class FormatRun {
  readonly #options: DifferentialOptions
  readonly #format: ComparedFormat
  readonly #report: FormatReport
  readonly #others: readonly Reader[]

  constructor(
    options: DifferentialOptions,
    format: ComparedFormat,
    report: FormatReport,
    others: readonly Reader[],
  ) {
    this.#options = options
    this.#format = format
    this.#report = report
    this.#others = others.filter(({ program }) => !UNREAD[program]?.has(format))
  }

  /** Compares the files before number `end`, which are of one pool. */
  async goOnTo(end: number): Promise<void> {
    const report = this.#report
    if (report.next >= end) return
    const pool = await makePool(this.#format, this.#random(Math.floor(report.next / POOL_FILES), 1))
    const seen = new Set<string>()
    while (report.next < end) {
      const numbers = Array.from(
        { length: Math.min(AT_ONCE, end - report.next) },
        (_, i) => report.next + i,
      )
      const files = numbers.map((i) => structured(this.#format, pool, this.#random(i, 2)))
      for (const file of files) seen.add(createHash('md5').update(file).digest('base64'))
      await Promise.all(files.map((file, i) => this.#compare(file, numbers[i] ?? 0)))
      report.next += files.length
    }
    report.distinct += seen.size
  }

  async #compare(file: Uint8Array, number: number): Promise<void> {
    const name = `${this.#format}-${this.#options.seed}-${number}`
    const scanned = scan(file)
    let isAsked = number % this.#options.othersOf === 0
    if (UNREAD['libvips']?.has(this.#format)) isAsked = true
    else {
      const kind = await this.#note(name, file, scanned, SHARP)
      isAsked ||= kind === 'differs' || kind === 'not-shown'
    }
    if (!isAsked) return
    await Promise.all(this.#others.map((other) => this.#note(name, file, scanned, other)))
  }

  /** Counts what came of comparing a file with what a program shows. */
  async #note(
    name: string,
    file: Uint8Array,
    scanned: Promise<ScannedFile>,
    { program, read }: Reader,
  ): Promise<Comparison['kind']> {
    const shown = await read(file)
    const comparison = compare(await scanned, shown)
    const differs = comparison.kind === 'differs' && shown !== undefined
    const explanation = differs ? classOf(this.#format, program, file, shown) : undefined
    const reason = comparison.kind === 'unscannable' ? comparison.reason : explanation
    const outcome = [comparison.kind, reason].filter(Boolean).join(', ')
    const { outcomes, unexplained } = this.#report
    const key = `${program}: ${outcome}`
    outcomes[key] = (outcomes[key] ?? 0) + 1
    if (comparison.kind !== 'differs') return comparison.kind
    const full = `${name}-${program}-${comparison.bits}`
    if (!explanation) unexplained.push(full)
    const { keep } = this.#options
    if (keep === undefined) return comparison.kind
    await mkdir(join(keep, explanation ?? 'unexplained'), { recursive: true })
    await writeFile(join(keep, explanation ?? 'unexplained', full), file)
    return comparison.kind
  }

  /** Random numbers for a purpose. Seeds that follow each other would begin alike. */
  #random(number: number, purpose: number) {
    let mixed = Math.imul(this.#options.seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)
    mixed ^= Math.imul(FORMATS.indexOf(this.#format) * 4 + purpose, 0xc2b2ae35)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    return randomFrom(Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39))
  }
}
