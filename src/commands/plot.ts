import type { EChartsCoreOption } from 'echarts/core'
import { HashgateError } from '../util/errors.ts'

/** Readable on white as on black: a grey between them, and colours of about its brightness. */
const GREY = '#808080'
/** By set of probes. */
export const PLOT_COLOURS = {
  plain: '#d9682a',
  'as-is': '#a667c9',
  default: '#2f8fd8',
  wide: '#3f9b57',
} as const

/** The library that draws is not installed. */
class PlotLibraryMissingError extends HashgateError {
  readonly code = 'plot-library-missing'

  constructor() {
    super('a plot needs the package echarts; `npm install echarts` beside hashgate, or --no-plot')
  }
}

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

/**
 * Draws lines and points as SVG; sizes are pixels. The library is loaded for it alone: nobody else shall wait for it.
 * @throws {PlotLibraryMissingError}
 */
export async function renderPlot(
  width: number,
  height: number,
  option: EChartsCoreOption,
): Promise<string> {
  const { init, use, components } = await loadLibrary()
  use(components)
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

async function loadLibrary() {
  try {
    const [core, charts, parts, renderers] = await Promise.all([
      import('echarts/core'),
      import('echarts/charts'),
      import('echarts/components'),
      import('echarts/renderers'),
    ])
    const { GridComponent, LegendComponent, TitleComponent } = parts
    const { LineChart, ScatterChart } = charts
    const components = [LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent]
    return { ...core, components: [...components, renderers.SVGRenderer] }
  } catch (error) {
    const isMissing =
      error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    throw isMissing ? new PlotLibraryMissingError() : error
  }
}
