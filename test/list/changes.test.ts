import { beforeEach, describe, expect, it } from 'vitest'
import { publishChanges } from '../../src/list/changes.ts'
import { digestEntry } from '../../src/list/digests.ts'
import type { Entry } from '../../src/list/entry.ts'
import { ListTooLargeError, PublishConflictError } from '../../src/list/errors.ts'
import { liveCount, type Manifest, readManifest } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { readRemovals } from '../../src/list/removals.ts'
import { readEntries } from '../../src/list/segment.ts'
import { type ListStore, MemoryStore } from '../../src/list/store.ts'
import { verifyList } from '../../src/list/verify.ts'
import { randomDigests, randomEntries } from '../support/entries.ts'
import { CutOffStore, kvNamespace, kvStore, seal, WatchedStore } from '../support/stores.ts'
import { randomFrom } from '../support/random.ts'

beforeEach(async () => {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
})

async function liveIn(store: ListStore, manifest: Manifest, bank = 'a'): Promise<string[]> {
  const ids: string[] = []
  for (const ref of manifest.banks.find(({ id }) => id === bank)?.segments ?? []) {
    const removed = new Set(await readRemovals(store, ref))
    const entries = await readEntries(store, ref)
    ids.push(...entries.flatMap(({ id }, i) => (removed.has(i) ? [] : [id])))
  }
  return ids.toSorted()
}

function idsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ id }) => id).toSorted()
}

