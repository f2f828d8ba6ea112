import { type Edit, open, type Pixels, resizeTo, settle } from '../pixels.ts'
import { choose } from '../seeded.ts'

export function resize(factor: number): Edit {
  return (pixels) => resizeTo(pixels, pixels.width * factor, pixels.height * factor)
}

/** Resizes the longer side to this many pixels. */
export function longestSide(side: number): Edit {
  return (pixels, random) => resize(side / Math.max(pixels.width, pixels.height))(pixels, random)
}

/** Changes the proportions; the side that is not stretched keeps its length. */
export function stretch(across: number, down: number): Edit {
  return (pixels) => resizeTo(pixels, pixels.width * across, pixels.height * down)
}

/** Stretches to an aspect ratio, width by height. */
export function stretchTo(aspect: number): Edit {
  return (pixels) => resizeTo(pixels, pixels.height * aspect, pixels.height)
}

export const mirror: Edit = (pixels) => settle(open(pixels).flop())
export const flip: Edit = (pixels) => settle(open(pixels).flip())

/** Turns clockwise. */
export function quarterTurns(count: 1 | 2 | 3): Edit {
  return (pixels) => settle(open(pixels).rotate(count * 90))
}

/**
 * Turns clockwise or anticlockwise (the seed chooses), with the sheet enlarged and its corners
 * filled.
 */
export function turn(degrees: number, corners: string): Edit {
  return (pixels, random) =>
    settle(open(pixels).rotate(choose(random, [degrees, -degrees]), { background: corners }))
}

/**
 * Turns, then crops to the largest rectangle of the same proportions without an empty corner, as
 * phones' editors do.
 */
export function turnAndCrop(degrees: number): Edit {
  return async (pixels, random) => {
    const { width, height } = pixels
    const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)]
    const scale = Math.min(
      width / (width * cos + height * sin),
      height / (width * sin + height * cos),
    )
    const turned = await turn(degrees, 'black')(pixels, random)
    // One pixel less on each side: those along the corners' edge are blended with them.
    return centre(turned, Math.floor(width * scale) - 2, Math.floor(height * scale) - 2)
  }
}

function centre(pixels: Pixels, width: number, height: number): Promise<Pixels> {
  const left = Math.round((pixels.width - width) / 2)
  const top = Math.round((pixels.height - height) / 2)
  return settle(open(pixels).extract({ left, top, width, height }))
}
