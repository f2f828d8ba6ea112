// The tail of a distribution of distances, and what lies beyond what was counted.

/** Pairs by their distance in bits: how many have it. */
export type Histogram = Float64Array

/** Larger distances count as this one, in bits. */
export const MAX_BITS = 160
/** Shares of pairs that the fit is made of: rarer than the first, and with at least as many pairs as the second. */
const [MOST_SHARE, LEAST_PAIRS] = [1e-4, 3]

export function histogram(): Histogram {
  return new Float64Array(MAX_BITS + 1)
}

export function sumOf(histograms: readonly Histogram[]): Histogram {
  const all = histogram()
  for (const one of histograms) {
    for (let bits = 0; bits <= MAX_BITS; bits++) all[bits] = (all[bits] ?? 0) + (one[bits] ?? 0)
  }
  return all
}

/** How often uploads are drawn again, for the bound; and the share of draws below it. */
const RESAMPLES = 200
const BOUND = 0.975

/** What lies within a distance, by the fit of all pairs. */
export interface Extrapolated {
  tail: Tail
  share: number
  /** Below this lies the share in 97.5 % of draws of as many uploads. */
  upper: number
}

/**
 * The share of pairs within a distance, extrapolated. `undefined` if too few pairs are near.
 * @param histograms one an upload: its pairs are not independent, so that uploads are drawn again for the bound
 * @param random from 0 to before 1
 */
export function extrapolate(
  histograms: readonly Histogram[],
  bits: number,
  random: () => number,
): Extrapolated | undefined {
  const tail = fitTail(sumOf(histograms))
  if (!tail) return undefined
  const draws = Array.from({ length: RESAMPLES }, () => {
    const drawn = histograms.flatMap(
      () => histograms[Math.floor(random() * histograms.length)] ?? [],
    )
    const fitted = fitTail(sumOf(drawn))
    return fitted ? shareWithin(fitted, bits) : 0
  })
  return {
    tail,
    share: shareWithin(tail, bits),
    upper: draws.toSorted((a, b) => a - b)[Math.floor(RESAMPLES * BOUND)] ?? 0,
  }
}

/** Of a million uploads those that lie near some of so many entries, if a share of pairs does. */
export function uploadsOfAMillion(share: number, entries: number): number {
  return 1e6 * -Math.expm1(-share * entries)
}

/** A line through the tail, on normal paper: `z = at + slope * bits`, where z is the normal quantile of the share that is as near. */
export interface Tail {
  at: number
  slope: number
}

/**
 * Fits the near end of a distribution. Each distance counts with the number of pairs that are as near, up to 100: those beyond add
 * no certainty, since they are of the same pictures. `undefined` if fewer than three distances can be used.
 */
export function fitTail(counts: Histogram): Tail | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const points: [bits: number, z: number, weight: number][] = []
  let near = 0
  for (let bits = 0; bits <= MAX_BITS; bits++) {
    near += counts[bits] ?? 0
    if (near >= LEAST_PAIRS && near / total <= MOST_SHARE) {
      points.push([bits, quantile(near / total), Math.min(100, near)])
    }
  }
  if (points.length < 3) return undefined
  const sum = (of: (point: (typeof points)[number]) => number) =>
    points.reduce((all, point) => all + point[2] * of(point), 0)
  const weight = sum(() => 1)
  const [x, y] = [sum(([bits]) => bits) / weight, sum(([, z]) => z) / weight]
  const slope = sum(([bits, z]) => (bits - x) * (z - y)) / sum(([bits]) => (bits - x) ** 2)
  return { at: y - slope * x, slope }
}

/** Share of pairs within a distance, by a fitted tail. */
export function shareWithin({ at, slope }: Tail, bits: number): number {
  return normal(at + slope * bits)
}

/** The normal distribution below z, for z < 0: the continued fraction of Laplace, exact enough beyond -3, a series before. */
export function normal(z: number): number {
  if (z > -3) return 1 - upper(-z)
  let fraction = -z
  for (let i = 60; i >= 1; i--) fraction = -z + i / fraction
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) / fraction
}

/** 1 - the normal distribution, for z < 3. */
function upper(z: number): number {
  let [term, sum] = [z, z]
  for (let i = 1; i < 100; i++) {
    term *= (-z * z) / (2 * i)
    sum += term / (2 * i + 1)
  }
  return 0.5 - sum / Math.sqrt(2 * Math.PI)
}

/** The z below which a share lies, by halving. */
export function quantile(share: number): number {
  let [low, high] = [-20, 3]
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (normal(middle) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}
