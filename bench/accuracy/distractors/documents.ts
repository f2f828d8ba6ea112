import { between, choose, type Random } from '../seeded.ts'
import { phrase, textIn } from '../text.ts'
import { colour, dark, type Draw, fill, pale, rect, sheet, times, whole } from './draw.ts'

function words(
  x: number,
  y: number,
  width: number,
  height: number,
  text: string,
  ink: string,
): string {
  return textIn({ x, y, width, height }, [text], { fill: ink, align: 'left' })
}

const textPage: Draw = (size, random) => {
  const margin = size.width * between(random, 0.05, 0.14)
  const line = between(random, 16, 34)
  const columns = choose(random, [1, 1, 2])
  const width = (size.width - margin * (columns + 1)) / columns
  const count = (size.height - 2 * margin) / line
  const texts = times(columns, (column) =>
    times(count, (i) =>
      random() < 0.1
        ? ''
        : words(
            margin + column * (width + margin),
            margin + i * line,
            width,
            line,
            phrase(random, 5, Math.ceil(width / line / 1.6) + 5),
            '#222222',
          ),
    ),
  )
  const title = words(margin, margin * 0.2, size.width * 0.7, 44, phrase(random, 2, 5), 'black')
  return sheet(size, choose(random, ['white', pale(random)])) + title + texts
}

const spreadsheet: Draw = (size, random) => {
  const row = between(random, 22, 40)
  const columns = whole(random, 4, 10)
  const width = size.width / columns
  const grid = times(
    columns,
    (i) =>
      `<path d="M${(i * width).toFixed(1)} 0v${size.height}" stroke="#cccccc" stroke-width="1.5"/>`,
  )
  const filled = whole(random, 5, size.height / row)
  const cells = times(filled, (i) => {
    const line = `<path d="M0 ${((i + 1) * row).toFixed(1)}h${size.width}" stroke="#cccccc" stroke-width="1.5"/>`
    const values = times(columns, (column) =>
      random() < 0.2
        ? ''
        : words(column * width + 4, i * row, width * 0.9, row, number(random), '#222222'),
    )
    return line + values
  })
  return sheet(size, 'white') + rect(0, 0, size.width, row, fill(pale(random))) + grid + cells
}

function number(random: Random): string {
  return (random() * 10 ** whole(random, 1, 5)).toFixed(whole(random, 0, 2))
}

/** Squares like those of a matrix code, with its three finder patterns. */
const matrixCode: Draw = (size, random) => {
  const modules = whole(random, 21, 57)
  const pitch = (Math.min(size.width, size.height) * between(random, 0.5, 0.9)) / modules
  const [x, y] = [(size.width - pitch * modules) / 2, (size.height - pitch * modules) / 2]
  const square = (col: number, row: number, span: number, paint: string) =>
    rect(x + col * pitch, y + row * pitch, span * pitch, span * pitch, fill(paint))
  const dots = times(modules * modules, (i) =>
    random() < 0.5 ? square(i % modules, Math.floor(i / modules), 1, 'black') : '',
  )
  const finder = (col: number, row: number) =>
    square(col - 1, row - 1, 9, 'white') +
    square(col, row, 7, 'black') +
    square(col + 1, row + 1, 5, 'white') +
    square(col + 2, row + 2, 3, 'black')
  const finders = finder(0, 0) + finder(modules - 7, 0) + finder(0, modules - 7)
  return sheet(size, 'white') + dots + finders
}

const slide: Draw = (size, random) => {
  const { width, height } = size
  const ink = dark(random)
  const points = times(whole(random, 2, 6), (i) => {
    const y = height * (0.3 + i * 0.1)
    const dot = `<circle cx="${width * 0.08}" cy="${y + height * 0.04}" r="${height * 0.01}"/>`
    return dot + words(width * 0.1, y, width * 0.8, height * 0.08, phrase(random, 3, 7), ink)
  })
  return (
    sheet(size, pale(random)) +
    rect(0, 0, width, height * between(random, 0.12, 0.22), fill(colour(random))) +
    words(width * 0.05, height * 0.03, width * 0.8, height * 0.1, phrase(random, 2, 5), 'white') +
    points
  )
}

export const DOCUMENTS = {
  'text page': textPage,
  spreadsheet,
  'matrix code': matrixCode,
  slide,
}
