import { type Edit, open, type Pixels, settle } from '../pixels.ts'
import { choose, type Random } from '../seeded.ts'

/** Shares of the width or height that are cut off. */
interface Cuts {
  left: number
  top: number
  right: number
  bottom: number
}

function cut(cutsOf: (random: Random, pixels: Pixels) => Cuts): Edit {
  return (pixels, random) => {
    const cuts = cutsOf(random, pixels)
    const left = Math.round(pixels.width * cuts.left)
    const top = Math.round(pixels.height * cuts.top)
    const width = pixels.width - left - Math.round(pixels.width * cuts.right)
    const height = pixels.height - top - Math.round(pixels.height * cuts.bottom)
    return settle(open(pixels).extract({ left, top, width, height }))
  }
}

/** Cuts a share off the width and the height, half of it on each side. */
export function cropCentred(share: number): Edit {
  const half = share / 2
  return cut(() => ({ left: half, top: half, right: half, bottom: half }))
}

/**
 * Cuts a share off the width and the height, entirely on the sides away from one of 8 directions.
 * Towards the middle of a side, the other dimension is cropped evenly.
 */
export function cropToDirection(share: number): Edit {
  return cut((random) => {
    const [x, y] = choose(random, DIRECTIONS)
    return {
      left: (share * (1 + x)) / 2,
      right: (share * (1 - x)) / 2,
      top: (share * (1 + y)) / 2,
      bottom: (share * (1 - y)) / 2,
    }
  })
}

const DIRECTIONS: [[number, number], ...[number, number][]] = [
  [-1, -1],
  [0, -1],
  [1, -1],
  [-1, 0],
  [1, 0],
  [-1, 1],
  [0, 1],
  [1, 1],
]

/** Cuts a share off the width and the height, split randomly between opposite sides. */
export function cropUnevenly(share: number): Edit {
  return cut((random) => {
    const [left, top] = [random() * share, random() * share]
    return { left, top, right: share - left, bottom: share - top }
  })
}

/** Cuts a share off one side only: a strip with a logo, a caption. */
export function cropOneSide(share: number): Edit {
  return cut((random) => {
    const side = choose(random, ['left', 'top', 'right', 'bottom'])
    return { left: 0, top: 0, right: 0, bottom: 0, [side]: share }
  })
}

/** Crops the middle to an aspect ratio, width over height. */
export function cropToAspect(aspect: number): Edit {
  return cut((_, { width, height }) => {
    const across = Math.max(0, 1 - (height * aspect) / width) / 2
    const down = Math.max(0, 1 - width / aspect / height) / 2
    return { left: across, right: across, top: down, bottom: down }
  })
}
