import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { publishBank } from '../../src/list/publish.ts'
import { LiveList } from '../../src/match/live-list.ts'
import { needle, randomEntries } from '../support/entries.ts'
import { WatchedStore } from '../support/stores.ts'

/** A live list over a store, with a clock of its own. */
function setUp(refreshSeconds = 60) {
  const store = new WatchedStore()
  const errors: unknown[] = []
  const behind: Promise<unknown>[] = []
  const clock = { ms: 1_000_000 }
  const list = new LiveList({
    modules,
    store: store.list,
    refreshSeconds,
    onError: (error) => errors.push(error),
    now: () => clock.ms,
  })
  return {
    store,
    errors,
    clock,
    list,
    get: () => list.get((promise) => behind.push(promise)),
    /** Waits for what runs behind requests. */
    settle: async () => {
      await Promise.all(behind.splice(0))
    },
    publish: (seed: number) => publishBank(store.list, randomEntries(50, seed), { bank: 'a' }),
  }
}

function manifestReads({ reads }: WatchedStore): number {
  return reads.filter((key) => key === 'manifest').length
}

describe('LiveList', () => {
  it('loads the list once for requests that come together', async () => {
    const { store, get, publish } = setUp()
    await publish(1)
    store.reads.length = 0
    const indexes = await Promise.all(Array.from({ length: 50 }, get))
    expect(new Set(indexes).size).toBe(1)
    expect(store.reads).toEqual(['manifest', expect.stringMatching(/^segment\//)])
  })

  it('looks for a newer version after the refresh time, without making a request wait', async () => {
    const { clock, get, publish, settle } = setUp()
    await publish(1)
    await get()
    await publish(2)
    clock.ms += 59_999
    await get()
    await settle()
    expect((await get()).manifest.version).toBe(1)
    clock.ms += 1
    expect((await get()).manifest.version).toBe(1)
    await settle()
    const index = await get()
    expect(index.manifest.version).toBe(2)
    expect(await index.match([needle(randomEntries(1, 2)[0]!.hash)])).toHaveLength(1)
    expect(await index.match([needle(randomEntries(1, 1)[0]!.hash)])).toEqual([])
  })

  it('does not load a version again that it has', async () => {
    const { store, clock, get, publish, settle } = setUp()
    await publish(1)
    const index = await get()
    store.reads.length = 0
    clock.ms += 60_000
    await get()
    await settle()
    expect(store.reads).toEqual(['manifest'])
    expect(await get()).toBe(index)
  })

  it('keeps the last good list when a newer one cannot be read, and says so', async () => {
    const { store, errors, clock, get, publish, settle } = setUp()
    await publish(1)
    const good = await get()
    await publish(2)
    store.onRead = (key) => {
      if (key.startsWith('segment/')) throw new Error('not replicated yet')
    }
    clock.ms += 60_000
    await get()
    await settle()
    expect(await get()).toBe(good)
    expect(errors).toEqual([new Error('not replicated yet')])
    store.onRead = () => {}
    clock.ms += 1000
    await get()
    await settle()
    expect((await get()).manifest.version).toBe(2)
  })

  it('keeps the list when the store answers with an older one', async () => {
    const { store, clock, get, publish, settle } = setUp()
    await publish(1)
    const older = (await store.inner.get('manifest'))!
    await publish(2)
    const index = await get()
    await store.put('manifest', older)
    clock.ms += 60_000
    await get()
    await settle()
    expect(await get()).toBe(index)
  })

  it('throws while there is no list, and tries again after 1, 2, 4 seconds and so on', async () => {
    const { store, errors, clock, get, publish } = setUp(5)
    const tries: number[] = []
    for (let second = 0; second < 20; second++) {
      const before = manifestReads(store)
      await expect(get()).rejects.toMatchObject({ code: 'list-missing' })
      await expect(get()).rejects.toMatchObject({ code: 'list-missing' })
      if (manifestReads(store) > before) tries.push(second)
      clock.ms += 1000
    }
    expect(tries).toEqual([0, 1, 3, 7, 12, 17])
    expect(errors).toHaveLength(tries.length)
    await publish(1)
    clock.ms += 5000
    expect((await get()).manifest.version).toBe(1)
  })

  it('loads once also for requests that come while a load takes long', async () => {
    const { store, get, publish } = setUp()
    await publish(1)
    store.reads.length = 0
    let release: (() => void) | undefined
    store.onRead = (key) =>
      key === 'manifest' ? new Promise<void>((resolve) => (release = resolve)) : undefined
    const first = get()
    await Promise.resolve()
    const others = Array.from({ length: 20 }, get)
    release?.()
    const indexes = await Promise.all([first, ...others])
    expect(new Set(indexes).size).toBe(1)
    expect(manifestReads(store)).toBe(1)
  })

  it('gives up a refresh that never ends', async () => {
    const { store, clock, get, publish, list } = setUp()
    await publish(1)
    await get()
    store.onRead = () => new Promise(() => {})
    clock.ms += 60_000
    await get()
    store.onRead = () => {}
    await publish(2)
    clock.ms += 59_999
    await get()
    expect(list.current?.manifest.version).toBe(1)
    clock.ms += 1
    const behind: Promise<unknown>[] = []
    await list.get((promise) => behind.push(promise))
    await Promise.all(behind)
    expect(list.current?.manifest.version).toBe(2)
  })
})
