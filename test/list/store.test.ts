import { beforeEach, describe, expect, it, vi } from 'vitest'
import { StoreTimeoutError } from '../../src/list/errors.ts'
import { type KvNamespace, KvStore } from '../../src/list/store.ts'
import { kvNamespace } from '../support/stores.ts'

const bytes = (...values: number[]) => new Uint8Array(values)

beforeEach(async () => {
  const store = new KvStore(kvNamespace())
  await store.deleteAll(await store.list(''))
})

/** A namespace of which only reading is used. */
function reading(get: KvNamespace['get']): KvStore {
  const none = () => Promise.reject(new Error('not used'))
  return new KvStore({ get, put: none, delete: none, list: none })
}

describe('KvStore', () => {
  it('gives back what was put, lists it, and deletes it', async () => {
    const store = new KvStore(kvNamespace())
    expect(await store.get('a/1')).toBeUndefined()
    const told: number[] = []
    const values = new Map([
      ['a/1', bytes(1)],
      ['a/2', bytes()],
      ['b/1', bytes(3)],
    ])
    await store.putAll(values, (written) => told.push(written))
    expect(told).toEqual([1, 2, 3])
    expect(await store.get('a/2')).toEqual(bytes())
    expect(await store.list('a/')).toEqual(['a/1', 'a/2'])
    await store.deleteAll(['a/1', 'b/1', 'none'])
    expect(await store.list('')).toEqual(['a/2'])
  })

  it('lists more keys than a page has', async () => {
    const store = new KvStore(kvNamespace())
    const keys = Array.from({ length: 1003 }, (_, i) => `k/${String(i).padStart(4, '0')}`)
    await store.putAll(new Map(keys.map((key) => [key, bytes(0)])))
    expect(await store.list('k/')).toEqual(keys)
  })

  it('asks again for what a cache says is not there, but not for the manifest', async () => {
    const ttls: number[] = []
    const store = reading(async (_, { cacheTtl }) => {
      ttls.push(cacheTtl)
      return cacheTtl > 30 ? null : new ArrayBuffer(2)
    })
    expect(await store.get('segment/x/0')).toEqual(bytes(0, 0))
    expect(await store.get('manifest')).toEqual(bytes(0, 0))
    expect(ttls).toEqual([86_400, 30, 30])
  })

  it('waits ten seconds for a value, and no longer', async () => {
    vi.useFakeTimers()
    try {
      const store = reading(
        () => new Promise((resolve) => setTimeout(() => resolve(new ArrayBuffer(1)), 9999)),
      )
      const value = store.get('manifest')
      await vi.advanceTimersByTimeAsync(9999)
      expect(await value).toEqual(bytes(0))
      const never = reading(() => new Promise(() => {})).get('segment/x/0')
      const refused = never.catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await refused).toBeInstanceOf(StoreTimeoutError)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
