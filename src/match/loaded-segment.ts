import {
  FIRST_SLOTS,
  type SearchResult,
  GROUP_HASHES,
  Haystack,
  SLOTS,
  SlotSorter,
  type Sought,
} from '../core/haystack.ts'
import { HALF_BYTES } from '../util/hash.ts'
import type { CoreModules } from '../core/modules.ts'
import { type DigestSet, readDigestSet } from '../list/digest-set.ts'
import type { SegmentRef } from '../list/manifest.ts'
import { partsOf, readPart, readTail } from '../list/pdq-segment.ts'
import { readRemovals, Removals } from '../list/removals.ts'
import { PART_ENTRIES } from '../list/sizes.ts'
import type { Bytes, StoreReader } from '../list/store.ts'
import type { ConcurrencyLimit } from './limit.ts'

/** A segment in memory: its searchable data, and which of its entries were removed. */
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

/** Largest size of a reused memory, as a multiple of what the hashes need. */
const MAX_EXCESS = 1.25
/** Bytes of a haystack besides its hashes, rounded up to pages. */
const OWN_BYTES = 3 * 65_536

function bytesFor(count: number): number {
  return count * HALF_BYTES + OWN_BYTES
}

/** Memories of discarded haystacks, for reuse: freed memory is reclaimed late. */
export class HaystackPool {
  readonly #free = new Set<Haystack>()

  /** Takes a discarded haystack, unless it has a table: new ones begin without. */
  give(haystack: Haystack): void {
    if (haystack.memoryBytes <= bytesFor(haystack.count) * MAX_EXCESS) this.#free.add(haystack)
  }

  /** The smallest with room for `count` hashes, or else the largest. */
  take(count: number): Haystack | undefined {
    const bySize = [...this.#free].toSorted((a, b) => a.memoryBytes - b.memoryBytes)
    const taken = bySize.find(({ memoryBytes }) => memoryBytes >= bytesFor(count)) ?? bySize.at(-1)
    if (taken) this.#free.delete(taken)
    return taken
  }
}

/**
 * Loads a segment, with its removals; `reads` bounds how much is read at once.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function loadSegment(
  modules: CoreModules,
  store: StoreReader,
  ref: SegmentRef,
  pool: HaystackPool,
  reads: ConcurrencyLimit,
): Promise<LoadedSegment> {
  const removals = await reads.run(() => loadRemovals(store, ref))
  if (ref.kind === 'exact') {
    return { ref, removals, digestSet: await reads.run(() => readDigestSet(store, ref)) }
  }
  const haystack = new Haystack(modules.match, ref.count, pool.take(ref.count))
  const loads = partsOf(ref).map((part) =>
    reads.run(async () => {
      const { heads, rests } = await readPart(store, ref, part)
      haystack.fill((part * PART_ENTRIES) / GROUP_HASHES, heads, rests)
    }),
  )
  const failed = (await Promise.allSettled(loads)).find(({ status }) => status === 'rejected')
  if (failed?.status !== 'rejected') return { ref, removals, haystack }
  pool.give(haystack)
  throw failed.reason
}

async function loadRemovals(store: StoreReader, ref: SegmentRef): Promise<Removals> {
  return new Removals(await readRemovals(store, ref), ref.count)
}

/** A loaded segment as a later manifest names it, perhaps with other removals. */
export async function updateRemovals(
  store: StoreReader,
  segment: LoadedSegment,
  ref: SegmentRef,
): Promise<LoadedSegment> {
  if (segment.ref.removed?.name === ref.removed?.name) return { ...segment, ref }
  return { ...segment, ref, removals: await loadRemovals(store, ref) }
}

/** Bytes of memory that segments take. Banks with the same content share what is searched. */
export function memoryOf(segments: readonly LoadedSegment[]): number {
  const held = new Set<{ memoryBytes: number }>()
  for (const segment of segments) {
    held.add(segment.removals)
    held.add('haystack' in segment ? segment.haystack : segment.digestSet)
  }
  return [...held].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
}

/** Milliseconds that a needle takes in a million hashes, with a table and by scanning. */
const TABLE_MS = 0.1
const SCAN_MS = 1

/** About how many milliseconds a needle takes in a segment. */
export function needleMs({ haystack }: LoadedPdqSegment): number {
  return 0.002 + (haystack.count / 1e6) * (haystack.hasTable ? TABLE_MS : SCAN_MS)
}

/** What a search of a segment finds, without removed entries. */
export function searchSegment(
  { haystack, removals }: LoadedPdqSegment,
  needles: readonly Sought[],
): SearchResult {
  const found = haystack.search(needles)
  if (removals.count === 0) return found
  return { ...found, near: found.near.filter(({ position }) => !removals.has(position)) }
}

/**
 * Builds the table of a segment in slices of a few milliseconds: `pause` is awaited between them, and may end the
 * build. Until the table is complete, searches scan.
 * @throws {ValueMissingError | ValueDamagedError} a tail is missing or damaged
 */
export async function buildTable(
  modules: CoreModules,
  store: StoreReader,
  segment: LoadedPdqSegment,
  pause: () => Promise<'go on' | 'end'>,
): Promise<void> {
  for await (const _ of tableSteps(modules, store, segment)) if ((await pause()) === 'end') return
}

/**
 * Builds a table. Yields after each slice, and after each read, when the memory may have been given away. Slots of first
 * halves come last.
 */
async function* tableSteps(
  modules: CoreModules,
  store: StoreReader,
  { ref, haystack }: LoadedPdqSegment,
): AsyncGenerator<undefined, void> {
  let sorter: SlotSorter | undefined
  for (let slot = SLOTS - 1; slot >= 0; slot--) {
    let tail: Bytes | undefined
    if (slot >= FIRST_SLOTS) {
      tail = await readTail(store, ref, slot)
      yield undefined
    }
    haystack.beginTable() // does something only the first time, once a tail is loaded
    sorter ??= new SlotSorter(modules.match, ref.count)
    const sorted = yield* sorter.sortSlot(tail ?? haystack.slotValues(slot))
    if (slot > 0) haystack.setSlot(slot, sorted)
    else haystack.endTable(sorted)
    yield undefined
  }
}
