// Compares what hashgate hashes of files of unusual structure with what other programs show of them.
//
//   npm run fuzz -- --differential [--count 1000] [--seed 1] [--formats jpeg,png] [--keep FOLDER]
//
// The count is that of each format. Prints how many came out how, by format and program; files that differ are kept.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium } from '../../support/chromium.ts'
import { randomFrom } from '../../support/random.ts'
import { ChromiumReader } from './chromium-reader.ts'
import { classOf } from './classes.ts'
import { compare, scan } from './compare.ts'
import type { Shown } from './reading.ts'
import { readBySharp } from './sharp-reader.ts'
import { type ComparedFormat, encodedFiles, FORMATS, structured } from './structured.ts'

export interface DifferentialOptions {
  count: number
  seed: number
  formats: readonly ComparedFormat[]
  /** Whether Chromium is asked too, where there is one. */
  withChromium: boolean
  /** Folder for files that differ. */
  keep?: string
}

/** Files by format, program and outcome. */
export type Tally = Map<string, number>

type Reader = (file: Uint8Array) => Promise<Shown | undefined>

/** Runs the comparison. Returns the counts, and the names of files that differ and that no class explains. */
export async function runDifferential(
  options: DifferentialOptions,
): Promise<{ tally: Tally; unexplained: string[] }> {
  const chromium = options.withChromium ? findChromium() : undefined
  const browser = chromium === undefined ? undefined : await ChromiumReader.open(chromium)
  const readers: Record<string, Reader> = { libvips: readBySharp }
  if (browser) readers['chromium'] = (file) => browser.read(file)
  const encoded = await encodedFiles()
  const tally: Tally = new Map()
  const unexplained: string[] = []
  try {
    for (const format of options.formats) {
      for (let number = 0; number < options.count; number++) {
        const file = structured(format, encoded[format], randomOf(options.seed, format, number))
        const scanned = await scan(file)
        for (const [program, read] of Object.entries(readers)) {
          if (program === 'libvips' && format === 'bmp') continue // it has no reader of its own
          const shown = await read(file)
          const comparison = compare(scanned, shown)
          const isOther = comparison.kind === 'differs' && shown !== undefined
          const explanation = isOther ? classOf(format, file, shown) : undefined
          const outcome = [
            comparison.kind,
            'reason' in comparison && comparison.reason,
            explanation,
          ]
          const key = `${format} ${program}: ${outcome.filter(Boolean).join(', ')}`
          tally.set(key, (tally.get(key) ?? 0) + 1)
          if (comparison.kind !== 'differs') continue
          const name = `${format}-${options.seed}-${number}-${program}-${comparison.bits}`
          if (options.keep) await keep(options.keep, name, file)
          if (!explanation) unexplained.push(name)
        }
      }
    }
  } finally {
    await browser?.close()
  }
  return { tally, unexplained }
}

function randomOf(seed: number, format: ComparedFormat, number: number) {
  return randomFrom(seed * 1_000_003 + FORMATS.indexOf(format) * 100_000_007 + number)
}

async function keep(folder: string, name: string, file: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), file)
}
