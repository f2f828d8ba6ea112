// Pictures with highlights brighter than white, on a screen that has none.

import type { ColourSpace, Transfer } from './colour-space.ts'
import { clamp, inverseOf, times, transform, transposed, type Xyz } from './light.ts'
import { BT_2020, lightsOf, type Primaries } from './primaries.ts'

/** Light of white (ITU-R BT.2408): nits. */
const WHITE_NITS = 203
/** The brightest light of a picture that does not say it: nits. */
export const DEFAULT_PEAK = 1000
/** The whole range of PQ: nits. */
const PQ_NITS = 10_000
/** Nodes along each side. It bends more than other spaces. */
const SIDE = 33

/**
 * A space of PQ or HLG, as Chromium shows it: by the reference white tone mapping of SMPTE ST
 * 2094-50. It scales a colour by its largest channel in the primaries of ITU-R BT.2020. `undefined`
 * if the primaries span no plane.
 *
 * @example
 *   brightSpace('pq', BT_2020, 1000)?.light([0.5, 0.5, 0.5]) // grey at half of the places
 */
export function brightSpace(
  transfer: 'pq' | 'hlg',
  places: Primaries,
  peak: number, // nits
): ColourSpace | undefined {
  const [lights, wide] = [lightsOf(places), lightsOf(BT_2020)]
  const toWide = wide && inverseOf(transposed(wide))
  if (!lights || !toWide) return undefined
  const toLight = transposed(lights)
  const toneMap = peak > WHITE_NITS ? toneMapFor(peak / WHITE_NITS) : (value: number) => value
  const light = (values: readonly number[]): Xyz => {
    const scene = transform(toLight, values.map(transfer === 'pq' ? fromPq : fromHlg))
    // HLG stores light of the scene, which its system gamma turns into that of a screen.
    const nits = transfer === 'pq' ? PQ_NITS : DEFAULT_PEAK * Math.max(0, scene[1]) ** 0.2
    const shown = times(scene, nits / WHITE_NITS)
    const largest = Math.max(0, ...transform(toWide, shown))
    return times(shown, largest > 0 ? toneMap(largest) / largest : 0)
  }
  const isRough = transfer === 'pq'
  return { shapers: [clamp, clamp, clamp], sides: [SIDE, SIDE, SIDE], light, isRough }
}

/**
 * The tone map of a picture whose brightest light is `peak` times white: linear up to white, then a
 * quadratic Bézier curve to 1.
 */
function toneMapFor(peak: number): Transfer {
  const white = 1 - 0.5 * Math.min(1, Math.log(peak) / Math.log(DEFAULT_PEAK / WHITE_NITS))
  const [x, y] = [0.35 + 0.65 / white, 0.35 * white + 0.65] // its middle point
  return (light) => {
    if (light <= 1) return light * white
    if (light >= peak) return 1
    // Where the curve has this light: the root of a t² + 2 b t + c.
    const [a, b, c] = [1 - 2 * x + peak, x - 1, 1 - light]
    const t = -c / (b + Math.sqrt(Math.max(0, b * b - a * c)))
    return white * (1 - t) ** 2 + 2 * y * t * (1 - t) + t * t
  }
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
