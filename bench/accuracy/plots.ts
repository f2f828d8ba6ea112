import { axisOf, heading, legend, PLOT_COLOURS, renderPlot } from '../plot.ts'
import { type SetName, THRESHOLD } from './needles.ts'
import { share } from './report.ts'
import { countOf, emptyHistogram, type Histogram, sumOf, type Tally, within } from './tally.ts'
import { TRANSFORMS } from './transforms.ts'

const SYMBOLS: Record<SetName, string> = { plain: 'circle', default: 'rect', wide: 'triangle' }

/** Height of a transform's row, in pixels. */
const ROW = 13

/** Recall by transform: two columns of rows, with a mark for each set. */
export function plotRecall(tally: Tally, sets: readonly SetName[]): string {
  const names = TRANSFORMS.map(({ name }) => name).filter((name) => tally.own[name])
  const half = Math.ceil(names.length / 2)
  const columns = [names.slice(0, half), names.slice(half)].filter((column) => column.length > 0)
  const height = half * ROW + 90
  return renderPlot(1160, height, {
    title: heading('Photographs that are found, by transform, in per cent'),
    legend: legend(),
    grid: columns.map((_, i) => ({ left: 250 + i * 580, width: 310, top: 40, bottom: 50 })),
    xAxis: columns.map((_, i) => axisOf(i, { type: 'value', min: 0, max: 100 })),
    yAxis: columns.map((data, i) => axisOf(i, { type: 'category', data, inverse: true })),
    series: columns.flatMap((column, axis) =>
      sets.map((set) => ({
        type: 'scatter',
        name: set,
        xAxisIndex: axis,
        yAxisIndex: axis,
        color: PLOT_COLOURS[set],
        symbol: SYMBOLS[set],
        symbolSize: 7,
        data: column.map((name) => [share(histogramOf(tally, name, set)), name]),
      })),
    ),
  })
}

const MOST = 80

/** Recall and false matches by threshold. */
export function plotThresholds(tally: Tally, sets: readonly SetName[]): string {
  const curve = (set: SetName, i: number, histogram: Histogram, unit: number) => ({
    type: 'line',
    name: set,
    xAxisIndex: i,
    yAxisIndex: i,
    color: PLOT_COLOURS[set],
    showSymbol: false,
    lineStyle: { width: 2, type: i === 2 ? 'dashed' : 'solid' },
    data: thresholds().map((t) => [t, (unit * within(histogram, t)) / countOf(histogram) || null]),
  })
  const tops = [60, 290, 520]
  const names = [
    'transformed photographs that are found, %',
    'false matches in a million comparisons of photographs',
    'false matches in a million comparisons of distractors',
  ]
  return renderPlot(760, 780, {
    title: heading(`By threshold; the default is ${THRESHOLD}`),
    legend: legend(),
    grid: tops.map((top) => ({ left: 70, right: 30, top, height: 170 })),
    xAxis: tops.map((_, i) => axisOf(i, { type: 'value', max: MOST })),
    yAxis: names.map((name, i) => axisOf(i, { type: i === 0 ? 'value' : 'log', name })),
    series: sets.flatMap((set) => [
      curve(set, 0, ownOf(tally, set), 100),
      curve(set, 1, othersOf(tally, set, true), 1e6),
      curve(set, 2, othersOf(tally, set, false), 1e6),
    ]),
  })
}

function thresholds(): number[] {
  return Array.from({ length: MOST + 1 }, (_, t) => t)
}

function histogramOf(tally: Tally, transform: string, set: SetName): Histogram {
  return tally.own[transform]?.[set] ?? emptyHistogram()
}

function ownOf(tally: Tally, set: SetName): Histogram {
  return sumOf(Object.values(tally.own).map((histograms) => histograms[set]))
}

function othersOf(tally: Tally, set: SetName, isOfPhotographs: boolean): Histogram {
  return sumOf(
    Object.entries(tally.others)
      .filter(([source]) => source.startsWith('photographs') === isOfPhotographs)
      .map(([, { pairs }]) => pairs[set]),
  )
}
