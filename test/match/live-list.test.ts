import { afterEach, describe, expect, it, vi } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import type { Entry } from '../../src/list/entry.ts'
import { type Manifest, readManifest, segmentsOf } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { LiveList, type LiveListOptions } from '../../src/match/live-list.ts'
import { needle, randomDigests, randomEntries } from '../support/entries.ts'
import { OTHER_KEY, seal, WatchedStore } from '../support/stores.ts'

/** A live list over a store, with a clock of its own. */
function setUp(options: Partial<LiveListOptions> = {}) {
  const store = new WatchedStore()
  const errors: unknown[] = []
  const behind: Promise<unknown>[] = []
  const clock = { ms: 1_000_000 }
  const list = new LiveList({
    modules,
    store: store.sealed,
    refreshSeconds: 60,
    maxAgeSeconds: 3600,
    onStale: 'use',
    maxEntries: 3 << 20,
    maxTableEntries: 1 << 20,
    onError: (error) => errors.push(error),
    now: () => clock.ms,
    ...options,
  })
  const keepAlive = (promise: Promise<unknown>) => void behind.push(promise)
  const publish = async (entries: Entry[]): Promise<Manifest> =>
    (await publishBank(store.sealed, entries, { bank: 'a' })).manifest
  return {
    store,
    errors,
    clock,
    list,
    behind,
    get: () => list.get(keepAlive),
    prepare: () => list.prepare(keepAlive),
    /** Ids of entries that a hash matches. */
    ask: async (entry: Entry | undefined) => {
      const needles = [needle(entry!.hash)]
      const { results } = await list.match([{ needles }], keepAlive)
      const [result] = results
      return result!.matches.map((match) => match.entry)
    },
    /** Waits for what runs behind requests. */
    settle: async () => {
      while (behind.length > 0) await Promise.all(behind.splice(0))
    },
    publishEntries: publish,
    publish: (seed: number) => publish(randomEntries(50, seed)),
  }
}

function manifestReads({ reads }: WatchedStore): number {
  return reads.filter((key) => key === 'manifest').length
}

afterEach(() => vi.useRealTimers())

