import { between, choose } from '../seeded.ts'
import { colour, dark, type Draw, fill, pale, rect, sheet } from './draw.ts'

/** A plate with round corners that nearly fills the picture, empty or with a mark: what icons have in common. */
const plate: Draw = (size, random) => {
  const { width, height } = size
  const inset = between(random, 0.01, 0.12)
  const round = choose(random, [0.1, 0.18, 0.24, 0.32, 0.5])
  const [x, y] = [width * inset, height * inset]
  const [w, h] = [width - 2 * x, height - 2 * y]
  const corners = `rx="${(w * round).toFixed(0)}" ry="${(h * round).toFixed(0)}"`
  const [ground, paint] = choose<[string, string]>(random, [
    ['black', pale(random)],
    ['white', dark(random)],
    ['black', colour(random)],
    ['white', colour(random)],
  ])
  const mark = choose(random, ['', '', choose(random, [pale(random), dark(random)])])
  const [markWidth, markHeight] = [w * between(random, 0.1, 0.5), h * between(random, 0.1, 0.5)]
  const marked =
    mark &&
    rect((width - markWidth) / 2, (height - markHeight) / 2, markWidth, markHeight, fill(mark))
  return sheet(size, ground) + rect(x, y, w, h, `${corners} ${fill(paint)}`) + marked
}

export const PLATES = { plate }
