import { type ColourSpace, fromSrgb, matrixSpace, type Transfer } from './colour-space.ts'
import { brightSpace, DEFAULT_PEAK } from './highlights.ts'
import { lightsOf, type Primaries, PRIMARIES, SRGB } from './primaries.ts'

/** Curves by their code points (ITU-T H.273, table 3). Those of television are taken for sRGB's. */
const TRANSFERS: Partial<Record<number, Transfer>> = {
  4: (value) => value ** 2.2,
  5: (value) => value ** 2.8,
  8: (value) => value,
  9: (value) => 10 ** (2 * (value - 1)),
  10: (value) => 10 ** (2.5 * (value - 1)),
  17: (value) => (52.37 / 48) * value ** 2.6,
}
const PQ = 16
const HLG = 18

/**
 * The space of code points (ITU-T H.273). `peak` is the brightest light that PQ and HLG may have,
 * in nits.
 */
export function codePointSpace(
  primaries: number,
  transfer: number,
  peak = DEFAULT_PEAK,
): ColourSpace | undefined {
  const places = PRIMARIES[primaries] ?? SRGB
  if (transfer === PQ || transfer === HLG)
    return brightSpace(transfer === PQ ? 'pq' : 'hlg', places, peak)
  return primarySpace(TRANSFERS[transfer] ?? fromSrgb, places)
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

/** A space with one curve, and the places of its primaries. `undefined` if they span no plane. */
function primarySpace(curve: Transfer, places: Primaries): ColourSpace | undefined {
  const lights = lightsOf(places)
  return lights && matrixSpace([curve, curve, curve], lights)
}
