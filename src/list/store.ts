import { toHex } from '../core/bytes.ts'
import { ValueMissingError } from './errors.ts'

/** Bytes in a buffer of their own kind: never shared ones. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Values by key, as they are stored. All of hashgate sees KV through this, by `KvStore` alone. */
export interface ValueStore {
  get(key: string): Promise<Bytes | undefined>
  put(key: string, value: Bytes): Promise<void>
  /** Writes several values, in any order. Told after some of them: how many are written. */
  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void>
}

/** Where a published list lies: values by key, and names that follow from content. */
export interface ListStore extends ValueStore {
  /** Name of some content, 64 hex digits: the same for the same content. */
  nameOf(content: Bytes): Promise<string>
}

/** Keys of the store; docs/storage.md draws the values. */
export const MANIFEST_KEY = 'manifest'

export function segmentKey(name: string): string {
  return `segment/${name}`
}

export function detailKey(segment: string, block: number): string {
  return `detail/${segment}/${block}`
}

/** Seconds for which a colo may answer from its cache. KV takes no less than 30. */
const LEAST_CACHE_SECONDS = 30
/** Everything else is named by its content and never changes. */
const CONTENT_CACHE_SECONDS = 86_400

/** What is used of a KV namespace. */
export interface KvNamespace {
  get(key: string, options: { type: 'arrayBuffer'; cacheTtl: number }): Promise<ArrayBuffer | null>
  put(key: string, value: Bytes): Promise<void>
}

/** A store in Workers KV. */
export class KvStore implements ValueStore {
  readonly #namespace: KvNamespace

  constructor(namespace: KvNamespace) {
    this.#namespace = namespace
  }

  async get(key: string): Promise<Bytes | undefined> {
    const cacheTtl = key === MANIFEST_KEY ? LEAST_CACHE_SECONDS : CONTENT_CACHE_SECONDS
    let value = await this.#namespace.get(key, { type: 'arrayBuffer', cacheTtl })
    if (value === null && cacheTtl > LEAST_CACHE_SECONDS) {
      // That there is no value is cached as well, and may be no longer true.
      value = await this.#namespace.get(key, { type: 'arrayBuffer', cacheTtl: LEAST_CACHE_SECONDS })
    }
    return value === null ? undefined : new Uint8Array(value)
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.#namespace.put(key, value)
  }

  putAll(values: ReadonlyMap<string, Bytes>, onWritten?: (count: number) => void): Promise<void> {
    return putOneByOne(this, values, onWritten)
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

/** The value of a key that must have one. */
export async function getExisting(store: ListStore, key: string): Promise<Bytes> {
  const value = await store.get(key)
  if (!value) throw new ValueMissingError(key)
  return value
}
