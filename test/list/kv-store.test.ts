import { beforeEach, describe, expect, it, vi } from 'vitest'
import { StoreTimeoutError } from '../../src/list/errors.ts'
import { type ByteStream, type KvNamespace, KvStore } from '../../src/list/kv-store.ts'
import { randomBytes } from '../support/random.ts'
import { kvNamespace } from '../support/stores.ts'

const bytes = (...values: number[]) => new Uint8Array(values)

beforeEach(async () => {
  const store = new KvStore(kvNamespace())
  await store.deleteAll(await store.list(''))
})

/** A stream of so many zeros. */
function streamOf(length: number): ByteStream {
  return new Response(new Uint8Array(length)).body as ByteStream
}

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

  it.each([1, 4096, 1024 * 1024 + 44, 1179647, 1179648, 1179649, 3_000_000])(
    'gives back %i bytes, by themselves and on loan',
    async (length) => {
      const store = new KvStore(kvNamespace())
      const value = randomBytes(length, length)
      await store.put('a', value)
      const first = await store.get('a')
      const isLent = await store.withValue('a', async (lent) => Buffer.compare(lent, value) === 0)
      expect([isLent, first?.length]).toEqual([true, length])
      expect(Buffer.compare(first!, value)).toBe(0)
    },
  )

  it('reads many values at once, each into a buffer that nobody else has meanwhile', async () => {
    const store = new KvStore(kvNamespace())
    const keys = Array.from({ length: 12 }, (_, i) => `k/${i}`)
    for (const [i, key] of keys.entries()) await store.put(key, randomBytes(100_000 + i, i))
    const buffers = new Set<ArrayBuffer>()
    const read = async (key: string, i: number) => {
      if (i > 6) await scheduler.wait(20)
      return store.withValue(key, async (value) => {
        buffers.add(value.buffer)
        await scheduler.wait(5)
        return Buffer.compare(value, randomBytes(100_000 + i, i)) === 0
      })
    }
    expect(await Promise.all(keys.map(read))).toEqual(keys.map(() => true))
    expect(await store.withValue('none', async () => true)).toBeUndefined()
    await expect(store.withValue('k/0', () => Promise.reject(new Error('no use')))).rejects.toThrow(
      'no use',
    )
    expect(await read('k/1', 1)).toBe(true)
  })

  it('reads a large value into the buffer of the one before, and no small one', async () => {
    const store = new KvStore(kvNamespace())
    const bufferOf = async (key: string) => {
      await store.put(key, randomBytes(100, 1))
      return store.withValue(key, async ({ buffer }) => buffer)
    }
    const [large, small] = [await bufferOf('segment/a/0'), await bufferOf('detail/a/0')]
    await bufferOf('tail/a/0')
    await bufferOf('detail/a/1')
    // A buffer that is read into again is given away.
    expect([large?.byteLength, small?.byteLength]).toEqual([0, 64 * 1024])
  })

  it('takes memory for a value by its size', async () => {
    const store = new KvStore(kvNamespace())
    const room = async (key: string, length: number) => {
      await store.put(key, randomBytes(length, 1))
      return store.withValue(key, async ({ buffer }) => buffer.byteLength)
    }
    expect(await room('detail/a/0', 100)).toBe(64 * 1024)
    expect(await room('detail/a/1', 100_000)).toBe(128 * 1024)
    expect(await room('manifest', 300_000)).toBe(512 * 1024)
    expect(await room('segment/a/0', 1024 * 1024)).toBe(1.125 * 1024 * 1024)
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
      return cacheTtl > 30 ? null : streamOf(2)
    })
    expect(await store.get('segment/x/0')).toEqual(bytes(0, 0))
    expect(await store.get('manifest')).toEqual(bytes(0, 0))
    expect(ttls).toEqual([86_400, 30, 30])
    ttls.length = 0
    const missing = reading(async (_, { cacheTtl }) => {
      ttls.push(cacheTtl)
      return null
    })
    expect(await missing.get('manifest')).toBeUndefined()
    const found = reading(async (_, { cacheTtl }) => {
      ttls.push(cacheTtl)
      return streamOf(2)
    })
    await found.get('segment/x/0')
    expect(ttls).toEqual([30, 86_400])
  })

  it('waits ten seconds for a value, and no longer', async () => {
    vi.useFakeTimers()
    try {
      const store = reading(
        () => new Promise((resolve) => setTimeout(() => resolve(streamOf(1)), 9999)),
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
