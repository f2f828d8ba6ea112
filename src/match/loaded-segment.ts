import { type Found, Haystack, SLOTS, SlotSorter } from '../core/haystack.ts'
import type { Hash256 } from '../core/hash.ts'
import type { CoreModules } from '../core/modules.ts'
import { type DigestSet, readDigestSet } from '../list/digest-set.ts'
import type { SegmentRef } from '../list/manifest.ts'
import { partsOf, readPart, readTail } from '../list/pdq-segment.ts'
import { readRemovals, Removals } from '../list/removals.ts'
import { PART_ENTRIES, TAILS } from '../list/sizes.ts'
import type { ListStore } from '../list/store.ts'
import { GROUP_HASHES } from '../core/haystack.ts'

/** A segment in memory: what is searched of it, and which of its entries were removed. */
export type LoadedSegment = LoadedPdqSegment | LoadedExactSegment

export interface LoadedPdqSegment {
  ref: SegmentRef
  removals: Removals
  haystack: Haystack
}

export interface LoadedExactSegment {
  ref: SegmentRef
  removals: Removals
  digestSet: DigestSet
}

/** Memories of haystacks that are not used any more, for others: what is given back to the system comes back late. */
export class HaystackPool {
  readonly #free: Haystack[] = []

  /** Takes a haystack that nobody searches any more. */
  give(haystack: Haystack): void {
    this.#free.push(haystack)
  }

  /** The largest that there is. */
  take(): Haystack | undefined {
    const largest = this.#free.toSorted((a, b) => b.memoryBytes - a.memoryBytes)[0]
    if (largest) this.#free.splice(this.#free.indexOf(largest), 1)
    return largest
  }

  get memoryBytes(): number {
    return this.#free.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  }
}

/**
 * Loads a segment, with its removals.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function loadSegment(
  modules: CoreModules,
  store: ListStore,
  ref: SegmentRef,
  pool: HaystackPool,
): Promise<LoadedSegment> {
  const removals = await loadRemovals(store, ref)
  if (ref.kind === 'exact') return { ref, removals, digestSet: await readDigestSet(store, ref) }
  const haystack = new Haystack(modules.match, ref.count, pool.take())
  for (const part of partsOf(ref)) {
    const { heads, rests } = await readPart(store, ref, part)
    haystack.fill((part * PART_ENTRIES) / GROUP_HASHES, heads, rests)
  }
  return { ref, removals, haystack }
}

async function loadRemovals(store: ListStore, ref: SegmentRef): Promise<Removals> {
  return new Removals(await readRemovals(store, ref), ref.count)
}

/** A loaded segment as a later manifest names it: with other removals, perhaps. */
export async function updateRemovals(
  store: ListStore,
  segment: LoadedSegment,
  ref: SegmentRef,
): Promise<LoadedSegment> {
  if (segment.ref.removed?.name === ref.removed?.name) return { ...segment, ref }
  return { ...segment, ref, removals: await loadRemovals(store, ref) }
}

/** Bytes of memory that a segment takes. */
export function memoryOf(segment: LoadedSegment): number {
  const searched = 'haystack' in segment ? segment.haystack : segment.digestSet
  return searched.memoryBytes + segment.removals.memoryBytes
}

/** What a search of a segment finds, but for entries that were removed. */
export function searchSegment(
  { haystack, removals }: LoadedPdqSegment,
  needles: readonly Hash256[],
  threshold: number,
): Found {
  const found = haystack.search(needles, threshold)
  if (removals.count === 0) return found
  return { ...found, near: found.near.filter(({ position }) => !removals.has(position)) }
}

/**
 * Builds the table of a segment, a slot at a time: `pause` is awaited between slots, and may say that it is to end.
 * Until it is whole, searches scan.
 * @throws {ValueMissingError | ValueDamagedError} nothing has changed then
 */
export async function buildTable(
  modules: CoreModules,
  store: ListStore,
  { ref, haystack }: LoadedPdqSegment,
  pause: () => Promise<'go on' | 'end'>,
): Promise<void> {
  const tails: Uint16Array[] = []
  for (let pair = 0; pair < TAILS; pair++) tails.push(...(await readTail(store, ref, pair)))
  const sorter = new SlotSorter(modules.match, ref.count)
  if ((await pause()) === 'end') return
  haystack.beginTable()
  for (let slot = 0; slot < SLOTS; slot++) {
    if ((await pause()) === 'end') return
    const values = tails[slot - SLOTS / 2] ?? haystack.slotValues(slot)
    haystack.setSlot(slot, sorter.sortSlot(values))
  }
  haystack.endTable()
}
