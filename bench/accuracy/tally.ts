import type { SetName } from './needles.ts'

/**
 * How often each distance, 0 to 256, occurred. A needle's distance is reduced by what its threshold
 * exceeds the default by.
 */
export type Histogram = number[]

/** Counts that can be added up in any order. */
export interface Tally {
  /**
   * Distances of uploads to their own picture's entry, by transform and set; 256 if there was no
   * needle.
   */
  own: Record<string, Record<SetName, Histogram>>
  /** The same for pictures with a quality under 80. */
  ownUnclear: Record<string, Record<SetName, Histogram>>
  /** Uploads compared with entries of other pictures, by source. */
  others: Record<string, Others>
  probes: Record<string, ProbeTally>
}

export interface Others {
  uploads: number
  /** Uploads with any needle, by set. */
  asked: Record<SetName, number>
  /** Distances of an upload's nearest needle to an entry. */
  pairs: Record<SetName, Histogram>
}

export interface ProbeTally {
  /** Distances of needles to entries of other pictures: from photographs, and from distractors. */
  photographs: Histogram
  distractors: Histogram
  /** Uploads that it finds, and those that nothing else finds. */
  found: number
  alone: number
}

export function emptyTally(): Tally {
  return { own: {}, ownUnclear: {}, others: {}, probes: {} }
}

export function emptyHistogram(): Histogram {
  return Array.from({ length: 257 }, () => 0)
}

export function forSets<T>(make: () => T): Record<SetName, T> {
  return { plain: make(), default: make(), wide: make() }
}

type Counts = number | { [key: string]: Counts } | Counts[]

/** Adds the counts of a part. */
export function addTally(total: Tally, part: Tally): void {
  add(total as unknown as Record<string, Counts>, part as unknown as Record<string, Counts>)
}

function add(total: Record<string, Counts>, part: Record<string, Counts>): void {
  for (const [key, value] of Object.entries(part)) {
    const known = total[key]
    if (typeof value === 'number') total[key] = (typeof known === 'number' ? known : 0) + value
    else if (known === undefined) total[key] = value
    else add(known as Record<string, Counts>, value as Record<string, Counts>)
  }
}

/** How many distances are at most `distance`. */
export function within(histogram: Histogram, distance: number): number {
  return histogram.slice(0, distance + 1).reduce((sum, count) => sum + count, 0)
}

export function countOf(histogram: Histogram): number {
  return histogram.reduce((sum, count) => sum + count, 0)
}

/** The smallest distance; `undefined` if there is none. */
export function nearest(histogram: Histogram): number | undefined {
  const found = histogram.findIndex((count) => count > 0)
  return found < 0 ? undefined : found
}

/** Mean of distances below 256, which stands for no needle; `undefined` if there is none. */
export function meanOf(histogram: Histogram): number | undefined {
  const asked = histogram.slice(0, 256)
  const count = countOf(asked)
  return count === 0 ? undefined : asked.reduce((sum, n, distance) => sum + n * distance, 0) / count
}

/** Adds histograms up. */
export function sumOf(histograms: readonly Histogram[]): Histogram {
  return emptyHistogram().map((_, i) => histograms.reduce((sum, one) => sum + (one[i] ?? 0), 0))
}
