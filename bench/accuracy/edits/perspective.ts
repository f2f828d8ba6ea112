import type { Edit, Pixels } from '../pixels.ts'
import { choose, type Random } from '../seeded.ts'

/** How far a camera is from a screen, in widths of the screen's longer side. */
const AWAY = 1.3
/** The camera is rolled by up to this share of its angle. */
const ROLL = 0.3

/**
 * A screen photographed at an angle of so many degrees, from one of eight directions, with the
 * camera rolled a little. The screen fills the shot: it shows the largest frame of the picture's
 * proportions, around the middle, without the screen's border.
 */
export function photographed(degrees: number): Edit {
  return async (pixels, random) => {
    const ray = rayOf(degrees, random)
    let scale = 1
    while (scale > 0.5 && !isFilled(pixels, ray, scale)) scale -= 0.005
    return sampled(pixels, ray, scale)
  }
}

/** Where a ray through a point of the shot meets the screen; both in pixels from the middle. */
type Ray = (x: number, y: number, unit: number) => { x: number; y: number }

function rayOf(degrees: number, random: Random): Ray {
  const angle = (degrees * Math.PI) / 180
  const towards = (choose(random, [0, 1, 2, 3, 4, 5, 6, 7]) * Math.PI) / 4
  const roll = (random() * 2 - 1) * ROLL * angle
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)]
  const [slopeX, slopeY] = [
    Math.tan(angle) * Math.cos(towards),
    Math.tan(angle) * Math.sin(towards),
  ]
  return (x, y, unit) => {
    // The shot's plane is perpendicular to the ray through the middle; the screen leans away from
    // it by the slopes.
    const [turnedX, turnedY] = [x * cos - y * sin, x * sin + y * cos]
    const far = AWAY * unit
    const reach = far / (far - turnedX * slopeX - turnedY * slopeY)
    return along(turnedX * reach, turnedY * reach, slopeX, slopeY)
  }
}

/** Lengths on the screen for lengths in the shot: the screen's own axes lean. */
function along(x: number, y: number, slopeX: number, slopeY: number): { x: number; y: number } {
  return { x: x * Math.hypot(1, slopeX), y: y * Math.hypot(1, slopeY) }
}

function isFilled({ width, height }: Pixels, ray: Ray, scale: number): boolean {
  const unit = Math.max(width, height)
  return [-1, 1].every((right) =>
    [-1, 1].every((down) => {
      const { x, y } = ray((right * width * scale) / 2, (down * height * scale) / 2, unit)
      return Math.abs(x) <= width / 2 && Math.abs(y) <= height / 2
    }),
  )
}

function sampled(pixels: Pixels, ray: Ray, scale: number): Pixels {
  const { width, height } = pixels
  const unit = Math.max(width, height)
  const data = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const at = ray((col + 0.5 - width / 2) * scale, (row + 0.5 - height / 2) * scale, unit)
      mix(pixels, at.x + width / 2 - 0.5, at.y + height / 2 - 0.5, data, (row * width + col) * 3)
    }
  }
  return { data, width, height }
}

/** Writes the interpolated colour of a point between four pixels. */
function mix(pixels: Pixels, atX: number, atY: number, to: Uint8Array, index: number): void {
  const { data, width, height } = pixels
  const x = Math.min(Math.max(atX, 0), width - 1.001)
  const y = Math.min(Math.max(atY, 0), height - 1.001)
  const [left, top] = [Math.floor(x), Math.floor(y)]
  const first = (top * width + left) * 3
  for (let channel = 0; channel < 3; channel++) {
    const at = (offset: number) => data[first + channel + offset] ?? 0
    const above = at(0) + (at(3) - at(0)) * (x - left)
    const below = at(width * 3) + (at(width * 3 + 3) - at(width * 3)) * (x - left)
    to[index + channel] = above + (below - above) * (y - top) + 0.5
  }
}
