import { toHex } from '../core/bytes.ts'
import { StoreTimeoutError, ValueMissingError } from './errors.ts'

/** Bytes in a buffer of their own kind: never shared ones. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Values by key, as they are stored. All of hashgate sees KV through this, by `KvStore` alone. */
export interface ValueStore {
  get(key: string): Promise<Bytes | undefined>
  put(key: string, value: Bytes): Promise<void>
  /** Writes several values, in any order. Told after some of them: how many are written. */
  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void>
  /** All keys that begin so, in any order. KV may leave out what was written within the last minute. */
  list(prefix: string): Promise<string[]>
  deleteAll(keys: readonly string[]): Promise<void>
}

/** Where a published list lies: values by key, and names that follow from content. */
export interface ListStore extends ValueStore {
  /** Name of some content, 64 hex digits: the same for the same content. */
  nameOf(content: Bytes): Promise<string>
}

/** The key of the manifest; docs/storage.md has all keys, and draws the values. */
export const MANIFEST_KEY = 'manifest'

/** Seconds for which a colo may answer from its cache. KV takes no less than 30. */
const LEAST_CACHE_SECONDS = 30
/** Everything else is named by its content and never changes. */
const CONTENT_CACHE_SECONDS = 86_400

/** Milliseconds that KV may take for a value of at most a few MiB. */
const MAX_GET_MS = 10_000

/** What is used of a KV namespace. */
export interface KvNamespace {
  get(key: string, options: { type: 'arrayBuffer'; cacheTtl: number }): Promise<ArrayBuffer | null>
  put(key: string, value: Bytes): Promise<void>
  delete(key: string): Promise<void>
  list(options: { prefix: string; cursor?: string | null }): Promise<KvKeys>
}

/** A page of keys. */
type KvKeys =
  | { keys: { name: string }[]; list_complete: true }
  | { keys: { name: string }[]; list_complete: false; cursor: string }

/** A store in Workers KV. */
export class KvStore implements ValueStore {
  readonly #namespace: KvNamespace

  constructor(namespace: KvNamespace) {
    this.#namespace = namespace
  }

  /** @throws {StoreTimeoutError} there is no answer within 10 seconds */
  async get(key: string): Promise<Bytes | undefined> {
    const cacheTtl = key === MANIFEST_KEY ? LEAST_CACHE_SECONDS : CONTENT_CACHE_SECONDS
    let value = await this.#get(key, cacheTtl)
    // That there is no value is cached as well, and may be no longer true.
    if (value === null && cacheTtl > LEAST_CACHE_SECONDS) {
      value = await this.#get(key, LEAST_CACHE_SECONDS)
    }
    return value === null ? undefined : new Uint8Array(value)
  }

  #get(key: string, cacheTtl: number): Promise<ArrayBuffer | null> {
    const value = this.#namespace.get(key, { type: 'arrayBuffer', cacheTtl })
    return within(value, MAX_GET_MS, () => new StoreTimeoutError(key, MAX_GET_MS))
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.#namespace.put(key, value)
  }

  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void> {
    return putOneByOne(this, values, onWritten)
  }

  async list(prefix: string): Promise<string[]> {
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await this.#namespace.list({ prefix, ...(cursor !== undefined && { cursor }) })
      names.push(...page.keys.map(({ name }) => name))
      cursor = page.list_complete ? undefined : page.cursor
    } while (cursor !== undefined)
    return names
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#namespace.delete(key)
  }
}

/** A store that is checked before and after each read: whoever reads may have to stop. */
export class CheckedStore implements ListStore {
  readonly #inner: ListStore
  readonly #check: () => void

  /** @param check throws to stop whoever reads */
  constructor(inner: ListStore, check: () => void) {
    this.#inner = inner
    this.#check = check
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.#check()
    try {
      return await this.#inner.get(key)
    } finally {
      this.#check()
    }
  }

  put(key: string, value: Bytes): Promise<void> {
    return this.#inner.put(key, value)
  }

  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void> {
    return this.#inner.putAll(values, onWritten)
  }

  list(prefix: string): Promise<string[]> {
    return this.#inner.list(prefix)
  }

  deleteAll(keys: readonly string[]): Promise<void> {
    return this.#inner.deleteAll(keys)
  }

  nameOf(content: Bytes): Promise<string> {
    return this.#inner.nameOf(content)
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

async function putOneByOne(
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
export async function getExisting(store: ValueStore, key: string): Promise<Bytes> {
  const value = await store.get(key)
  if (!value) throw new ValueMissingError(key)
  return value
}

/** What a promise gives, if it does so within some time; else what `error` makes is thrown. */
async function within<T>(promise: Promise<T>, ms: number, error: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), ms)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
