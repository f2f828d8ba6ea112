import { printTable } from '../measure.ts'
import { type Bar, BARS } from './bars.ts'
import { type SetName, SETS, THRESHOLD } from './needles.ts'
import {
  countOf,
  type Histogram,
  meanOf,
  nearest,
  type Others,
  type ProbeTally,
  sumOf,
  type Tally,
  within,
} from './tally.ts'
import { UNCHANGED } from './tasks.ts'
import type { Transform } from './recipe.ts'
import { TRANSFORMS } from './transforms.ts'

const MISSED = 'MISSED'

/** Recall in per cent, never rounded up. */
export function share(histogram: Histogram): number {
  return (100 * within(histogram, THRESHOLD)) / countOf(histogram)
}

function percent(value: number): string {
  return value === 100 ? '100' : (Math.floor(value * 10) / 10).toFixed(1)
}

/** The project's bars, for the transforms that were measured. Returns those missed. */
export function printBars(tally: Tally, sets: readonly SetName[]): string[] {
  const rows = BARS.flatMap((bar) => {
    const measured = TRANSFORMS.filter((one) => bar.isOf(one) && tally.own[one.name])
    return sets.includes(bar.set) && measured.length > 0 ? [barRow(bar, measured, tally)] : []
  })
  console.log('### Bars\n')
  console.log('All uploads by a row’s transforms together; next to it the weakest transform.\n')
  printTable(['transform', 'set', 'bar', 'aim', 'measured', 'weakest', 'met?'], rows)
  return rows.filter((row) => row.at(-1) === MISSED).map(([what = '']) => what)
}

function barRow(bar: Bar, measured: readonly Transform[], tally: Tally): string[] {
  const all = measured.flatMap(({ name }) => {
    const histogram = tally.own[name]?.[bar.set]
    return histogram ? [{ name, histogram }] : []
  })
  const together = share(sumOf(all.map(({ histogram }) => histogram)))
  const [weakest] = all.toSorted((a, b) => share(a.histogram) - share(b.histogram))
  const least = weakest ? share(weakest.histogram) : 0
  return [
    bar.what,
    bar.set,
    bar.least === undefined ? 'as measured' : `${bar.least} %`,
    `${bar.aim} %`,
    `${percent(together)} %`,
    weakest && all.length > 1 ? `${percent(least)} %, ${weakest.name}` : '',
    verdictOf(bar, together, least),
  ]
}

function verdictOf({ least: bar, aim }: Bar, together: number, weakest: number): string {
  if (weakest >= aim) return 'aim met'
  if (together >= aim) return 'aim met together'
  if (bar === undefined) return ''
  if (weakest >= bar) return 'met'
  if (together >= bar) return 'met together'
  return MISSED
}

/** Recall by transform, at the default thresholds. */
export function printRecall(heading: string, own: Tally['own'], sets: readonly SetName[]): void {
  const order = [UNCHANGED, ...TRANSFORMS.map(({ name }) => name)]
  const rows = order.flatMap((name) => {
    const histograms = own[name]
    if (!histograms) return []
    const shares = sets.map((set) => percent(share(histograms[set])))
    const means = sets.map((set) => meanOf(histograms[set])?.toFixed(1) ?? '')
    return [[name, ...shares, ...means]]
  })
  if (rows.length === 0) return
  console.log(`### ${heading}\n`)
  const found = sets.map((set) => `${set}, %`)
  printTable(['transform', ...found, ...sets.map((set) => `mean distance, ${set}`)], rows)
}

/** Unrelated uploads and entries. Returns how many match. */
export function printFalseMatches(tally: Tally, sets: readonly SetName[]): number {
  const rows = Object.entries(tally.others).map(([source, others]) =>
    falseRow(source, others, sets),
  )
  console.log('### False matches\n')
  console.log(
    'A comparison is between an upload, with all its needles, and an entry of another picture.\n',
  )
  const matches = sets.map((set) => `matches, ${set}`)
  const nearests = sets.map((set) => `nearest, ${set}`)
  printTable(
    ['uploads of', 'uploads', 'asked about', 'comparisons', ...matches, ...nearests],
    rows.toSorted(([a = ''], [b = '']) => a.localeCompare(b)),
  )
  const all = Object.values(tally.others)
  return all.reduce(
    (sum, { pairs }) => sets.reduce((more, set) => more + within(pairs[set], THRESHOLD), sum),
    0,
  )
}

function falseRow(source: string, others: Others, sets: readonly SetName[]): string[] {
  const { uploads, asked, pairs } = others
  const matches = sets.map((set) => within(pairs[set], THRESHOLD))
  const nearests = sets.map((set) => nearest(pairs[set].slice(0, 256)) ?? '')
  const counts = [uploads, asked.default, countOf(pairs.plain), ...matches, ...nearests]
  return [source, ...counts.map(String)]
}

/** Bounds of the columns of distances, inclusive. */
const BANDS = [
  [0, 31],
  [32, 39],
  [40, 47],
  [48, 55],
  [56, 63],
  [64, 71],
] as const

/** What each probe finds, and how near it comes to what it should not find. */
export function printProbes(tally: Tally): void {
  const rows = Object.entries(tally.probes)
    .toSorted(([, a], [, b]) => b.found - a.found)
    .map(probeRow)
  console.log('### Probes\n')
  console.log(
    'Transformed uploads of clear photographs that a probe finds, and those that no other finds; distances of its needles to',
  )
  console.log('entries of other pictures, less what is added to its threshold.\n')
  const bands = BANDS.map(([low, high]) => `${low} to ${high}`)
  printTable(
    [
      'probe',
      'finds',
      'alone',
      'of photographs',
      'nearest',
      ...bands,
      'of distractors',
      'nearest',
      `to ${THRESHOLD}`,
    ],
    rows,
  )
}

function probeRow([probe, counts]: [string, ProbeTally]): string[] {
  const { photographs, distractors, found, alone } = counts
  const bands = BANDS.map(([low, high]) => countOf(photographs.slice(low, high + 1)))
  return [
    probe,
    ...[found, alone, countOf(photographs), nearest(photographs) ?? '', ...bands].map(String),
    ...[countOf(distractors), nearest(distractors) ?? '', within(distractors, THRESHOLD)].map(
      String,
    ),
  ]
}

/** The sets that a run queries. */
export function setsTo(largest: SetName): readonly SetName[] {
  return SETS.slice(0, SETS.indexOf(largest) + 1)
}
