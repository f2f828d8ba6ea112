/** Share of its entries that a segment must keep to stay as it is. */
const MIN_LIVE_SHARE = 0.75

/**
 * Segments smaller than `below` are merged when there are more than `most`. So a bank that grows by a few entries at a time
 * rewrites each only a few times, and has few segments to search: a table costs a needle nearly as much for few hashes as many.
 */
const TIERS = [
  { below: 1 << 16, most: 8 },
  { below: 1 << 19, most: 2 },
]

/**
 * Which segments stay unchanged except for removals, and which are rewritten together with `added` entries: those that
 * lost a quarter of theirs, and the smaller ones when there are too many. Segments without live entries are in neither set.
 */
export function planMerge<S extends MergeableSegment>(
  segments: readonly S[],
  added: number,
): { staying: S[]; rewritten: S[] } {
  const alive = segments.filter(({ live }) => live.length > 0)
  const goes = new Set(alive.filter(({ ref, live }) => live.length < ref.count * MIN_LIVE_SHARE))
  let from = 0
  for (const { below, most } of TIERS) {
    const fresh = added + [...goes].reduce((sum, { live }) => sum + live.length, 0)
    const inTier = alive.filter((segment) => !goes.has(segment) && isWithin(segment, from, below))
    const joining = fresh > 0 && fresh < below ? 1 : 0
    if (inTier.length + joining > most) {
      for (const segment of alive) if (isWithin(segment, 0, below)) goes.add(segment)
    }
    from = below
  }
  return {
    staying: alive.filter((segment) => !goes.has(segment)),
    rewritten: alive.filter((segment) => goes.has(segment)),
  }
}

/** The input of a merge plan: how many entries a segment has, and which of them are still wanted. */
export interface MergeableSegment {
  ref: { count: number }
  live: { length: number }
}

/** Most entries that a Worker rewrites: 65,536 take 1.6 seconds and 90 MB. */
export const MAX_SMALL_MERGE = 1 << 16

/** Segments below that size that a bank may have before some of them are merged. */
const MOST_SMALL = 8

/**
 * As `planMerge`, within what a Worker can hold: the smallest segments are merged when there are too many of them, and never
 * more than MAX_SMALL_MERGE entries. Larger ones stay as they are until the bank is published as a whole.
 */
export function planSmallMerge<S extends MergeableSegment>(
  segments: readonly S[],
  added: number,
): { staying: S[]; rewritten: S[] } {
  const alive = segments.filter(({ live }) => live.length > 0)
  const small = alive
    .filter(({ live }) => live.length < MAX_SMALL_MERGE)
    .toSorted((a, b) => a.live.length - b.live.length)
  const rewritten = new Set<S>()
  if (small.length + (added > 0 ? 1 : 0) > MOST_SMALL) {
    let room = MAX_SMALL_MERGE - added
    for (const segment of small) {
      room -= segment.live.length
      if (room >= 0) rewritten.add(segment)
    }
  }
  // A single segment would only be copied.
  if (rewritten.size === 1 && added === 0) rewritten.clear()
  return {
    staying: alive.filter((segment) => !rewritten.has(segment)),
    rewritten: [...rewritten],
  }
}

function isWithin({ live }: MergeableSegment, from: number, below: number): boolean {
  return live.length >= from && live.length < below
}
