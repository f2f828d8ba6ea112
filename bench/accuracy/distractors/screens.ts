import { between, choose, type Random } from '../seeded.ts'
import { phrase, textIn } from '../text.ts'
import { colour, type Draw, fill, pale, rect, sheet, type Size, times, whole } from './draw.ts'

interface Look {
  paper: string
  ink: string
  panel: string
}

function lookOf(random: Random): Look {
  return random() < 0.4
    ? { paper: '#121212', ink: '#e6e6e6', panel: '#242424' }
    : { paper: 'white', ink: '#202020', panel: pale(random) }
}

function words(x: number, y: number, width: number, height: number, text: string, ink: string) {
  return textIn({ x, y, width, height }, [text], { fill: ink, align: 'left' })
}

function statusBar({ width }: Size, { ink, panel }: Look): string {
  return (
    rect(0, 0, width, 48, fill(panel)) +
    words(20, 8, 90, 30, `${9 + (width % 12)}:41`, ink) +
    rect(width - 70, 14, 44, 20, `rx="4" fill="none" stroke="${ink}" stroke-width="3"`)
  )
}

/** An app with nothing to show yet. */
const nearEmpty: Draw = (size, random) => {
  const look = lookOf(random)
  const { width, height } = size
  const middle = height * between(random, 0.35, 0.6)
  const sign = choose(random, [
    `<circle cx="${width / 2}" cy="${middle - 60}" r="30" fill="none" stroke="${look.ink}" stroke-width="5"/>`,
    rect(width / 2 - 30, middle - 90, 60, 60, `rx="8" ${fill(colour(random))}`),
    '',
  ])
  const box = { x: width * 0.2, y: middle, width: width * 0.6, height: 40 }
  const text = textIn(box, [phrase(random, 2, 5)], { fill: look.ink })
  return sheet(size, look.paper) + statusBar(size, look) + sign + text
}

const list: Draw = (size, random) => {
  const look = lookOf(random)
  const row = between(random, 70, 150)
  const rows = times(size.height / row, (i) => {
    const y = 120 + i * row
    return (
      `<circle cx="${row * 0.5}" cy="${y + row * 0.5}" r="${row * 0.3}" fill="${colour(random)}"/>` +
      words(row, y + row * 0.15, size.width * 0.5, row * 0.35, phrase(random, 1, 3), look.ink) +
      words(row, y + row * 0.5, size.width * 0.7, row * 0.3, phrase(random, 3, 8), '#808080')
    )
  })
  const bar = rect(0, 48, size.width, 72, fill(look.panel))
  const title = words(20, 56, size.width * 0.6, 56, phrase(random, 1, 2), look.ink)
  return sheet(size, look.paper) + statusBar(size, look) + bar + title + rows
}

const chat: Draw = (size, random) => {
  const look = lookOf(random)
  const { width, height } = size
  const own = colour(random)
  let y = 140
  let bubbles = ''
  while (y < height - 120) {
    const isOwn = random() < 0.5
    const [across, down] = [width * between(random, 0.25, 0.65), between(random, 44, 110)]
    const x = isOwn ? width - across - 20 : 20
    bubbles += rect(x, y, across, down, `rx="22" ${fill(isOwn ? own : look.panel)}`)
    bubbles += words(x + 20, y, across - 40, down, phrase(random, 2, 6), isOwn ? 'white' : look.ink)
    y += down + between(random, 12, 40)
  }
  const field = rect(20, height - 90, width - 40, 64, `rx="32" ${fill(look.panel)}`)
  return sheet(size, look.paper) + statusBar(size, look) + bubbles + field
}

const dashboard: Draw = (size, random) => {
  const look = lookOf(random)
  const [columns, rows] = [whole(random, 2, 4), whole(random, 2, 4)]
  const side = size.width * 0.18
  const [width, height] = [(size.width - side) / columns, (size.height - 80) / rows]
  const menu = times(8, (i) =>
    words(20, 100 + i * 52, side * 0.8, 34, phrase(random, 1, 2), look.ink),
  )
  const cards = times(columns * rows, (i) => {
    const x = side + (i % columns) * width
    const y = 80 + Math.floor(i / columns) * height
    const panel = rect(x + 10, y + 10, width - 20, height - 20, `rx="10" ${fill(look.panel)}`)
    const figure = String(whole(random, 1, 99999))
    return (
      panel +
      words(x + 26, y + 20, width * 0.5, 30, phrase(random, 1, 2), '#808080') +
      words(
        x + 26,
        y + 56,
        width * 0.6,
        height * 0.3,
        figure,
        choose(random, [look.ink, colour(random)]),
      )
    )
  })
  return sheet(size, look.paper) + rect(0, 0, side, size.height, fill(look.panel)) + menu + cards
}

const terminal: Draw = (size, random) => {
  const line = between(random, 18, 30)
  const ink = choose(random, ['#33ff66', '#dddddd', '#ffcc66'])
  const lines = times(whole(random, 3, size.height / line - 2), (i) =>
    words(
      12,
      10 + i * line,
      size.width * between(random, 0.2, 0.9),
      line,
      phrase(random, 1, 9),
      ink,
    ),
  )
  return sheet(size, '#101418') + lines
}

export const SCREENS = {
  'near-empty screen': nearEmpty,
  'list screen': list,
  'chat screen': chat,
  dashboard,
  terminal,
}
