import type { CoreModules } from '../core/modules.ts'
import { type Manifest, segmentsOf, type SegmentRef } from '../list/manifest.ts'
import { partsOf, readPart } from '../list/pdq-segment.ts'
import { readDigestSet } from '../list/digest-set.ts'
import { readRemovals } from '../list/removals.ts'
import type { ListStore } from '../list/store.ts'
import { BankIndex } from './bank-index.ts'
import { HaystackPool } from './loaded-segment.ts'

/** Bytes that an entry takes in memory, by kind of segment. */
const ENTRY_BYTES = { pdq: 16, exact: 2.5 }

/** Share of the memory in use that new segments may take beside it. */
const MAX_BESIDE = 0.25

/** Segments of a manifest that an index does not have. */
function newSegments(old: BankIndex, manifest: Manifest): SegmentRef[] {
  const known = new Set(old.segments.map(({ ref }) => ref.name))
  return segmentsOf(manifest).filter(({ name }) => !known.has(name))
}

/** Whether a manifest brings so much that is new that it must take the place of what there is. */
export function isReplacement(old: BankIndex, manifest: Manifest): boolean {
  const bytes = newSegments(old, manifest).reduce(
    (sum, { kind, count }) => sum + count * ENTRY_BYTES[kind],
    0,
  )
  return bytes > old.memoryBytes * MAX_BESIDE
}

/**
 * Loads a version in the place of another, without holding both: what is new is read once to see that it is whole, then
 * the memories of what is gone are given away and filled with it. Requests that come in between wait, as for a first load.
 * @param events `onGiven` is called when the old version is not to be asked any more; `onError` when the new one could not
 *   be loaded after all, and the old one is being loaded again.
 * @throws {ValueMissingError | ValueDamagedError} the old version stays as it is, or neither can be loaded
 */
export async function replaceIndex(
  modules: CoreModules,
  store: ListStore,
  old: BankIndex,
  manifest: Manifest,
  events: { onGiven: () => void; onError: (error: unknown) => void },
): Promise<BankIndex> {
  for (const ref of newSegments(old, manifest)) await readThrough(store, ref)
  const pool = new HaystackPool()
  const keeps = new Set(segmentsOf(manifest).map(({ name }) => name))
  const kept = old.release(keeps, pool)
  events.onGiven()
  try {
    return await BankIndex.load(modules, store, manifest, { kept, pool })
  } catch (error) {
    events.onError(error)
    return await BankIndex.load(modules, store, old.manifest, { kept, pool })
  }
}

/** Reads all that a segment is loaded from, and keeps nothing. */
async function readThrough(store: ListStore, ref: SegmentRef): Promise<void> {
  await readRemovals(store, ref)
  if (ref.kind === 'exact') await readDigestSet(store, ref)
  else for (const part of partsOf(ref)) await readPart(store, ref, part)
}
