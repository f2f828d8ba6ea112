import { between, choose, type Random } from '../seeded.ts'
import { phrase, textIn } from '../text.ts'
import { colour, type Draw, fill, pale, rect, sheet, type Size, times, whole } from './draw.ts'

/** Axes with lines and a heading. */
function axes({ width, height }: Size, random: Random): string {
  const lines = times(whole(random, 3, 7), (i) => {
    const y = height * (0.85 - i * 0.1)
    return `<path d="M${width * 0.1} ${y}H${width * 0.95}" stroke="#dddddd" stroke-width="2"/>`
  })
  const frame = `<path d="M${width * 0.1} ${height * 0.12}V${height * 0.85}H${width * 0.95}" fill="none" stroke="#444444" stroke-width="3"/>`
  const box = { x: width * 0.2, y: height * 0.02, width: width * 0.6, height: height * 0.07 }
  return lines + frame + textIn(box, [phrase(random, 2, 6)], { fill: '#222222' })
}

const bars: Draw = (size, random) => {
  const count = whole(random, 3, 16)
  const step = (size.width * 0.82) / count
  const style = fill(colour(random))
  const columns = times(count, (i) => {
    const height = size.height * 0.7 * random()
    const x = size.width * 0.12 + i * step
    return rect(x, size.height * 0.85 - height, step * 0.7, height, style)
  })
  return sheet(size, 'white') + axes(size, random) + columns
}

const lines: Draw = (size, random) => {
  const count = whole(random, 8, 60)
  const series = times(whole(random, 1, 4), () => {
    let y = random()
    const points = times(count, (i) => {
      y = Math.max(0, Math.min(1, y + between(random, -0.15, 0.15)))
      const x = size.width * (0.1 + (0.85 * i) / (count - 1))
      return `${x.toFixed(1)},${(size.height * (0.85 - 0.7 * y)).toFixed(1)} `
    })
    return `<polyline points="${points}" fill="none" stroke="${colour(random)}" stroke-width="4"/>`
  })
  return sheet(size, 'white') + axes(size, random) + series
}

const pie: Draw = (size, random) => {
  const [x, y] = [size.width * between(random, 0.35, 0.6), size.height * 0.54]
  const radius = Math.min(size.width, size.height) * between(random, 0.2, 0.4)
  const shares = Array.from({ length: whole(random, 2, 7) }, () => between(random, 0.1, 1))
  const total = shares.reduce((sum, share) => sum + share, 0)
  let angle = random() * 6
  const slices = shares.map((share) => {
    const end = angle + (share / total) * 2 * Math.PI
    const isLarge = end - angle > Math.PI ? 1 : 0
    const point = (at: number) => `${x + radius * Math.cos(at)} ${y + radius * Math.sin(at)}`
    const path = `M${x} ${y}L${point(angle)}A${radius} ${radius} 0 ${isLarge} 1 ${point(end)}z`
    angle = end
    return `<path d="${path}" fill="${colour(random)}"/>`
  })
  return sheet(size, pale(random)) + slices.join('')
}

/** Blocks between streets, some water, some names. */
const map: Draw = (size, random) => {
  const { width, height } = size
  const street = () => {
    const isAcross = random() < 0.5
    const [from, to] = [random(), random()]
    const path = isAcross
      ? `M0 ${from * height}Q${width / 2} ${random() * height} ${width} ${to * height}`
      : `M${from * width} 0Q${random() * width} ${height / 2} ${to * width} ${height}`
    const breadth = choose(random, [4, 8, 16])
    return `<path d="${path}" fill="none" stroke="${choose(random, ['white', '#f7d26a'])}" stroke-width="${breadth}"/>`
  }
  const water = times(
    whole(random, 0, 3),
    () =>
      `<ellipse cx="${random() * width}" cy="${random() * height}" rx="${width * between(random, 0.1, 0.4)}" ry="${height * between(random, 0.05, 0.3)}" fill="#a8d0e8"/>`,
  )
  const names = times(whole(random, 3, 10), () =>
    textIn(
      { x: random() * width * 0.8, y: random() * height * 0.95, width: width * 0.2, height: 24 },
      [phrase(random, 1, 2)],
      { fill: '#555555' },
    ),
  )
  return sheet(size, '#ece7dc') + water + times(whole(random, 8, 40), street) + names
}

/** Boxes with words, and lines between them. */
const diagram: Draw = (size, random) => {
  const boxes = Array.from({ length: whole(random, 4, 12) }, () => ({
    x: random() * size.width * 0.8,
    y: random() * size.height * 0.85,
    width: size.width * 0.17,
    height: size.height * 0.1,
  }))
  const links = boxes.slice(1).map((box, i) => {
    const from = boxes[whole(random, 0, i)] ?? box
    return `<path d="M${from.x + 40} ${from.y + 30}L${box.x + 40} ${box.y + 30}" stroke="#333333" stroke-width="3"/>`
  })
  const paint = pale(random)
  const drawn = boxes.map(
    (box) =>
      rect(
        box.x,
        box.y,
        box.width,
        box.height,
        `fill="${paint}" stroke="#333333" stroke-width="3"`,
      ) + textIn(box, [phrase(random, 1, 2)], { fill: '#222222' }),
  )
  return sheet(size, 'white') + links.join('') + drawn.join('')
}

export const CHARTS = { 'bar chart': bars, 'line chart': lines, 'pie chart': pie, map, diagram }
