import type { CoreModules } from '../core/modules.ts'
import { type Manifest, segmentsOf, type SegmentRef } from '../list/manifest.ts'
import { partsOf, readPart } from '../list/pdq-segment.ts'
import { readDigestSet } from '../list/digest-set.ts'
import { readRemovals } from '../list/removals.ts'
import type { StoreReader } from '../list/store.ts'
import { BankIndex } from './bank-index.ts'
import { HaystackPool } from './loaded-segment.ts'

/** Bytes that an entry takes in memory, by kind of segment. */
const ENTRY_BYTES = { pdq: 16, exact: 2.5 }

/** Memory that new segments may take besides the current ones: as a share of these, and in bytes in any case. */
const MAX_BESIDE = 0.25
const MIN_BYTES = 256 * 1024

/**
 * Replaces a version without holding both. New segments are read once to check that they are complete. Then they are loaded
 * into the memories of dropped ones. Requests that arrive in between wait, as for a first load.
 * @throws {ValueMissingError | ValueDamagedError} the old version stays as it is, or neither can be loaded
 * @throws {ReplacementFailedError} the old version was loaded again
 */
export async function replaceIndex(
  modules: CoreModules,
  store: StoreReader,
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

/** A version could not replace another, which has been loaded again. */
export class ReplacementFailedError extends Error {
  readonly restored: BankIndex

  constructor(restored: BankIndex, cause: unknown) {
    super('the version before was loaded again', { cause })
    this.restored = restored
  }
}

/** What a version is loaded from, and how. */
export interface ReplaceOptions {
  from: StoreReader
  /** Called just before the old version is given away, which must not happen twice. May throw. */
  onGive: () => void
}

/** Reads everything that a segment is loaded from, and keeps none of it. */
async function readThrough(store: StoreReader, ref: SegmentRef): Promise<void> {
  await readRemovals(store, ref)
  if (ref.kind === 'exact') await readDigestSet(store, ref)
  else for (const part of partsOf(ref)) await readPart(store, ref, part)
}
