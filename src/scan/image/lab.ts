import { toSrgb } from './colour-space.ts'

/** Steps of the table that turns light into sRGB values. */
const STEPS = 4096
const SRGB = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  return Math.round(toSrgb(i / STEPS) * 255)
})

/**
 * Writes the sRGB colour of L*a*b* (CIE 15) to three bytes. Lightness is 0 to 100. White stays
 * white, whatever the illuminant.
 */
export function writeLab(lightness: number, a: number, b: number, to: Uint8Array, at: number) {
  const root = (lightness + 16) / 116
  const x = 0.95047 * lightOf(root + a / 500)
  const y = lightOf(root)
  const z = 1.08883 * lightOf(root - b / 200)
  to[at] = valueOf(3.2406 * x - 1.5372 * y - 0.4986 * z)
  to[at + 1] = valueOf(-0.9689 * x + 1.8758 * y + 0.0415 * z)
  to[at + 2] = valueOf(0.0557 * x - 0.204 * y + 1.057 * z)
}

function lightOf(root: number): number {
  return root > 6 / 29 ? root * root * root : (root - 4 / 29) * 3 * (6 / 29) ** 2
}

function valueOf(light: number): number {
  return SRGB[Math.round(Math.min(1, Math.max(0, light)) * STEPS)] ?? 0
}
