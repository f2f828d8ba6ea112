// Estimates what an operator's list would match by mistake. It compares the operator's own files
// that are on no list with the list's entries, and extrapolates below the nearest pair from the
// tail of the distances. docs/accuracy.md does the same with the bench's pictures.

import { PackedHashes } from '../core/packed-hashes.ts'
import type { Entry } from '../list/entry.ts'
import { DEFAULT_BANK_POLICY } from '../list/manifest.ts'
import { limitOf } from '../match/thresholds.ts'
import { SET_NAMES, type SetName } from '../scan/probes/sets.ts'
import { allFiles, type Needle, type ScannedFile, smallestSetOf } from '../scan/scanned.ts'
import { randomFrom } from '../util/random.ts'
import { aligned } from './tune-report.ts'
import {
  extrapolate,
  type Histogram,
  histogram,
  MAX_BITS,
  uploadsOfAMillion,
} from './distance-tail.ts'

/** How many entries, spread over the list, files are compared with. */
const MOST_ENTRIES = 4096
/** List sizes to report, beside the operator's own. */
const LIST_SIZES = [1e5, 1e6, 1e7]
/** A rate is reported only from this many files and pairs. */
const [LEAST_FILES, LEAST_PAIRS] = [30, 100_000]
const { minQuality, threshold: THRESHOLD } = DEFAULT_BANK_POLICY

/** Distances between files that are on no list and entries of one. */
export class UnrelatedPairs {
  readonly #entries: PackedHashes
  readonly #listSize: number
  readonly #files: BySet[] = []

  constructor(entries: readonly Entry[]) {
    const hashes = entries.filter(({ kind }) => kind === 'pdq').map(({ hash }) => hash)
    this.#listSize = hashes.length
    const step = Math.max(1, Math.ceil(hashes.length / MOST_ENTRIES))
    this.#entries = new PackedHashes(hashes.filter((_, i) => i % step === 0))
  }

  /** Counts a file by its nearest needles, less their tolerance. */
  add(file: ScannedFile): void {
    const nearest = new Uint8Array(this.#entries.count).fill(MAX_BITS)
    const needles = allFiles(file).flatMap((one) =>
      one.coverage === 'scanned' ? one.needles.concat(one.widen?.() ?? []) : [],
    )
    const asked = needles.filter((needle) => !limitOf(needle, minQuality))
    const bySet = Map.groupBy(asked, smallestSetOf)
    if (bySet.size === 0) return
    const counted = {} as BySet
    for (const set of SET_NAMES) {
      for (const needle of bySet.get(set) ?? []) this.#lower(nearest, needle)
      counted[set] = histogram()
      for (const bits of nearest) counted[set][bits] = (counted[set][bits] ?? 0) + 1
    }
    this.#files.push(counted)
  }

  #lower(nearest: Uint8Array, needle: Needle): void {
    this.#entries.distancesTo(needle).forEach((distance, i) => {
      nearest[i] = Math.min(nearest[i] ?? MAX_BITS, Math.max(0, distance - needle.tolerance))
    })
  }

  /**
   * Uploads per million that would match by mistake, by list size and probe set; or why there is no
   * estimate.
   */
  report(): string {
    const pairs = this.#files.length * this.#entries.count
    const head = `false matches, from ${this.#files.length} files that are on no list and ${this.#entries.count} entries: ${pairs} pairs`
    if (this.#files.length < LEAST_FILES || pairs < LEAST_PAIRS) {
      return `${head}\ntoo few to estimate how many uploads would match by mistake: at least ${LEAST_FILES} files and ${LEAST_PAIRS} pairs are needed`
    }
    const sizes = [this.#listSize, ...LIST_SIZES]
    const rows = SET_NAMES.map((set) => this.#row(set, sizes))
    const names = sizes.map((size) => `${size.toLocaleString('en')} entries`)
    return `${head}\nof a million uploads, at ${THRESHOLD}, by size of the list; extrapolated, with the bound below which 97.5 % of draws of the files lie:\n\n${aligned([['set', ...names], ...rows])}`
  }

  #row(set: SetName, sizes: readonly number[]): string[] {
    const histograms = this.#files.map((one) => one[set])
    const found = extrapolate(histograms, THRESHOLD, randomFrom(1))
    return [set, ...sizes.map((size) => (found ? rateOf(found, size) : '-'))]
  }
}

type BySet = Record<SetName, Histogram>

function rateOf({ share, upper }: { share: number; upper: number }, size: number): string {
  const rounded = (one: number) => Number(uploadsOfAMillion(one, size).toPrecision(2))
  return `${rounded(share).toLocaleString('en')} (${rounded(upper).toLocaleString('en')})`
}
