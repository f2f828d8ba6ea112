import { isEqual } from '../util/bytes.ts'
import { HashgateError } from '../util/errors.ts'
import { ValueDamagedError } from './errors.ts'
import { type Manifest, readManifest, segmentsOf, type SegmentRef } from './manifest.ts'
import { readRemovals } from './removals.ts'
import { keysOf, packSegment, readEntries } from './segment.ts'
import { getExisting, type ListStore } from './store.ts'

/** The outcome of verifying a published list. */
export interface Verification {
  manifest: Manifest
  /** Consistent entries, without removed ones. */
  entries: number
  values: number
  /** What is wrong, in words without hashes. */
  problems: string[]
}

/**
 * Reads everything that the manifest names, and checks that it is consistent: entries are read as a match would read them,
 * and packed again; each stored value must equal the packed one.
 * @throws {ListMissingError | OtherFormatError | ValueDamagedError} there is no usable manifest
 */
export async function verifyList(
  store: ListStore,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Verification> {
  const manifest = await readManifest(store)
  const verification: Verification = { manifest, entries: 0, values: 1, problems: [] }
  const segments = segmentsOf(manifest)
  for (const [i, ref] of segments.entries()) {
    try {
      verification.values += await verifySegment(store, ref)
      const removed = await readRemovals(store, ref)
      verification.entries += ref.count - removed.length
      verification.values += ref.removed ? 1 : 0
    } catch (error) {
      if (!(error instanceof HashgateError)) throw error
      verification.problems.push(error.message)
    }
    onProgress(i + 1, segments.length)
  }
  return verification
}

/** Returns how many values were read. */
async function verifySegment(store: ListStore, ref: SegmentRef): Promise<number> {
  const entries = await readEntries(store, ref)
  const { values } = await packSegment(store, ref.kind, entries)
  const expected = [...values.values()]
  const keys = keysOf(ref)
  for (const [i, key] of keys.entries()) {
    const value = await getExisting(store, key)
    const packed = expected[i]
    if (!packed || !isEqual(value, packed)) {
      throw new ValueDamagedError(key, 'does not agree with the other values of its segment')
    }
  }
  return keys.length
}
