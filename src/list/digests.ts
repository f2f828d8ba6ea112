import { createHash } from 'node:crypto'
import type { Entry } from './entry.ts'
import type { SegmentRef } from './manifest.ts'
import { type Bytes, getForEntries, type StoreReader } from './store.ts'

/** Bytes with which a publisher tells an entry from others: of a SHA-256 over its hash, id and labels. */
const DIGEST_BYTES = 16

/** Digest of an entry over its hash, id and labels, as a key of a map. Two entries with the same digest are the same. */
export function digestEntry({ kind, hash, id, labels }: Entry): string {
  const names = Object.keys(labels).toSorted()
  const rest = JSON.stringify([kind, id, names.map((name) => [name, labels[name]])])
  const digest = createHash('sha256').update(hash).update(rest).digest('binary')
  return digest.slice(0, DIGEST_BYTES)
}

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

/** Concatenated digests. */
export interface PackedDigests {
  bytes: Bytes
  width: number
}

/**
 * Digests of all entries of a segment, by position, as they are stored.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readDigests(store: StoreReader, ref: SegmentRef): Promise<PackedDigests> {
  const bytes = await getForEntries(store, `digests/${ref.name}`, ref.count * DIGEST_BYTES)
  return { bytes, width: DIGEST_BYTES }
}

/**
 * Digests of all entries of a segment, by position, as keys of a map.
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function readEntryDigests(store: StoreReader, ref: SegmentRef): Promise<string[]> {
  const { bytes, width } = await readDigests(store, ref)
  return Array.from({ length: ref.count }, (_, i) =>
    String.fromCharCode(...bytes.subarray(i * width, (i + 1) * width)),
  )
}
