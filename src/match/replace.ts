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

/** Share of what there is that new segments may take beside it; and bytes that they may in any case. */
const MAX_BESIDE = 0.25
const MIN_BYTES = 256 * 1024

function newSegments(old: BankIndex, manifest: Manifest): SegmentRef[] {
  const known = new Set(old.segments.map(({ ref }) => ref.name))
  return segmentsOf(manifest).filter(({ name }) => !known.has(name))
}

/** Whether a manifest has so many changes that a new version must replace the current one. */
export function isReplacement(old: BankIndex, manifest: Manifest): boolean {
  const bytesOf = (refs: readonly SegmentRef[]) =>
    refs.reduce((sum, { kind, count }) => sum + count * ENTRY_BYTES[kind], 0)
  return (
    bytesOf(newSegments(old, manifest)) >
    Math.max(MIN_BYTES, bytesOf(segmentsOf(old.manifest)) * MAX_BESIDE)
  )
}

/** A version could not be loaded in the place of another, which is there again. */
export class ReplacementFailedError extends Error {
  readonly restored: BankIndex

  constructor(restored: BankIndex, cause: unknown) {
    super('the version before was loaded again', { cause })
    this.restored = restored
  }
}

/** What a version is loaded from, and the options of loading it. */
export interface ReplaceOptions {
  from: ListStore
  /** Called when the old version is about to be given away, which it must not be twice. May throw. */
  onGive: () => void
}

/**
 * Loads a version in the place of another, without holding both: what is new is read once to see that it is whole, then
 * the memories of what is gone are given away and filled with it. Requests that come in between wait, as for a first load.
 * @throws {ValueMissingError | ValueDamagedError} the old version stays as it is, or neither can be loaded
 * @throws {ReplacementFailedError} the old version was loaded again
 */
export async function replaceIndex(
  modules: CoreModules,
  store: ListStore,
  old: BankIndex,
  manifest: Manifest,
  { from, onGive }: ReplaceOptions,
): Promise<BankIndex> {
  for (const ref of newSegments(old, manifest)) await readThrough(from, ref)
  const pool = new HaystackPool()
  const keeps = new Set(segmentsOf(manifest).map(({ name }) => name))
  onGive()
  const kept = old.release(keeps, pool)
  try {
    return await BankIndex.load(modules, store, manifest, { kept, pool, from })
  } catch (error) {
    const restored = await BankIndex.load(modules, store, old.manifest, { kept, pool, from })
    throw new ReplacementFailedError(restored, error)
  }
}

/** Reads all that a segment is loaded from, and keeps nothing. */
async function readThrough(store: ListStore, ref: SegmentRef): Promise<void> {
  await readRemovals(store, ref)
  if (ref.kind === 'exact') await readDigestSet(store, ref)
  else for (const part of partsOf(ref)) await readPart(store, ref, part)
}
