import { inverseOf, type Rows, times, transform, transposed, WHITE, type Xyz } from './light.ts'

/** A place in CIE xy. */
export type Chromaticity = readonly [number, number]

/** Places of white, red, green and blue. */
export type Primaries = readonly [Chromaticity, Chromaticity, Chromaticity, Chromaticity]

const D65: Chromaticity = [0.3127, 0.329]
const BT_601: Primaries = [D65, [0.63, 0.34], [0.31, 0.595], [0.155, 0.07]]
export const BT_2020: Primaries = [D65, [0.708, 0.292], [0.17, 0.797], [0.131, 0.046]]
export const SRGB: Primaries = [D65, [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]]

/** Primaries by their code points (ITU-T H.273, table 2). */
export const PRIMARIES: Partial<Record<number, Primaries>> = {
  4: [
    [0.31, 0.316],
    [0.67, 0.33],
    [0.21, 0.71],
    [0.14, 0.08],
  ],
  5: [D65, [0.64, 0.33], [0.29, 0.6], [0.15, 0.06]],
  6: BT_601,
  7: BT_601,
  8: [
    [0.31, 0.316],
    [0.681, 0.319],
    [0.243, 0.692],
    [0.145, 0.049],
  ],
  9: BT_2020,
  11: [
    [0.314, 0.351],
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
  12: [D65, [0.68, 0.32], [0.265, 0.69], [0.15, 0.06]],
  22: [D65, [0.63, 0.34], [0.295, 0.605], [0.155, 0.077]],
}

/** Responses of the eye's three cones (Bradford), by which white is adapted. */
const CONES: Rows = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
]

/**
 * The light of each primary at its full value, adapted to D50 (Bradford). `undefined` if they span
 * no plane.
 */
export function lightsOf([white, red, green, blue]: Primaries): Rows | undefined {
  const lights: Rows = [xyzOf(red), xyzOf(green), xyzOf(blue)]
  const shown = xyzOf(white)
  const toAmounts = inverseOf(transposed(lights))
  const fromCones = inverseOf(CONES)
  if (!toAmounts || !fromCones) return undefined
  const amounts = transform(toAmounts, shown)
  const [from, to] = [transform(CONES, shown), transform(CONES, WHITE)]
  const adapted = (light: Xyz, amount: number): Xyz => {
    const [a, b, c] = transform(CONES, times(light, amount))
    const cones = [(a * to[0]) / from[0], (b * to[1]) / from[1], (c * to[2]) / from[2]]
    return transform(fromCones, cones)
  }
  const all: Rows = [
    adapted(lights[0], amounts[0]),
    adapted(lights[1], amounts[1]),
    adapted(lights[2], amounts[2]),
  ]
  return all.flat().every(Number.isFinite) ? all : undefined
}

/** Light of lightness 1 at a place. */
function xyzOf([x, y]: Chromaticity): Xyz {
  return [x / y, 1, (1 - x - y) / y]
}
