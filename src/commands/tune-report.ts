import { DEFAULT_BANK_POLICY } from '../list/manifest.ts'
import { SET_NAMES, type SetName } from '../scan/probes/sets.ts'
import { type LeastThresholds, MAX_TUNED } from './least-thresholds.ts'
import { axisOf, heading, legend, PLOT_COLOURS, renderPlot } from './plot.ts'

/** A file, and what it would need to match. */
export interface TunedFile {
  least: LeastThresholds
  /** Whether it could be scanned, to its end. */
  isScanned: boolean
  /** Whether it is to match; `undefined` if nobody said. */
  isKnown?: boolean | undefined
}

/** Bits between the rows of the table. */
const STEP = 4

const all = Array.from({ length: MAX_TUNED + 1 }, (_, threshold) => threshold)

/** Number of files that match, by threshold and set; by what they should do, if anybody said. */
export function tableOf(files: readonly TunedFile[]): string {
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

function labelledHead(set: SetName): string[] {
  return [`${set}: found`, 'wrong', 'precision']
}

/** Recall and precision are shares, and `undefined` where there is nothing to have a share of. */
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

/** Rounded down: nothing is all of it that is not. */
function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.floor(share * 1000) / 10} %`
}

function aligned(rows: readonly string[][]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  return rows
    .map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
    .join('\n')
}

const WIDTH = 760
const GRID_HEIGHT = 220
const GRID_TOPS = [60, 340]

/** Draws the table at all thresholds: an SVG. */
export async function plotOf(files: readonly TunedFile[], title: string): Promise<string> {
  const isLabelled = files.some(({ isKnown }) => isKnown !== undefined)
  const quantities = isLabelled
    ? [
        { name: 'known files that are found, %', key: 'recall' as const, unit: 100 },
        {
          name: 'files that are known, of those that match, %',
          key: 'precision' as const,
          unit: 100,
        },
      ]
    : [{ name: 'files that match', key: 'matching' as const, unit: 1 }]
  const tops = GRID_TOPS.slice(0, quantities.length)
  return renderPlot(WIDTH, (tops.at(-1) ?? 0) + GRID_HEIGHT + 70, {
    title: heading(title),
    legend: legend(),
    grid: tops.map((top) => ({ left: 70, right: 30, top: top + 20, height: GRID_HEIGHT })),
    xAxis: tops.map((_, i) => axisOf(i, { type: 'value', max: MAX_TUNED })),
    yAxis: quantities.map(({ name }, i) => axisOf(i, { type: 'value', min: 0, name })),
    series: SET_NAMES.flatMap((set) =>
      quantities.map(({ key, unit }, i) => ({
        type: 'line',
        step: 'end',
        name: set,
        xAxisIndex: i,
        yAxisIndex: i,
        color: PLOT_COLOURS[set],
        showSymbol: false,
        data: all.map((threshold) => {
          const value = countsAt(files, set, threshold)[key]
          return [threshold, value === undefined ? null : value * unit]
        }),
      })),
    ),
  })
}
