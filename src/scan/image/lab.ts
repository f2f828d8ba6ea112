import { toSrgb } from './colour-space.ts'
import type { Xyz } from './light.ts'

/** Steps of the table that turns light into sRGB values. */
const STEPS = 4096
const SRGB = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  return Math.round(toSrgb(i / STEPS) * 255)
})

/** The white that sRGB shows: D65. */
const D65: Xyz = [0.95047, 1, 1.08883]

/**
 * Writes the sRGB colour of L*a*b* to three bytes. White stays white, whatever the illuminant.
 */
export function writeLab(lightness: number, a: number, b: number, to: Uint8Array, at: number) {
  const [x, y, z] = lightOfLab(D65, lightness, a, b)
  to[at] = valueOf(3.2406 * x - 1.5372 * y - 0.4986 * z)
  to[at + 1] = valueOf(-0.9689 * x + 1.8758 * y + 0.0415 * z)
  to[at + 2] = valueOf(0.0557 * x - 0.204 * y + 1.057 * z)
}

/** The light of L*a*b* (CIE 15) for a white. Lightness is 0 to 100. */
export function lightOfLab(white: Xyz, lightness: number, a: number, b: number): Xyz {
  const root = (lightness + 16) / 116
  return [
    white[0] * cubed(root + a / 500),
    white[1] * cubed(root),
    white[2] * cubed(root - b / 200),
  ]
}

function cubed(root: number): number {
  return root > 6 / 29 ? root * root * root : (root - 4 / 29) * 3 * (6 / 29) ** 2
}

function valueOf(light: number): number {
  return SRGB[Math.round(Math.min(1, Math.max(0, light)) * STEPS)] ?? 0
}
