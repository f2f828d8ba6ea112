import { env } from 'cloudflare:workers'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { KvStore } from '../../src/list/kv-store.ts'
import { type Bytes, MemoryStore, type ValueStore } from '../../src/list/store.ts'

/** The local KV namespace that the tests share: each file has its own. */
export function kvNamespace(): KVNamespace {
  return (env as unknown as { HASH_LISTS: KVNamespace }).HASH_LISTS
}

export function kvStore(): SealedStore {
  return seal(new KvStore(kvNamespace()))
}

/** Keys that tests seal with: the one that vitest.config.ts binds, and another. */
export const KEY = '00112233445566778899aabbccddeeff'.repeat(2)
export const OTHER_KEY = 'f'.repeat(64)

/** A list in a store of values. */
export function seal(store: ValueStore, keys = KEY): SealedStore {
  return new SealedStore(store, parseListKeys(keys))
}

/** A store in memory that counts reads, and whose reads can be made to fail, or to wait. */
export class WatchedStore implements ValueStore {
  readonly inner: MemoryStore
  /** The list that is sealed in it. */
  readonly sealed = seal(this)
  readonly reads: string[] = []
  onRead: (key: string) => Promise<void> | void = () => {}
  /** Called when a value was written. */
  onWrite: (key: string) => Promise<void> | void = () => {}

  constructor(inner = new MemoryStore()) {
    this.inner = inner
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.reads.push(key)
    await this.onRead(key)
    return this.inner.get(key)
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.inner.put(key, value)
    await this.onWrite(key)
  }

  async putAll(values: ReadonlyMap<string, Bytes>): Promise<void> {
    for (const [key, value] of values) await this.put(key, value)
  }

  list(prefix: string): Promise<string[]> {
    return this.inner.list(prefix)
  }

  deleteAll(keys: readonly string[]): Promise<void> {
    return this.inner.deleteAll(keys)
  }
}

/** A store whose writes end after some: what a publisher sees that is cut off. */
export class CutOffStore implements ValueStore {
  readonly written: string[] = []
  readonly #inner: ValueStore
  #left: number

  constructor(inner: ValueStore, writes: number) {
    this.#inner = inner
    this.#left = writes
  }

  get(key: string): Promise<Bytes | undefined> {
    return this.#inner.get(key)
  }

  async put(key: string, value: Bytes): Promise<void> {
    if (this.#left-- <= 0) throw new Error('cut off')
    await this.#inner.put(key, value)
    this.written.push(key)
  }

  async putAll(values: ReadonlyMap<string, Bytes>): Promise<void> {
    for (const [key, value] of values) await this.put(key, value)
  }

  list(prefix: string): Promise<string[]> {
    return this.#inner.list(prefix)
  }

  deleteAll(keys: readonly string[]): Promise<void> {
    return this.#inner.deleteAll(keys)
  }
}

/** A store that nothing can be read from. */
export function brokenStore(): SealedStore {
  const store = kvStore()
  store.get = () => Promise.reject(new TypeError('no store'))
  return store
}
