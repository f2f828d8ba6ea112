import { env } from 'cloudflare:workers'
import { type Bytes, KvStore, type ListStore, MemoryStore } from '../../src/list/store.ts'

/** The local KV namespace that the tests share: each file has its own. */
export function kvNamespace(): KVNamespace {
  return (env as unknown as { HASH_LISTS: KVNamespace }).HASH_LISTS
}

export function kvStore(): KvStore {
  return new KvStore(kvNamespace())
}

/** A store in memory that counts reads, and whose reads can be made to fail, or to wait. */
export class WatchedStore implements ListStore {
  readonly inner = new MemoryStore()
  readonly reads: string[] = []
  onRead: (key: string) => Promise<void> | void = () => {}

  async get(key: string): Promise<Bytes | undefined> {
    this.reads.push(key)
    await this.onRead(key)
    return this.inner.get(key)
  }

  put(key: string, value: Bytes): Promise<void> {
    return this.inner.put(key, value)
  }

  putAll(values: ReadonlyMap<string, Bytes>): Promise<void> {
    return this.inner.putAll(values)
  }
}
