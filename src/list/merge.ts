/** What a merge is planned by: how many entries a segment has, and which of them are still wanted. */
export interface MergeableSegment {
  ref: { count: number }
  live: { length: number }
}

/** Share of its entries that a segment must keep to stay as it is. */
const MIN_LIVE_SHARE = 0.75

/**
 * Segments smaller than `below` are merged when they are more than `most`. So a bank that grows by a few entries at a time
 * rewrites each a few times at most, and has few segments to search: a table costs a needle nearly as much for few hashes as for many.
 */
const TIERS = [
  { below: 1 << 16, most: 8 },
  { below: 1 << 19, most: 2 },
]

/**
 * Which segments stay as they are, but for removals, and which are written anew together with `added` entries: those that
 * lost a quarter of theirs, and the smaller ones when they are too many. Those without any live entry are in neither.
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

function isWithin({ live }: MergeableSegment, from: number, below: number): boolean {
  return live.length >= from && live.length < below
}
