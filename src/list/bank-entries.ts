import type { Entry } from './entry.ts'
import type { Manifest } from './manifest.ts'
import { readRemovals } from './removals.ts'
import { readEntries } from './segment.ts'
import type { ListStore } from './store.ts'

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
    const removed = new Set(await readRemovals(store, ref))
    const all = await readEntries(store, ref)
    for (const [position, entry] of all.entries()) if (!removed.has(position)) entries.push(entry)
  }
  return entries
}
