import { DEFAULT_BANK_POLICY } from '../list/manifest.ts'
import { SET_NAMES, type SetName } from '../scan/probes/sets.ts'
import { type LeastThresholds, MAX_TUNED } from './least-thresholds.ts'

/** Bits between the rows of the table. */
const STEP = 4

const all = Array.from({ length: MAX_TUNED + 1 }, (_, threshold) => threshold)

/**
 * Number of matching files by threshold and probe set; with labels, also by what they should do.
 */
export function tuneTable(files: readonly TunedFile[]): string {
  const isLabelled = files.some(({ isKnown }) => isKnown !== undefined)
  const head = ['threshold', ...(isLabelled ? SET_NAMES.flatMap(labelledHead) : SET_NAMES)]
  const thresholds = all.filter(
    (threshold) => threshold % STEP === 0 || threshold === DEFAULT_BANK_POLICY.threshold,
  )
  const cells = (threshold: number) =>
    SET_NAMES.flatMap((set) => {
      const { matching, found, wrong, precision, recall } = countsAt(files, set, threshold)
      if (!isLabelled) return [String(matching)]
      return [`${found} (${percent(recall)})`, String(wrong), percent(precision)]
    })
  const rows = thresholds.map((threshold) => [String(threshold)].concat(cells(threshold)))
  return aligned([head, ...rows])
}

/** A file, and the thresholds that it would need to match. */
export interface TunedFile {
  least: LeastThresholds
  /** Whether it was scanned to its end. */
  isScanned: boolean
  /** Whether it should match; `undefined` without a label. */
  isKnown?: boolean | undefined
}

function labelledHead(set: SetName): string[] {
  return [`${set}: found`, 'wrong', 'precision']
}

/** Recall and precision are shares; `undefined` if there is nothing to divide by. */
interface Counts {
  matching: number
  found: number
  wrong: number
  recall: number | undefined
  precision: number | undefined
}

function countsAt(files: readonly TunedFile[], set: SetName, threshold: number): Counts {
  const matching = files.filter(({ least }) => (least[set] ?? Infinity) <= threshold)
  const known = files.filter(({ isKnown }) => isKnown === true).length
  const found = matching.filter(({ isKnown }) => isKnown === true).length
  const wrong = matching.filter(({ isKnown }) => isKnown === false).length
  const share = (part: number, whole: number) => (whole === 0 ? undefined : part / whole)
  return {
    matching: matching.length,
    found,
    wrong,
    recall: share(found, known),
    precision: share(found, found + wrong),
  }
}

/** Rounded down: 100 % means all. */
function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.floor(share * 1000) / 10} %`
}

/** Rows as lines with aligned columns. */
export function aligned(rows: readonly string[][]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  return rows
    .map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
    .join('\n')
}