describe('LiveList', () => {
  it('loads the list once for requests that come together', async () => {
    const { store, behind, get, publish } = setUp()
    await publish(1)
    store.reads.length = 0
    const indexes = await Promise.all(Array.from({ length: 50 }, get))
    expect(new Set(indexes).size).toBe(1)
    expect(behind).toHaveLength(1) // it outlives the request that began it
    expect(store.reads).toEqual(['manifest', expect.stringMatching(/^segment\//)])
  })

  it('is prepared once, before it is asked for, and says once if it cannot be', async () => {
    const { store, errors, get, prepare, publish, settle } = setUp()
    await publish(1)
    store.onRead = () => {
      throw new Error('unavailable')
    }
    prepare()
    await settle()
    expect(errors).toEqual([new Error('unavailable')])
    await expect(get()).rejects.toThrow('unavailable')
    expect(errors).toHaveLength(1)
    const other = setUp()
    await other.publish(1)
    other.store.reads.length = 0
    for (let i = 0; i < 3; i++) other.prepare()
    await other.settle()
    expect(other.list.version).toBe(1)
    other.prepare()
    expect((await other.get()).manifest.version).toBe(1)
    expect(manifestReads(other.store)).toBe(1)
  })

  it('looks for a newer version after the refresh time, without making a request wait', async () => {
    const { clock, get, ask, publish, settle } = setUp()
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
    expect((await get()).manifest.version).toBe(2)
    expect(await ask(randomEntries(1, 2)[0])).toEqual(['e-2-0'])
    expect(await ask(randomEntries(1, 1)[0])).toEqual([])
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

  it('keeps the list when the store answers with an older one, and does not take it for confirmed', async () => {
    const { store, errors, list, clock, get, publish, settle } = setUp()
    await publish(1)
    const older = (await store.inner.get('manifest'))!
    await publish(2)
    const index = await get()
    await store.put('manifest', older)
    clock.ms += 60_000
    await get()
    await settle()
    expect(await get()).toBe(index)
    expect(errors).toMatchObject([{ code: 'older-manifest' }])
    expect(list.state).toMatchObject({
      state: 'current',
      version: 2,
      age: 60,
      error: 'older-manifest',
    })
  })

  it('throws while there is no list, and tries again after 1, 2, 4 seconds and so on', async () => {
    const { store, errors, clock, get, publish } = setUp({ refreshSeconds: 5 })
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

  it('lets requests wait for a slow first load, but not forever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const { store, get, publish } = setUp()
    await publish(1)
    store.onRead = () => new Promise(() => {})
    void get()
    const errors: unknown[] = []
    get().catch((error: unknown) => errors.push(error))
    await vi.advanceTimersByTimeAsync(29_999)
    expect(errors).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(errors).toMatchObject([{ code: 'list-loading' }])
  })

  it('loads the list behind a request that waits when the first load reads nothing any more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const { store, clock, errors, get, publish } = setUp()
    await publish(1)
    store.reads.length = 0
    store.onRead = () => new Promise(() => {})
    void get()
    store.onRead = () => {}
    const waiting = get()
    clock.ms += 15_000
    await vi.advanceTimersByTimeAsync(15_000)
    expect((await waiting).manifest.version).toBe(1)
    expect(manifestReads(store)).toBe(2)
    expect(errors).toEqual([])
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
    clock.ms += 14_999
    await get()
    expect(list.version).toBe(1)
    clock.ms += 1
    const behind: Promise<unknown>[] = []
    await list.get((promise) => behind.push(promise))
    await Promise.all(behind)
    expect(list.version).toBe(2)
  })

  it('brings additions and removals at the next refresh, and reads just those', async () => {
    const { store, clock, ask, get, publishEntries, settle } = setUp()
    const entries = randomEntries(3000, 1)
    await publishEntries(entries)
    await get()
    const more = randomEntries(100, 2)
    const manifest = await publishEntries([...entries.slice(1), ...more])
    clock.ms += 60_000
    store.reads.length = 0
    await get()
    await settle()
    const [old, added] = segmentsOf(manifest)
    expect(store.reads.toSorted()).toEqual([
      'manifest',
      `removed/${old!.removed!.name}`,
      `segment/${added!.name}/0`,
    ])
    expect(await ask(more[99])).toEqual(['e-2-99'])
    expect(await ask(entries[0])).toEqual([])
    expect(await ask(entries[1])).toEqual(['e-1-1'])
  })

  it('builds tables behind requests, and answers meanwhile', async () => {
    const { list, ask, publishEntries, settle } = setUp()
    const entries = randomEntries(20_000, 1)
    await publishEntries(entries)
    expect(await ask(entries[1])).toEqual(['e-1-1'])
    const before = list.memoryBytes
    await settle()
    expect(list.memoryBytes).toBeGreaterThan(before * 2)
    expect(await ask(entries[1])).toEqual(['e-1-1'])
  })

  it('does not try tables again at once that could not be built', async () => {
    const { store, errors, clock, ask, publishEntries, settle } = setUp()
    const entries = randomEntries(20_000, 1)
    await publishEntries(entries)
    store.onRead = (key) => {
      if (key.startsWith('tail/')) throw new Error('storage is down')
    }
    for (let i = 0; i < 20; i++) {
      expect(await ask(entries[1])).toEqual(['e-1-1'])
      await settle()
    }
    expect(errors).toHaveLength(1)
    clock.ms += 60_000
    await ask(entries[1])
    await settle()
    expect(errors).toHaveLength(2)
  })

  it('builds tables behind another request when the one that built them is gone', async () => {
    const { store, list, clock, errors, ask, publishEntries, settle } = setUp()
    const entries = randomEntries(20_000, 1)
    await publishEntries(entries)
    // The platform ends the request behind which tables are built: what it awaits never comes.
    let goOn = () => {}
    let tails = 0
    store.onRead = (key) =>
      key.startsWith('tail/') && ++tails === 2
        ? new Promise<void>((resolve) => (goOn = resolve))
        : undefined
    await ask(entries[1])
    await expect.poll(() => tails, { timeout: 60_000 }).toBe(2)
    const before = list.memoryBytes
    clock.ms += 59_000
    await ask(entries[1])
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(tails).toBe(2)
    clock.ms += 1000
    await ask(entries[1])
    await expect.poll(() => tails, { timeout: 60_000 }).toBeGreaterThanOrEqual(8)
    // Should the first go on after all, it changes nothing.
    goOn()
    await settle()
    const read = tails
    clock.ms += 60_000
    for (const i of [1, 77, 19_999]) expect(await ask(entries[i])).toEqual([`e-1-${i}`])
    await settle()
    expect(tails).toBe(read) // nothing is left to build
    expect(list.memoryBytes).toBeGreaterThanOrEqual(before)
    expect(errors).toEqual([])
  })

  it('gives up a load that reads nothing any more, and never fills what another one has', async () => {
    const { store, list, clock, get, ask, publishEntries, settle } = setUp({ maxTableEntries: 0 })
    await publishEntries(randomEntries(20_000, 1))
    await get()
    await publishEntries(randomEntries(20_000, 2))
    clock.ms += 60_000
    // The first load of version 2 stands still when it has read it through.
    let goOn = () => {}
    let parts = 0
    store.onRead = (key) =>
      key.startsWith('segment/') && ++parts === 1
        ? new Promise<void>((resolve) => (goOn = resolve))
        : undefined
    await get()
    await expect.poll(() => parts, { timeout: 60_000 }).toBe(1)
    const third = randomEntries(20_000, 3)
    await publishEntries(third)
    clock.ms += 15_000
    await get()
    await expect.poll(() => list.version, { timeout: 60_000 }).toBe(3)
    goOn()
    await settle()
    expect(list.version).toBe(3)
    for (const i of [0, 777, 19_999]) expect(await ask(third[i])).toEqual([`e-3-${i}`])
  })

  it.each([
    [19_999, false],
    [20_000, true],
  ])(
    'builds none for a list that is larger than may have them: 20,000 of %i',
    async (most, isBuilt) => {
      const { list, ask, publishEntries, settle } = setUp({ maxTableEntries: most })
      const entries = randomEntries(20_000, 1)
      await publishEntries(entries)
      await ask(entries[1])
      const before = list.memoryBytes
      await settle()
      expect(list.memoryBytes > before).toBe(isBuilt)
    },
  )

  it('holds as many entries as it may, and no more', async () => {
    const { errors, clock, get, publishEntries, settle } = setUp({ maxEntries: 100 })
    await publishEntries(randomEntries(100, 1))
    const index = await get()
    await publishEntries(randomEntries(101, 2))
    clock.ms += 60_000
    await get()
    await settle()
    expect(await get()).toBe(index)
    expect(errors).toMatchObject([{ code: 'list-too-large' }])
  })
})

describe('a list that cannot be confirmed', () => {
  it('is reported as stale after its age, and used', async () => {
    const { store, errors, list, clock, ask, publish, settle } = setUp({ maxAgeSeconds: 600 })
    await publish(1)
    await ask(randomEntries(1, 1)[0])
    store.onRead = () => {
      throw new Error('storage is down')
    }
    clock.ms += 600_000
    await ask(randomEntries(1, 2)[0])
    await settle()
    expect(list.state).toMatchObject({ state: 'current', age: 600 })
    expect(errors).toEqual([new Error('storage is down')])
    clock.ms += 60_000
    expect((await list.match([{ needles: [] }], () => {})).results).toHaveLength(1)
    expect(list.state).toMatchObject({ state: 'stale', age: 660, error: 'unknown error' })
    expect(errors.at(-1)).toMatchObject({ code: 'stale-list' })
    store.onRead = () => {}
    clock.ms += 60_000
    await ask(randomEntries(1, 1)[0])
    await settle()
    expect(list.state).toMatchObject({ state: 'current', age: 0 })
  })

  it('fails by configuration, until it is confirmed', async () => {
    const { store, clock, get, publish } = setUp({ maxAgeSeconds: 600, onStale: 'fail' })
    await publish(1)
    const index = await get()
    store.onRead = () => {
      throw new Error('storage is down')
    }
    clock.ms += 600_000
    expect(await get()).toBe(index)
    clock.ms += 1000
    await expect(get()).rejects.toMatchObject({ code: 'stale-list' })
    store.onRead = () => {}
    clock.ms += 60_000
    expect(await get()).toBe(index) // it is read again before it is used
  })

  it('is not used for longer than what it is read from is kept', async () => {
    const { store, clock, get, publish } = setUp({ maxAgeSeconds: 86_400 })
    await publish(1)
    await get()
    store.onRead = () => {
      throw new Error('storage is down')
    }
    clock.ms += 24 * 3_600_000
    await get()
    clock.ms += 1001
    await expect(get()).rejects.toMatchObject({ code: 'stale-list' })
  })
})

describe('a version in which all is new', () => {
  // So large that memories of less than a page do not hide what is held.
  const old = randomEntries(20_000, 1)
  const next = randomEntries(20_000, 2)

  it('takes the place of the old one, without both in memory', async () => {
    const { store, list, clock, ask, publishEntries, settle } = setUp({ maxTableEntries: 0 })
    await publishEntries(old)
    expect(await ask(old[7])).toEqual(['e-1-7'])
    const resting = list.memoryBytes
    await publishEntries(next)
    clock.ms += 60_000
    let peak = 0
    store.onRead = () => {
      peak = Math.max(peak, list.memoryBytes)
    }
    await ask(old[7])
    await settle()
    expect(peak).toBeLessThanOrEqual(resting)
    expect(list.memoryBytes).toBe(resting)
    expect(await ask(next[7])).toEqual(['e-2-7'])
    expect(await ask(old[7])).toEqual([])
  })

  it('lets requests wait meanwhile, and answers from one version or the other', async () => {
    const { store, clock, ask, publishEntries, settle } = setUp({ maxTableEntries: 0 })
    await publishEntries(old)
    await ask(old[7])
    await publishEntries(next)
    clock.ms += 60_000
    const answers: Promise<string[][]>[] = []
    store.onRead = (key) => {
      if (key.startsWith('segment/')) answers.push(Promise.all([ask(old[3]), ask(next[3])]))
    }
    await ask(old[7])
    await settle()
    const told = (await Promise.all(answers)).map((answer) => JSON.stringify(answer))
    expect(new Set(told)).toEqual(new Set(['[["e-1-3"],[]]', '[[],["e-2-3"]]']))
  })

  it('leaves the old one alone if it is incomplete', async () => {
    const { store, errors, clock, get, ask, publishEntries, settle } = setUp({ maxTableEntries: 0 })
    await publishEntries(old)
    const index = await get()
    const manifest = await publishEntries(next)
    await store.deleteAll([`segment/${segmentsOf(manifest)[0]!.name}/0`])
    clock.ms += 60_000
    await get()
    await settle()
    expect(await get()).toBe(index)
    expect(await ask(old[7])).toEqual(['e-1-7'])
    expect(errors).toMatchObject([{ code: 'value-missing' }])
  })

  it('is undone when it fails half-way, after it was seen to be whole', async () => {
    const { store, errors, list, clock, get, ask, publishEntries, settle } = setUp({
      maxTableEntries: 0,
    })
    await publishEntries(old)
    await get()
    const manifest = await publishEntries(next)
    const key = `segment/${segmentsOf(manifest)[0]!.name}/0`
    clock.ms += 60_000
    store.onRead = (read) => {
      const times = store.reads.filter((other) => other === key).length
      if (read === key && times === 2) throw new Error('storage is down')
    }
    await get()
    await settle()
    expect(await ask(old[7])).toEqual(['e-1-7'])
    expect(await ask(next[7])).toEqual([])
    expect(errors).toEqual([new Error('storage is down')])
    // The old version is back, but was not seen to be the latest: it is looked at again after a second.
    expect(list.state).toMatchObject({ version: 1, age: 60, error: 'unknown error' })
    clock.ms += 1000
    await get()
    await settle()
    expect(await ask(next[7])).toEqual(['e-2-7'])
    expect(list.version).toBe(2)
  })
})

describe('the status of a list', () => {
  it('is its version, age, state and counts', async () => {
    const { list, clock, get, publishEntries } = setUp()
    expect(list.state).toEqual({ state: 'none' })
    await expect(get()).rejects.toThrow('no hash list')
    expect(list.state).toEqual({ state: 'none', error: 'list-missing' })
    clock.ms += 60_000
    const manifest = await publishEntries([...randomEntries(50, 1), ...randomDigests(30, 1)])
    await get()
    clock.ms += 30_000
    expect(list.state).toEqual({
      state: 'current',
      version: 1,
      publishedAt: manifest.publishedAt,
      age: 30,
      entries: { pdq: 50, exact: 30 },
      where: 'isolate',
      memoryBytes: list.memoryBytes,
    })
  })
})

describe('each fault of the store', () => {
  const entries = randomEntries(3000, 1)
  const more = [...entries, ...randomEntries(100, 2)]
  const flip = (value: Uint8Array<ArrayBuffer>) => {
    const flipped = value.slice()
    flipped[100] = (flipped[100] ?? 0) ^ 1
    return flipped
  }

  /** What becomes of the values of the second version. */
  const faults: [string, string, (store: WatchedStore, key: string) => Promise<void> | void][] = [
    ['a value is missing', 'value-missing', (store, key) => store.deleteAll([key])],
    [
      'a value is cut off',
      'value-damaged',
      async (store, key) => store.put(key, (await store.get(key))!.slice(0, 90)),
    ],
    ['a value is empty', 'value-damaged', (store, key) => store.put(key, new Uint8Array(0))],
    [
      'a bit is flipped',
      'value-damaged',
      async (store, key) => store.put(key, flip((await store.get(key))!)),
    ],
    [
      'a value is foreign',
      'value-damaged',
      async (store, key) =>
        store.put(key, (await store.get(key.startsWith('segment') ? 'manifest' : 'history/1'))!),
    ],
    [
      'a value has another key',
      'unknown-key',
      async (store, key) => seal(store, OTHER_KEY).put(key, new Uint8Array(10)),
    ],
    [
      'the manifest is newer than this code',
      'other-format',
      (store) =>
        store.sealed.put('manifest', new Uint8Array(new TextEncoder().encode('{"format":99}'))),
    ],
    [
      'the store fails',
      'unknown error',
      (store, key) => {
        store.onRead = (read) => {
          if (read === key) throw new Error('fails')
        }
      },
    ],
  ]
  const places = ['manifest', 'segment'] as const
  const cases = faults.flatMap(([name, code, spoil]) =>
    places.map((place) => [name, place, code, spoil] as const),
  )

  it.each(cases)(
    'keeps the last good list, says so, and recovers: %s, in the %s',
    async (_, place, code, spoil) => {
      const { store, list, errors, clock, get, ask, publishEntries, settle } = setUp()
      await publishEntries(entries)
      await ask(entries[0])
      const manifest = await publishEntries(more)
      const good = new Map(store.inner.values)
      const key = place === 'manifest' ? 'manifest' : `segment/${segmentsOf(manifest)[1]!.name}/0`
      await spoil(store, key)
      const expected = place === 'manifest' && code === 'value-missing' ? 'list-missing' : code
      clock.ms += 60_000
      await get()
      await settle()
      expect(errors).toHaveLength(1)
      expect(list.state).toMatchObject({ state: 'current', version: 1, error: expected })
      expect(await ask(entries[0])).toEqual(['e-1-0'])
      expect(await ask(more.at(-1))).toEqual([])
      store.onRead = () => {}
      for (const [name, value] of good) store.inner.values.set(name, value)
      clock.ms += 1000
      await get()
      await settle()
      expect(await ask(more.at(-1))).toEqual(['e-2-99'])
      expect(list.state).not.toHaveProperty('error')
      expect((await readManifest(store.sealed)).version).toBe(2)
    },
  )
})
