import { createHash } from 'node:crypto'
import type { Entry } from './entry.ts'
import { ValueDamagedError } from './errors.ts'
import type { SegmentRef } from './manifest.ts'
import { type Bytes, getExisting, type ListStore } from './store.ts'

/** Bytes by which a publisher tells an entry from others: of a SHA-256 of all that is known of it. */
const DIGEST_BYTES = 16

/** Digest of an entry over its hash, id and labels, as a key of a map. Two entries that have the same are the same. */
export function digestEntry({ kind, hash, id, labels }: Entry): string {
  const names = Object.keys(labels).toSorted()
  const rest = JSON.stringify([kind, id, names.map((name) => [name, labels[name]])])
  const digest = createHash('sha256').update(hash).update(rest).digest('binary')
  return digest.slice(0, DIGEST_BYTES)
}

/** Digests of entries, one behind the other. */
export function packDigests(entries: readonly Entry[]): Bytes {
  const packed = new Uint8Array(entries.length * DIGEST_BYTES)
  entries.forEach((entry, i) => {
    const digest = digestEntry(entry)
    for (let at = 0; at < DIGEST_BYTES; at++) {
      packed[i * DIGEST_BYTES + at] = digest.charCodeAt(at)
    }
  })
  return packed
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
    String.fromCharCode(...value.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)),
  )
}
