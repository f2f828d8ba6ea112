import type { Entry } from './entry.ts'
import { readRemovals, Removals } from './removals.ts'
import { readEntries } from './segment.ts'
import type { Manifest, SegmentRef } from './manifest.ts'
import type { ListStore, StoreReader } from './store.ts'

/**
 * The live entries of a bank, with their hashes; none if there is no such bank.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readBankEntries(
  store: ListStore,
  manifest: Manifest | undefined,
  bank: string,
): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const ref of manifest?.banks.find(({ id }) => id === bank)?.segments ?? []) {
    const live = await readLiveEntries(store, ref, await readRemovals(store, ref))
    for (const entry of live) entries.push(entry)
  }
  return entries
}

/** Entries of a segment that are not at removed positions. */
export async function readLiveEntries(
  store: StoreReader,
  ref: SegmentRef,
  removed: Iterable<number>,
): Promise<Entry[]> {
  const isRemoved = new Removals(removed, ref.count)
  return (await readEntries(store, ref)).filter((_, position) => !isRemoved.has(position))
}
