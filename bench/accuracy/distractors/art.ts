import { between, choose, type Random } from '../seeded.ts'
import { phrase, textIn } from '../text.ts'
import { colour, type Draw, fill, pale, rect, sheet, type Size, times, whole } from './draw.ts'

/** Overlapping shapes in plain colours. */
const drawing: Draw = (size, random) =>
  sheet(size, colour(random)) + times(whole(random, 5, 40), () => shape(size, random))

function shape({ width, height }: Size, random: Random): string {
  const [x, y] = [random() * width, random() * height]
  const [a, b] = [width * between(random, 0.03, 0.35), height * between(random, 0.03, 0.35)]
  const style = fill(colour(random))
  const corner = () => `${x + (random() - 0.5) * 2 * a} ${y + (random() - 0.5) * 2 * b}`
  return choose(random, [
    rect(x - a / 2, y - b / 2, a, b, style),
    `<ellipse cx="${x}" cy="${y}" rx="${a / 2}" ry="${b / 2}" ${style}/>`,
    `<path d="M${corner()}L${corner()}L${corner()}z" ${style}/>`,
    `<path d="M${corner()}Q${corner()} ${corner()}T${corner()}z" ${style}/>`,
  ])
}

/** A few large shapes in the middle of a plain sheet. */
const icon: Draw = (size, random) => {
  const side = Math.min(size.width, size.height)
  const [left, top] = [(size.width - side) / 2, (size.height - side) / 2]
  const shapes = times(whole(random, 1, 4), () =>
    shape({ width: side * 0.5, height: side * 0.5 }, random),
  )
  const plate = rect(
    left + side * 0.1,
    top + side * 0.1,
    side * 0.8,
    side * 0.8,
    [`rx="${(side * choose(random, [0, 0.18, 0.4])).toFixed(0)}"`, fill(colour(random))].join(' '),
  )
  const inside = `<g transform="translate(${left + side * 0.25} ${top + side * 0.25})">${shapes}</g>`
  return sheet(size, choose(random, ['white', 'black', pale(random)])) + plate + inside
}

const lineArt: Draw = (size, random) => {
  const { width, height } = size
  const strokes = times(whole(random, 8, 60), () => {
    const point = () => `${(random() * width).toFixed(0)} ${(random() * height).toFixed(0)}`
    return `<path d="M${point()}C${point()} ${point()} ${point()}"/>`
  })
  const ink = `stroke="black" stroke-width="${between(random, 2, 7).toFixed(1)}"`
  return sheet(size, 'white') + `<g fill="none" ${ink}>${strokes}</g>`
}

const face: Draw = (size, random) => {
  const r = Math.min(size.width, size.height) * between(random, 0.25, 0.42)
  const [x, y] = [size.width * between(random, 0.4, 0.6), size.height * between(random, 0.45, 0.6)]
  const eye = r * between(random, 0.06, 0.25)
  const hair = `<ellipse cx="${x}" cy="${y - r * 0.5}" rx="${r * 1.1}" ry="${r * between(random, 0.5, 0.9)}" fill="${colour(random)}"/>`
  const eyes = [-0.4, 0.4].map(
    (at) => `<circle cx="${x + at * r}" cy="${y - r * 0.1}" r="${eye}"/>`,
  )
  const bend = between(random, -0.5, 0.6) * r
  return (
    `${sheet(size, colour(random))}${hair}<circle cx="${x}" cy="${y}" r="${r}" fill="${colour(random)}"/>${eyes.join('')}` +
    `<path d="M${x - r * 0.5} ${y + r * 0.4}q${r * 0.5} ${bend} ${r} 0" fill="none" stroke="black" stroke-width="${r * 0.06}"/>`
  )
}

/** Words on a plain sheet, like posters and text memes. */
const poster: Draw = (size, random) => {
  const { width, height } = size
  const lines = Array.from({ length: whole(random, 1, 5) }, () =>
    phrase(random, 1, 4).toUpperCase(),
  )
  const box = { x: width * 0.08, y: height * 0.2, width: width * 0.84, height: height * 0.6 }
  return (
    sheet(size, colour(random)) + textIn(box, lines, { fill: choose(random, ['white', 'black']) })
  )
}

export const ART = { drawing, icon, 'line art': lineArt, face, poster }
