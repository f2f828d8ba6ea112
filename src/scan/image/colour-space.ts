// How stored values become light, whatever a file says it by: a profile, a gamma, or a number.

/** A space of one channel, grey, or of three, red, green and blue. */
export interface ColourSpace {
  /** For each channel, what a stored value is on the side of the grid, 0 to 1. */
  shapers: readonly Transfer[]
  /** Nodes of the grid along each channel, 2 or more. Between nodes, light is interpolated. */
  sides: readonly number[]
  /** The light at a node, given by its place along each side, 0 to 1. */
  light: (places: readonly number[]) => Xyz
}

/** Maps a value, 0 to 1, to another of that range. */
export type Transfer = (value: number) => number

/** Light in CIE XYZ, as a share of the light of D50 white. */
export type Xyz = readonly [number, number, number]

/** D50, the white of profiles. */
export const WHITE: Xyz = [0.9642, 1, 0.8249]

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

function fromSrgb(value: number): number {
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

/** What is no number counts as 0. */
export function clamp(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

/** A place in CIE xy. */
export type Chromaticity = readonly [number, number]

/** Places of white, red, green and blue. */
export type Primaries = readonly [Chromaticity, Chromaticity, Chromaticity, Chromaticity]

const D65: Chromaticity = [0.3127, 0.329]
/** Responses of the eye's three cones (Bradford), by which white is adapted. */
const CONES: readonly Xyz[] = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
]

/** A space with one curve, and the places of its primaries. `undefined` if they span no plane. */
function primarySpace(curve: Transfer, [white, ...primaries]: Primaries): ColourSpace | undefined {
  const columns = primaries.map(xyzOf)
  const shown = xyzOf(white)
  const amounts = solve(transposed(columns), shown)
  const [from, to] = [coneResponses(shown), coneResponses(WHITE)]
  const lights = columns.map((column, i) => {
    const light = column.map((value) => value * (amounts?.[i] ?? 0))
    const cones = coneResponses(light).map((cone, k) => (cone * (to[k] ?? 0)) / (from[k] ?? 1))
    return solve(CONES, cones)
  })
  const [red, green, blue] = lights
  if (!amounts || !red || !green || !blue) return undefined
  return matrixSpace([curve, curve, curve], [red, green, blue])
}

function coneResponses(light: readonly number[]): number[] {
  return CONES.map((row) => dot(row, light))
}

/** Light of lightness 1 at a place. */
function xyzOf([x, y]: Chromaticity): Xyz {
  return [x / y, 1, (1 - x - y) / y]
}

function transposed(rows: readonly Xyz[]): Xyz[] {
  const [a, b, c] = rows
  return [0, 1, 2].map((i): Xyz => [a?.[i] ?? 0, b?.[i] ?? 0, c?.[i] ?? 0])
}

/** Solves three equations, by Cramer's rule. */
function solve(rows: readonly Xyz[], sums: readonly number[]): Xyz | undefined {
  const whole = determinant(rows)
  const [x = 0, y = 0, z = 0] = [0, 1, 2].map((column) => {
    const replaced = rows.map((row, i) =>
      row.map((value, k) => (k === column ? (sums[i] ?? 0) : value)),
    )
    return determinant(replaced) / whole
  })
  return [x, y, z].every(Number.isFinite) ? [x, y, z] : undefined
}

function determinant(rows: readonly (readonly number[])[]): number {
  const [[a = 0, b = 0, c = 0] = [], [d = 0, e = 0, f = 0] = [], [g = 0, h = 0, i = 0] = []] = rows
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}

const BT_601: Primaries = [D65, [0.63, 0.34], [0.31, 0.595], [0.155, 0.07]]
const SRGB: Primaries = [D65, [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]]

/** Primaries by their code points (ITU-T H.273, table 2). */
const PRIMARIES: Partial<Record<number, Primaries>> = {
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
  9: [D65, [0.708, 0.292], [0.17, 0.797], [0.131, 0.046]],
  11: [
    [0.314, 0.351],
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
  12: [D65, [0.68, 0.32], [0.265, 0.69], [0.15, 0.06]],
  22: [D65, [0.63, 0.34], [0.295, 0.605], [0.155, 0.077]],
}

/** Light of white where highlights may be brighter (ITU-R BT.2408): nits. */
const HDR_WHITE = 203

/** Curves by their code points (ITU-T H.273, table 3). Those of television are taken for sRGB's. */
const TRANSFERS: Partial<Record<number, Transfer>> = {
  4: (value) => value ** 2.2,
  5: (value) => value ** 2.8,
  8: (value) => value,
  9: (value) => 10 ** (2 * (value - 1)),
  10: (value) => 10 ** (2.5 * (value - 1)),
  16: (value) => (10_000 * fromPq(value)) / HDR_WHITE,
  17: (value) => (52.37 / 48) * value ** 2.6,
  18: (value) => (fromHlg(value) / fromHlg(0.75)) ** 1.2,
}

/** A space by its code points; `undefined` if it is nearly sRGB. */
export function codePointSpace(primaries: number, transfer: number): ColourSpace | undefined {
  return primarySpace(TRANSFERS[transfer] ?? fromSrgb, PRIMARIES[primaries] ?? SRGB)
}

/** The space of a PNG with these gamma and primaries. A gamma of 0 means that the file has none. */
export function gammaSpace(gamma: number, places?: readonly number[]): ColourSpace | undefined {
  const [wx = 0, wy = 0, rx = 0, ry = 0, gx = 0, gy = 0, bx = 0, by = 0] = places ?? []
  const primaries: Primaries = places
    ? [
        [wx, wy],
        [rx, ry],
        [gx, gy],
        [bx, by],
      ]
    : SRGB
  const curve = gamma > 0 ? (value: number) => value ** (1 / gamma) : fromSrgb
  return primarySpace(curve, primaries) ?? primarySpace(curve, SRGB)
}

/** SMPTE ST 2084: a share of 10,000 nits. */
function fromPq(value: number): number {
  const power = value ** (1 / 78.84375)
  return (Math.max(0, power - 0.8359375) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
}

/** ITU-R BT.2100: light of the scene. */
function fromHlg(value: number): number {
  return value <= 0.5
    ? (value * value) / 3
    : (Math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
}
