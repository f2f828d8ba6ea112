/** Larger distances are counted here, in bits. */
export const MAX_BITS = 160
/**
 * The fit uses distances whose share of pairs is below the first and whose pair count reaches the
 * second.
 */
const [MOST_SHARE, LEAST_PAIRS] = [1e-4, 3]

/**
 * Number of bootstrap resamples of the uploads for the bound, and the share of resamples below it.
 */
const RESAMPLES = 200
const BOUND = 0.975

// The tail of a distribution of distances, extrapolated below the smallest distance observed.

/**
 * Fits the near end of a distribution. Each distance is weighted by the number of pairs within it,
 * up to 100: more pairs add no certainty, since they come from the same pictures. `undefined` if
 * fewer than three distances are usable.
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

/** Number of pairs at each distance, in bits. */
export type Histogram = Float64Array

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

/** Share of pairs within a distance, from the fit of all pairs. */
export interface Extrapolated {
  tail: Tail
  share: number
  /** Upper bound: 97.5 % of resamples lie below it. */
  upper: number
}

/**
 * Extrapolates the share of pairs within a distance. `undefined` if too few pairs are near.
 * @param histograms one per upload. The pairs of an upload are not independent, so the bound
 *   resamples uploads
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

/**
 * Uploads per million that lie near at least one of `entries` entries, given the share of pairs
 * that do.
 */
export function uploadsOfAMillion(share: number, entries: number): number {
  return 1e6 * -Math.expm1(-share * entries)
}

/**
 * A line through the tail on normal probability paper: `z = at + slope * bits`, where z is the
 * normal quantile of the share of pairs within `bits`.
 */
export interface Tail {
  at: number
  slope: number
}

/** Share of pairs within a distance, from a fitted tail. */
export function shareWithin({ at, slope }: Tail, bits: number): number {
  return normal(at + slope * bits)
}

/**
 * The normal distribution function, for z < 0: Laplace's continued fraction, accurate enough below
 * -3; a series above.
 */
export function normal(z: number): number {
  if (z > -3) return 1 - upper(-z)
  let fraction = -z
  for (let i = 60; i >= 1; i--) fraction = -z + i / fraction
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) / fraction
}

/** 1 - the normal distribution function, for z < 3. */
function upper(z: number): number {
  let [term, sum] = [z, z]
  for (let i = 1; i < 100; i++) {
    term *= (-z * z) / (2 * i)
    sum += term / (2 * i + 1)
  }
  return 0.5 - sum / Math.sqrt(2 * Math.PI)
}

/** The z with a given share below it, by bisection. */
export function quantile(share: number): number {
  let [low, high] = [-20, 3]
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (normal(middle) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}
