import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

export interface Line {
  name: string
  /** [entries, milliseconds] */
  points: readonly (readonly [number, number])[]
}

/** Readable on white and on black: a medium grey, and colours of similar brightness. */
const GREY = '#808080'
const COLOURS = ['#d9682a', '#2f8fd8', '#3f9b57']
const SYMBOLS = ['circle', 'rect', 'triangle']

/** Draws lines over numbers of entries, both axes logarithmic, as an SVG without background. */
export function plotLines(title: string, lines: readonly Line[]): string {
  use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 420 })
  const axis = {
    type: 'log',
    nameLocation: 'middle',
    nameTextStyle: { color: GREY },
    axisLabel: { color: GREY },
    axisLine: { show: true, lineStyle: { color: GREY } },
    splitLine: { lineStyle: { color: GREY, opacity: 0.3 } },
  } as const
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: 'sans-serif', color: GREY },
    title: { text: title, left: 'center', textStyle: { color: GREY, fontSize: 15 } },
    legend: { bottom: 0, itemGap: 50, textStyle: { color: GREY } },
    grid: { left: 70, right: 30, top: 40, bottom: 80 },
    xAxis: {
      ...axis,
      logBase: 2,
      name: 'million entries',
      nameGap: 28,
      min: 0.125,
      max: 8,
    },
    yAxis: {
      ...axis,
      min: 1e-5,
      max: 100,
      axisLabel: { color: GREY, formatter: timeOf },
    },
    series: lines.map(({ name, points }, i) => ({
      type: 'line' as const,
      name,
      data: points.map(([entries, time]) => [entries / 1e6, Number(time.toPrecision(3))]),
      color: COLOURS[i % COLOURS.length],
      symbol: SYMBOLS[i % SYMBOLS.length],
      symbolSize: 8,
      lineStyle: { width: 2 },
      label: { show: true, color: GREY, formatter: labelOf },
    })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

/** The time of a point. */
function labelOf({ value }: { value?: unknown }): string {
  return timeOf(Array.isArray(value) ? Number(value[1]) : 0)
}

/** Milliseconds in a suitable unit. */
function timeOf(time: number): string {
  if (time >= 0.1) return `${Number(time.toPrecision(2))} ms`
  if (time >= 1e-4) return `${Number((time * 1e3).toPrecision(2))} µs`
  return `${Number((time * 1e6).toPrecision(2))} ns`
}
