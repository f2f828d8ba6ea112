// Lists in memory as an isolate has them: loaded from a store that contains only what is searched.

import type { Hash256 } from '../../src/util/hash.ts'
import type { Haystack } from '../../src/core/haystack.ts'
import type { CoreModules } from '../../src/core/modules.ts'
import type { Entry } from '../../src/list/entry.ts'
import type { SegmentRef } from '../../src/list/manifest.ts'
import { packParts, packTails } from '../../src/list/pdq-segment.ts'
import { MAX_SEGMENT_ENTRIES } from '../../src/list/sizes.ts'
import { MemoryStore } from '../../src/list/store.ts'
import { ConcurrencyLimit } from '../../src/match/limit.ts'
import {
  buildTable,
  HaystackPool,
  type LoadedPdqSegment,
  loadSegment,
} from '../../src/match/loaded-segment.ts'

/** A bank's default threshold. */
export const THRESHOLD = 31

/** Start and length of each segment for `total` entries. */
export function* segmentRanges(total: number) {
  for (let first = 0; first < total; first += MAX_SEGMENT_ENTRIES) {
    yield { first, count: Math.min(MAX_SEGMENT_ENTRIES, total - first), total }
  }
}

/** Stored segments. */
export interface StoredSegments {
  store: MemoryStore
  refs: SegmentRef[]
}

/** Stores hashes as segments, without what only a verifier reads. */
export function storeSegments(hashes: readonly Hash256[]): StoredSegments {
  const store = new MemoryStore()
  const refs: SegmentRef[] = []
  for (const { first, count } of segmentRanges(hashes.length)) {
    const name = `${refs.length}`
    const entries = hashes.slice(first, first + count).map(entryOf('pdq'))
    packParts(entries).forEach((part, i) => store.values.set(`segment/${name}/${i}`, part))
    packTails(entries).forEach((tail, i) => store.values.set(`tail/${name}/${i}`, tail))
    refs.push({ kind: 'pdq', name, count })
  }
  return { store, refs }
}

/** A hash as an entry without metadata. */
export function entryOf(kind: Entry['kind']): (hash: Uint8Array) => Entry {
  return (hash) => ({ kind, hash, id: '', labels: {} })
}

/** Loads segments as a Worker does. */
export async function loadSegments(
  modules: CoreModules,
  { store, refs }: StoredSegments,
): Promise<LoadedPdqSegment[]> {
  const loaded: LoadedPdqSegment[] = []
  for (const ref of refs) {
    const segment = await loadSegment(
      modules,
      store,
      ref,
      new HaystackPool(),
      new ConcurrencyLimit(1),
    )
    if ('haystack' in segment) loaded.push(segment)
  }
  return loaded
}

/**
 * Builds the tables of segments. Returns the milliseconds that took: in all, and for the longest
 * slice.
 */
export async function buildTables(
  modules: CoreModules,
  { store }: StoredSegments,
  segments: readonly LoadedPdqSegment[],
): Promise<{ total: number; longest: number }> {
  const begin = performance.now()
  let longest = 0
  for (const segment of segments) {
    let last: number | undefined
    const note = () => {
      const now = performance.now()
      if (last !== undefined) longest = Math.max(longest, now - last)
      last = now
    }
    await buildTable(modules, store, segment, async () => {
      note()
      return 'go on'
    })
    note()
  }
  return { total: performance.now() - begin, longest }
}

/** Result of searching all segments: how many hashes were found, and whether that is complete. */
export interface Searched {
  count: number
  isComplete: boolean
}

/** Searches all segments of a list. */
export function searchAll(haystacks: readonly Haystack[], needles: readonly Hash256[]): Searched {
  const sought = needles.map((hash) => ({ hash, threshold: THRESHOLD }))
  let count = 0
  let isComplete = true
  for (const haystack of haystacks) {
    const found = haystack.search(sought)
    count += found.near.length
    isComplete &&= found.isComplete
  }
  return { count, isComplete }
}
