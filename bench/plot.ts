import { LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

/** Readable on white and on black: a medium grey, and colours of similar brightness. */
const GREY = '#808080'
/** By probe set. */
export const PLOT_COLOURS = {
  plain: '#d9682a',
  'as-is': '#a667c9',
  default: '#2f8fd8',
  wide: '#3f9b57',
} as const

/** An axis of one of several grids. */
export function axisOf(gridIndex: number, option: object): object {
  return {
    nameTextStyle: { color: GREY, align: 'left' },
    axisLabel: { color: GREY, fontSize: 10, interval: 0 },
    axisLine: { show: true, lineStyle: { color: GREY } },
    splitLine: { show: true, lineStyle: { color: GREY, opacity: 0.25 } },
    ...option,
    gridIndex,
  }
}

export function heading(text: string): object {
  return { text, left: 'center', top: 0, textStyle: { color: GREY, fontSize: 15 } }
}

export function legend(): object {
  return { bottom: 0, itemGap: 50, textStyle: { color: GREY } }
}

/** Draws lines and points as SVG; sizes are in pixels. */
export function renderPlot(width: number, height: number, option: EChartsCoreOption): string {
  use([LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: 'sans-serif', color: GREY },
    ...option,
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}
