import { createHash } from 'node:crypto'
import type { Entry } from './entry.ts'
import { ValueDamagedError } from './errors.ts'
import type { SegmentRef } from './manifest.ts'
import { type Bytes, getExisting, type ListStore } from './store.ts'

/** Bytes by which a publisher tells an entry from others: of a SHA-256 of all that is known of it. */
const DIGEST_BYTES = 16

/** Digests of entries, each over its hash, id and labels. Two entries that have the same are the same. */
export function digestEntries(entries: readonly Entry[]): Bytes[] {
  return entries.map(({ kind, hash, id, labels }) => {
    const names = Object.keys(labels).toSorted()
    const rest = JSON.stringify([kind, id, names.map((name) => [name, labels[name]])])
    const digest = createHash('sha256').update(hash).update(rest).digest()
    return new Uint8Array(digest.subarray(0, DIGEST_BYTES))
  })
}

/** A digest as a key of a map. */
export function digestKey(digest: Uint8Array): string {
  return String.fromCharCode(...digest)
}

/**
 * Digests of all entries of a segment, by position.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readEntryDigests(store: ListStore, ref: SegmentRef): Promise<string[]> {
  const key = `digests/${ref.name}`
  const value = await getExisting(store, key)
  if (value.length !== ref.count * DIGEST_BYTES) {
    throw new ValueDamagedError(key, 'does not have the entries that the manifest names')
  }
  return Array.from({ length: ref.count }, (_, i) =>
    digestKey(value.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)),
  )
}
