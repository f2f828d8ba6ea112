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
import type { Shown } from './reading.ts'
import { type FormatReport, formatReport, type Report } from './report.ts'
import { readBySharp } from './sharp-reader.ts'
import { structured } from './structured.ts'

export interface DifferentialOptions {
  /** Files of each format. */
  count: number
  seed: number
  formats: readonly ComparedFormat[]
  /**
   * Of so many files, Chromium is asked about one, where there is a Chromium; of 0, about none. It is asked about each file that
   * libvips shows otherwise, and about each that libvips has no reader for.
   */
  chromiumOf: number
  /** What was counted before, which is gone on with. */
  report: Report
  /** Time to stop at, of `performance.now()`. */
  deadline?: number
  /** Folder for files that differ. */
  keep?: string
}

/** Files that are made of one pool. */
const POOL_FILES = 500

/** Formats that libvips, as sharp has it, cannot read. */
const WITHOUT_LIBVIPS: ReadonlySet<ComparedFormat> = new Set(['bmp'])

/** Runs the comparison, and adds to the report. */
export async function runDifferential(options: DifferentialOptions): Promise<Report> {
  const chromium = options.chromiumOf > 0 ? findChromium() : undefined
  const browser = chromium === undefined ? undefined : await ChromiumReader.open(chromium)
  try {
    for (let end = POOL_FILES, left = true; left; end += POOL_FILES) {
      left = false
      for (const format of options.formats) {
        const own = formatReport(options.report, format)
        await new FormatRun(options, format, own, browser).goOnTo(Math.min(end, options.count))
        left ||= own.next < options.count
        if (performance.now() > (options.deadline ?? Infinity)) return options.report
      }
    }
  } finally {
    await browser?.close()
  }
  return options.report
}

class FormatRun {
  readonly #options: DifferentialOptions
  readonly #format: ComparedFormat
  readonly #report: FormatReport
  readonly #browser: ChromiumReader | undefined

  constructor(
    options: DifferentialOptions,
    format: ComparedFormat,
    report: FormatReport,
    browser: ChromiumReader | undefined,
  ) {
    this.#options = options
    this.#format = format
    this.#report = report
    this.#browser = browser
  }

  /** Compares the files before number `end`, which are of one pool. */
  async goOnTo(end: number): Promise<void> {
    const report = this.#report
    if (report.next >= end) return
    const pool = await makePool(this.#format, this.#random(Math.floor(report.next / POOL_FILES), 1))
    const seen = new Set<string>()
    for (; report.next < end; report.next++) {
      const file = structured(this.#format, pool, this.#random(report.next, 2))
      seen.add(createHash('md5').update(file).digest('base64'))
      await this.#compare(file)
    }
    report.distinct += seen.size
  }

  async #compare(file: Uint8Array): Promise<void> {
    const scanned = await scan(file)
    const isUnread = WITHOUT_LIBVIPS.has(this.#format)
    const byLibvips = isUnread ? undefined : await readBySharp(file)
    const comparison = compare(scanned, byLibvips)
    if (!isUnread) await this.#note('libvips', file, comparison, byLibvips)
    const isAsked = isUnread || comparison.kind === 'differs'
    if (!this.#browser || this.#format === 'tiff') return
    if (!isAsked && this.#report.next % this.#options.chromiumOf !== 0) return
    const byChromium = await this.#browser.read(file)
    await this.#note('Chromium', file, compare(scanned, byChromium), byChromium)
  }

  async #note(
    program: string,
    file: Uint8Array,
    comparison: Comparison,
    shown: Shown | undefined,
  ): Promise<void> {
    const differs = comparison.kind === 'differs' && shown !== undefined
    const explanation = differs ? classOf(this.#format, program, file, shown) : undefined
    const reason = comparison.kind === 'unscannable' ? comparison.reason : explanation
    const outcome = [comparison.kind, reason].filter(Boolean).join(', ')
    const { outcomes, unexplained, next } = this.#report
    const key = `${program}: ${outcome}`
    outcomes[key] = (outcomes[key] ?? 0) + 1
    if (comparison.kind !== 'differs') return
    const name = `${this.#format}-${this.#options.seed}-${next}-${program}-${comparison.bits}`
    if (!explanation) unexplained.push(name)
    const { keep } = this.#options
    if (keep === undefined) return
    await mkdir(join(keep, explanation ?? 'unexplained'), { recursive: true })
    await writeFile(join(keep, explanation ?? 'unexplained', name), file)
  }

  /** Random numbers for a purpose. Seeds that follow each other would begin alike. */
  #random(number: number, purpose: number) {
    let mixed = Math.imul(this.#options.seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)
    mixed ^= Math.imul(FORMATS.indexOf(this.#format) * 4 + purpose, 0xc2b2ae35)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    return randomFrom(Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39))
  }
}
