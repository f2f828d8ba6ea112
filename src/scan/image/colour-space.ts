// How stored values become light, whatever a file says it by: a profile, a gamma, or a number.

import { clamp, dot, type Xyz } from './light.ts'

/** A space of one channel, grey, or of three, red, green and blue. */
export interface ColourSpace {
  /** For each channel, what a stored value is on the side of the grid, 0 to 1. */
  shapers: readonly Transfer[]
  /** Nodes of the grid along each channel, 2 or more. Between nodes, light is interpolated. */
  sides: readonly number[]
  /** The light at a node, given by its place along each side, 0 to 1. */
  light: (places: readonly number[]) => Xyz
  /** Whether it bends so much that some pictures are shown otherwise than interpolated. */
  isRough?: boolean
}

/** Maps a value, 0 to 1, to another of that range. */
export type Transfer = (value: number) => number

/** Nodes along each side if light follows from a formula that bends little. */
export const SMOOTH_SIDE = 17

/** From XYZ to linear sRGB, whose white is adapted to D50 (Bradford). */
const TO_SRGB = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const

/** The sRGB value for an amount of light (IEC 61966-2-1). */
export function toSrgb(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055
}

export function fromSrgb(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** Luma, 0 to 255, that a screen shows for an amount of light. */
export function shownLuma(light: Xyz): number {
  const [red = 0, green = 0, blue = 0] = TO_SRGB.map((row) => toSrgb(clamp(dot(row, light))))
  return 255 * (0.299 * red + 0.587 * green + 0.114 * blue)
}

/** A space with a curve for each channel, and the light of each channel at its full value. */
export function matrixSpace(curves: readonly Transfer[], lights: readonly Xyz[]): ColourSpace {
  const columns = [0, 1, 2].map((i) => lights.map((light) => light[i] ?? 0))
  return {
    shapers: curves.map((curve) => (value) => toSrgb(clamp(curve(value)))),
    sides: curves.map(() => SMOOTH_SIDE),
    light: (places) => {
      const light = places.map(fromSrgb)
      const [x = 0, y = 0, z = 0] = columns.map((column) => dot(column, light))
      return [x, y, z]
    },
  }
}
