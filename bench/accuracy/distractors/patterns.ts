import { between, choose, type Random } from '../seeded.ts'
import { colour, type Draw, fill, rect, sheet, type Size, times, whole } from './draw.ts'

/** Rotates a body twice the sheet's size about its middle. */
function turned({ width, height }: Size, degrees: number, body: string): string {
  return `<g transform="rotate(${degrees.toFixed(1)} ${width / 2} ${height / 2})">${body}</g>`
}

const stripes: Draw = (size, random) => {
  const tolerance = size.width + size.height
  const period = between(random, 6, tolerance / 6)
  const breadth = period * between(random, 0.2, 0.8)
  const style = fill(colour(random))
  const angle = choose(random, [0, 90, 45, between(random, 0, 180)])
  const bands = times((2 * tolerance) / period, (i) =>
    rect(i * period - tolerance / 2, -tolerance / 2, breadth, 2 * tolerance, style),
  )
  return sheet(size, colour(random)) + turned(size, angle, bands)
}

const plaid: Draw = (size, random) => {
  const bands = Array.from({ length: whole(random, 2, 5) }, () => ({
    at: random(),
    breadth: between(random, 0.03, 0.4),
    style: fill(colour(random), between(random, 0.3, 0.7)),
  }))
  const period = between(random, 40, 240)
  const across = times(size.width / period + 1, (i) =>
    bands
      .map(({ at, breadth, style }) =>
        rect((i + at - 0.5) * period, 0, breadth * period, size.height, style),
      )
      .join(''),
  )
  const down = times(size.height / period + 1, (i) =>
    bands
      .map(({ at, breadth, style }) =>
        rect(0, (i + at - 0.5) * period, size.width, breadth * period, style),
      )
      .join(''),
  )
  return sheet(size, colour(random)) + across + down
}

const checks: Draw = (size, random) => {
  const cell = between(random, 12, size.width / 4)
  const style = fill(colour(random))
  const columns = Math.ceil(size.width / cell)
  const rows = Math.ceil(size.height / cell)
  const cells = times(columns * rows, (i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)]
    return (x + y) % 2 === 0 ? rect(x * cell, y * cell, cell, cell, style) : ''
  })
  return sheet(size, colour(random)) + cells
}

const gradient: Draw = (size, random) => {
  const stops = times(
    whole(random, 2, 4),
    (i) => `<stop offset="${(i * 0.33).toFixed(2)}" stop-color="${colour(random)}"/>`,
  )
  const kind = choose(random, ['linearGradient', 'radialGradient'])
  const angle = (random() * 360).toFixed(0)
  return `<defs><${kind} id="g" gradientTransform="rotate(${angle} 0.5 0.5)">${stops}</${kind}></defs>${sheet(size, 'url(#g)')}`
}

const tiles: Draw = (size, random) => {
  const [across, down] = [between(random, 30, 160), between(random, 16, 80)]
  const [paints, gap] = [[colour(random), colour(random), colour(random)], between(random, 2, 6)]
  const columns = Math.ceil(size.width / across) + 1
  const bricks = times(columns * Math.ceil(size.height / down), (i) => {
    const row = Math.floor(i / columns)
    const x = ((i % columns) - (row % 2) / 2) * across
    const paint = paints[whole(random, 0, 2)] ?? 'black'
    return rect(x, row * down, across - gap, down - gap, fill(paint))
  })
  return sheet(size, '#cccccc') + bricks
}

/** Dots in a grid whose sizes follow a wave. */
const halftone: Draw = (size, random) => {
  const pitch = between(random, 14, 40)
  const columns = Math.ceil(size.width / pitch)
  const [a, b, c] = [between(random, -6, 6), between(random, -6, 6), random() * 6]
  const dots = times(columns * Math.ceil(size.height / pitch), (i) => {
    const [x, y] = [(i % columns) * pitch, Math.floor(i / columns) * pitch]
    const tone = 0.5 + 0.5 * Math.sin((a * x) / size.width + (b * y) / size.height + c)
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${(pitch * 0.7 * tone).toFixed(1)}"/>`
  })
  return sheet(size, 'white') + `<g fill="${choose(random, ['black', colour(random)])}">${dots}</g>`
}

const waves: Draw = (size, random) => {
  const [height, length] = [between(random, 5, 60), between(random, 40, 300)]
  const pitch = between(random, 12, 60)
  const lines = times(size.height / pitch + 4, (i) => {
    const y = (i - 2) * pitch
    const bends = times(
      size.width / length + 2,
      () => `q${length / 4} ${-height} ${length / 2} 0t${length / 2} 0`,
    )
    return `<path d="M${-length} ${y.toFixed(1)}${bends}"/>`
  })
  const stroke = `stroke="${colour(random)}" stroke-width="${between(random, 1, pitch / 2).toFixed(1)}"`
  return sheet(size, colour(random)) + `<g fill="none" ${stroke}>${lines}</g>`
}

const rings: Draw = (size, random: Random) => {
  const [x, y] = [random() * size.width, random() * size.height]
  const pitch = between(random, 8, 60)
  const circles = times(
    (size.width + size.height) / pitch,
    (i) => `<circle cx="${x}" cy="${y}" r="${(i * pitch).toFixed(1)}"/>`,
  )
  const stroke = `stroke="${colour(random)}" stroke-width="${(pitch * between(random, 0.1, 0.6)).toFixed(1)}"`
  return sheet(size, colour(random)) + `<g fill="none" ${stroke}>${circles}</g>`
}

/** A flat panel in one or more frames: a window, a card, a whiteboard, a blank screen. */
const panel: Draw = (size, random) => {
  const { width, height } = size
  const frames = times(whole(random, 1, 3), (i) => {
    const x = width * (0.04 + 0.05 * i) * between(random, 0.6, 1.6)
    const y = height * (0.04 + 0.05 * i) * between(random, 0.6, 1.6)
    return rect(x, y, width - 2 * x, height - 2 * y, fill(colour(random)))
  })
  return sheet(size, colour(random)) + frames
}

/** Threads that go over and under one another. */
const weave: Draw = (size, random) => {
  const pitch = between(random, 8, 60)
  const breadth = pitch * between(random, 0.5, 0.95)
  const [warp, weft] = [fill(colour(random)), fill(colour(random))]
  const columns = Math.ceil(size.width / pitch)
  const downs = times(columns, (i) => rect(i * pitch, 0, breadth, size.height, warp))
  const overs = times(columns * Math.ceil(size.height / pitch), (i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)]
    return (x + y) % 2 === 0 ? rect(x * pitch, y * pitch, pitch, breadth, weft) : ''
  })
  return sheet(size, colour(random)) + downs + overs
}

export const PATTERNS = {
  panel,
  weave,
  stripes,
  plaid,
  checks,
  gradient,
  tiles,
  halftone,
  waves,
  rings,
}