describe('publishChanges', () => {
  it('adds and removes entries of a bank, and leaves the other banks alone', async () => {
    const store = kvStore()
    const old = [...randomEntries(3000, 1), ...randomDigests(900, 2)]
    const { manifest: before } = await publishBank(store, old, { bank: 'a' })
    await publishBank(store, randomEntries(5, 3), { bank: 'b' })
    const added = [...randomEntries(40, 4), ...randomDigests(30, 5)]
    const removed = [...old.slice(7, 17), ...old.slice(3100, 3110)]
    const changed = await publishChanges(store, [{ bank: 'a', added, removed }])
    expect(changed).toMatchObject({ added: 70, removed: 20, manifest: { version: 3 } })
    const manifest = await readManifest(store)
    const left = old.filter((entry) => !removed.includes(entry))
    expect(await liveIn(store, manifest)).toEqual(idsOf([...left, ...added]))
    expect(await liveIn(store, manifest, 'b')).toEqual(idsOf(randomEntries(5, 3)))
    expect((await verifyList(store)).problems).toEqual([])
    const names = before.banks[0]!.segments.map(({ name }) => name)
    expect(manifest.banks[0]!.segments.map(({ name }) => name)).toEqual(
      expect.arrayContaining(names),
    )
  })

  it('begins a list', async () => {
    const store = kvStore()
    const added = randomDigests(10, 1)
    await publishChanges(store, [
      { bank: 'a', added, removed: [] },
      { bank: 'b', added, removed: [] },
    ])
    const manifest = await readManifest(store)
    expect(manifest.version).toBe(1)
    expect(await liveIn(store, manifest, 'b')).toEqual(idsOf(added))
  })

  it('can publish the same changes twice', async () => {
    const store = kvStore()
    const old = randomEntries(300, 1)
    await publishBank(store, old, { bank: 'a' })
    const change = { bank: 'a', added: randomEntries(20, 2), removed: old.slice(0, 20) }
    await publishChanges(store, [change])
    const again = await publishChanges(store, [change])
    expect(again).toMatchObject({ added: 0, removed: 0 })
    expect(await liveIn(store, again.manifest)).toEqual(idsOf([...old.slice(20), ...change.added]))
  })

  it('adds again what was removed, and keeps what is added and removed at once', async () => {
    const store = kvStore()
    const [one, two, three] = randomEntries(3, 1) as [Entry, Entry, Entry]
    await publishBank(store, [one, two, three], { bank: 'a' })
    await publishChanges(store, [{ bank: 'a', added: [], removed: [one] }])
    const { manifest } = await publishChanges(store, [
      { bank: 'a', added: [one, two], removed: [two, three] },
    ])
    expect(await liveIn(store, manifest)).toEqual(idsOf([one, two]))
  })

  it('tells entries apart that differ in their id or labels alone', async () => {
    const store = kvStore()
    const [entry] = randomEntries(1, 1) as [Entry]
    const other = { ...entry, id: 'other' }
    await publishChanges(store, [{ bank: 'a', added: [entry, other], removed: [] }])
    const { manifest } = await publishChanges(store, [{ bank: 'a', added: [], removed: [entry] }])
    expect(await liveIn(store, manifest)).toEqual(['other'])
  })

  it('removes entries whose digests begin alike, to the last three of 24 bits', async () => {
    const store = kvStore()
    const [entry] = randomEntries(1, 1) as [Entry]
    const all = Array.from({ length: 5000 }, (_, i) => ({ ...entry, id: `${i}` }))
    const beginning = (one: Entry) => Buffer.from(digestEntry(one), 'latin1').readUIntBE(0, 3)
    const alike = Map.groupBy(all, (one) => beginning(one) >> 3)
    const pairs = [...alike.values()].filter(
      ([one, other]) => other && beginning(one!) !== beginning(other),
    )
    expect(pairs.length).toBeGreaterThan(0)
    await publishBank(store, [entry, ...pairs.flat()], { bank: 'a' })
    const change = { bank: 'a', added: [], removed: pairs.flat() }
    const { manifest } = await publishChanges(store, [change])
    expect(await liveIn(store, manifest)).toEqual([entry.id])
  })

  it('ends with the same entries as a model, with few segments, after many changes', async () => {
    const store = seal(new WatchedStore())
    const random = randomFrom(5)
    const pool = [...randomEntries(400, 1), ...randomDigests(400, 2)]
    const model = new Set<Entry>()
    for (let round = 0; round < 40; round++) {
      const some = () => pool.filter(() => random() < 0.03)
      const [added, removed] = [some(), some()]
      for (const entry of removed) model.delete(entry)
      for (const entry of added) model.add(entry)
      const { manifest } = await publishChanges(store, [{ bank: 'a', added, removed }])
      expect(await liveIn(store, manifest)).toEqual(idsOf([...model]))
      for (const kind of ['pdq', 'exact']) {
        const segments = manifest.banks[0]!.segments.filter((segment) => segment.kind === kind)
        expect(segments.length).toBeLessThanOrEqual(8)
        expect(segments.every((segment) => liveCount(segment) > 0)).toBe(true)
      }
    }
  })

  it('reads no details and no hashes of a segment that stays', async () => {
    const watched = new WatchedStore()
    const old = randomEntries(3000, 1)
    await publishBank(watched.sealed, old, { bank: 'a' })
    watched.reads.length = 0
    await publishChanges(watched.sealed, [
      { bank: 'a', added: randomEntries(10, 2), removed: old.slice(0, 3) },
    ])
    const folders = new Set(watched.reads.map((key) => key.split('/')[0]))
    expect(folders).toEqual(new Set(['digests', 'history', 'manifest', 'unused']))
  })

  it('changes nothing when it is cut off, and ends well when it runs again', async () => {
    const watched = new WatchedStore()
    const old = randomEntries(100, 1)
    await publishBank(watched.sealed, old, { bank: 'a' })
    const change = { bank: 'a', added: randomEntries(2000, 2), removed: old.slice(0, 50) }
    for (const writes of [0, 1, 2]) {
      const cut = seal(new CutOffStore(watched, writes))
      await expect(publishChanges(cut, [change])).rejects.toThrow('cut off')
      expect(await liveIn(watched.sealed, await readManifest(watched.sealed))).toEqual(idsOf(old))
    }
    const { manifest } = await publishChanges(watched.sealed, [change])
    expect(await liveIn(watched.sealed, manifest)).toEqual(
      idsOf([...old.slice(50), ...change.added]),
    )
  })

  it('builds on the manifest that its publisher knows, when the store answers with an older one', async () => {
    const watched = new WatchedStore()
    const first = await publishChanges(watched.sealed, [
      { bank: 'a', added: randomEntries(2, 1), removed: [] },
    ])
    const old = watched.inner.values.get('manifest')!
    const second = await publishChanges(watched.sealed, [
      { bank: 'a', added: randomEntries(2, 2), removed: [] },
    ])
    watched.inner.values.set('manifest', old)
    const base = { manifest: second.manifest, version: second.manifest.version }
    const change = { bank: 'a', added: randomEntries(2, 3), removed: [] }
    const third = await publishChanges(watched.sealed, [change], { base })
    expect(third.manifest.version).toBe(first.manifest.version + 2)
    expect(await liveIn(watched.sealed, third.manifest)).toHaveLength(6)
    await expect(publishChanges(watched.sealed, [change], { base })).rejects.toThrow(
      PublishConflictError,
    )
  })

  it('refuses a list that no isolate can hold, unless it is allowed', async () => {
    const store = seal(new MemoryStore()) // so that no later test can find this list
    await publishBank(store, randomEntries(2, 1), { bank: 'a' })
    const manifest = await readManifest(store)
    const [bank] = manifest.banks
    const [segment] = bank!.segments
    const segments = Array.from({ length: 3 }, (_, i) => ({
      ...segment!,
      name: `${i}`.repeat(64),
      count: 1 << 20,
    }))
    const base = {
      manifest: { ...manifest, banks: [{ ...bank!, id: 'full', segments }] },
      version: 1,
    }
    const change = { bank: 'a', added: randomEntries(1, 2), removed: [] }
    await expect(publishChanges(store, [change], { base })).rejects.toThrow(ListTooLargeError)
    await publishChanges(store, [change], { base, allowLarge: true })
  })
})
