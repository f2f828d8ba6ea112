import type { Entry } from './entry.ts'
import { ListMissingError } from './errors.ts'
import {
  type Bank,
  checkSize,
  DEFAULT_BANK_POLICY,
  type Manifest,
  nextManifest,
  readManifest,
  writeManifest,
} from './manifest.ts'
import { MAX_SEGMENT_ENTRIES, packSegment } from './segment.ts'
import type { Bytes, ListStore } from './store.ts'

export interface PublishOptions {
  bank: string
  /** Largest distance that matches. The bank keeps the one it has if none is given. */
  threshold?: number
  /** Told as values are written: how many of how many. */
  onProgress?: (written: number, total: number) => void
}

/**
 * Publishes entries as the whole content of a bank. Values are written before the manifest that names them, so that a
 * reader sees the list as it was or as it is, and a publication that is cut off changes nothing.
 * @throws {ListTooLargeError} nothing was written
 */
export async function publishBank(
  store: ListStore,
  entries: readonly Entry[],
  options: PublishOptions,
): Promise<Manifest> {
  const previous = await readExistingManifest(store)
  const packed = []
  for (let first = 0; first < entries.length; first += MAX_SEGMENT_ENTRIES) {
    packed.push(await packSegment(store, entries.slice(first, first + MAX_SEGMENT_ENTRIES)))
  }
  const old = previous?.banks.find(({ id }) => id === options.bank)
  const bank: Bank = {
    ...DEFAULT_BANK_POLICY,
    ...old,
    ...(options.threshold !== undefined && { threshold: options.threshold }),
    id: options.bank,
    segments: packed.map(({ ref }) => ref),
  }
  const others = previous?.banks.filter(({ id }) => id !== options.bank) ?? []
  const banks = [...others, bank].toSorted((a, b) => a.id.localeCompare(b.id))
  const manifest = nextManifest(previous, banks)
  checkSize(manifest)
  const values = new Map<string, Bytes>()
  for (const segment of packed) for (const [key, value] of segment.values) values.set(key, value)
  await store.putAll(values, (written) => options.onProgress?.(written, values.size))
  await writeManifest(store, manifest)
  return manifest
}

async function readExistingManifest(store: ListStore): Promise<Manifest | undefined> {
  try {
    return await readManifest(store)
  } catch (error) {
    if (error instanceof ListMissingError) return undefined
    throw error
  }
}
