import { toHex } from '../util/bytes.ts'
import { ValueDamagedError, ValueMissingError } from './errors.ts'

/**
 * Values by key, as stored. hashgate accesses KV only through this; `kv-store.ts` alone sees KV.
 */
export interface ValueStore extends StoreReader {
  /**
   * Passes a value to `use`, which must not keep it. For stores where that is cheaper than a copy.
   */
  withValue?<T>(key: string, use: (value: Bytes) => Promise<T>): Promise<T | undefined>
  put(key: string, value: Bytes): Promise<void>
  /** Writes several values, in any order. Calls `onWritten` after some of them, with the number written. */
  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void>
  /** All keys with the prefix, in any order. KV may omit those written within the last minute. */
  list(prefix: string): Promise<string[]>
  deleteAll(keys: readonly string[]): Promise<void>
}

/** Bytes in a buffer of their own kind: never shared ones. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The part of a store that readers need. */
export interface StoreReader {
  get(key: string): Promise<Bytes | undefined>
}

/** The store of a published list: values by key, and names derived from content. */
export interface ListStore extends ValueStore {
  /** Name of some content, 64 hex digits: the same for the same content. */
  nameOf(content: Bytes): Promise<string>
}

/** The key of the manifest; docs/storage.md has all keys, and draws the values. */
export const MANIFEST_KEY = 'manifest'
/** The key of the record that allows an older version. */
export const PIN_RESET_KEY = 'pin-reset'

/**
 * Reads a store, and calls `check` before and after each read. `check` throws to stop the reader.
 */
export function checkedReader(store: StoreReader, check: () => void): StoreReader {
  return {
    get: async (key) => {
      check()
      try {
        return await store.get(key)
      } finally {
        check()
      }
    },
  }
}

/** A store in memory: for the command line, and tests. */
export class MemoryStore implements ListStore {
  readonly values = new Map<string, Bytes>()

  async get(key: string): Promise<Bytes | undefined> {
    return this.values.get(key)
  }

  async put(key: string, value: Bytes): Promise<void> {
    this.values.set(key, value)
  }

  async nameOf(content: Bytes): Promise<string> {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
    return toHex(digest)
  }

  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void> {
    return putOneByOne(this, values, onWritten)
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.values.keys()].filter((key) => key.startsWith(prefix))
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.values.delete(key)
  }
}

/** Writes several values one after another. */
export async function putOneByOne(
  store: ValueStore,
  values: ReadonlyMap<string, Bytes>,
  onWritten: (count: number) => void = () => {},
): Promise<void> {
  let written = 0
  for (const [key, value] of values) {
    await store.put(key, value)
    onWritten(++written)
  }
}

/**
 * The value of a key that must have one.
 * @throws {ValueMissingError}
 */
export async function getExisting(store: StoreReader, key: string): Promise<Bytes> {
  const value = await store.get(key)
  if (!value) throw new ValueMissingError(key)
  return value
}

/**
 * The value of a key that stores something for each entry.
 * @param bytes the length that the number of entries requires
 * @throws {ValueMissingError | ValueDamagedError}
 */
export async function getForEntries(
  store: StoreReader,
  key: string,
  bytes: number,
): Promise<Bytes> {
  const value = await getExisting(store, key)
  if (value.length !== bytes) throw otherEntries(key)
  return value
}

/** The error for a value that stores other entries than the manifest names. */
export function otherEntries(key: string): ValueDamagedError {
  return new ValueDamagedError(key, 'does not have the entries that the manifest names')
}
