import { toHex } from '../util/bytes.ts'
import { ValueDamagedError, ValueMissingError } from './errors.ts'

/** Bytes in a buffer of their own kind: never shared ones. */
export type Bytes = Uint8Array<ArrayBuffer>

/** What only reads needs. */
export interface StoreReader {
  get(key: string): Promise<Bytes | undefined>
}

/** Values by key, as they are stored. All of hashgate sees KV through this, by `kv-store.ts` alone. */
export interface ValueStore extends StoreReader {
  /** Gives a value to `use`, which must not keep it. For stores that can lend more cheaply than copy. */
  lend?<T>(key: string, use: (value: Bytes) => Promise<T>): Promise<T | undefined>
  put(key: string, value: Bytes): Promise<void>
  /** Writes several values, in any order. Calls `onWritten` after some of them, with the number written. */
  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void>
  /** All keys with the prefix, in any order. KV may leave out what was written within the last minute. */
  list(prefix: string): Promise<string[]>
  deleteAll(keys: readonly string[]): Promise<void>
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

/** Reads a store, and calls `check` before and after each read: it throws to stop the reader. */
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
 * The value of a key, which has something of each of a number of entries.
 * @param bytes that so many entries take
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

/** The error of a value that has something of other entries than the manifest says. */
export function otherEntries(key: string): ValueDamagedError {
  return new ValueDamagedError(key, 'does not have the entries that the manifest names')
}
