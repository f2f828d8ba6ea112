import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { ListMissingError, UnknownKeyError, VersionMissingError } from '../../src/list/errors.ts'
import { keptVersions } from '../../src/list/history.ts'
import { type Manifest, readManifest, segmentsOf } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { rekey } from '../../src/list/rekey.ts'
import { readableVersions } from '../../src/list/history.ts'
import { rollBack } from '../../src/list/rollback.ts'
import { keysOf } from '../../src/list/segment.ts'
import { sweep } from '../../src/list/sweep.ts'
import { verifyList } from '../../src/list/verify.ts'
import { BankIndex } from '../../src/match/bank-index.ts'
import { needle, randomDigests, randomEntries } from '../support/entries.ts'
import { CutOffStore, OTHER_KEY, KEY, seal, WatchedStore } from '../support/stores.ts'

const HOUR = 3_600_000

async function publish(store: WatchedStore, count: number, seed: number): Promise<Manifest> {
  const entries = [...randomEntries(count, seed), ...randomDigests(count, seed)]
  return (await publishBank(store.sealed, entries, { bank: 'a' })).manifest
}

/** Keys of content that are stored. */
function contentIn(store: WatchedStore): string[] {
  return [...store.inner.values.keys()].filter(
    (key) => key.includes('/') && !key.startsWith('history'),
  )
}

function keysNamedBy(manifest: Manifest): string[] {
  return segmentsOf(manifest).flatMap(keysOf)
}

describe('sweep', () => {
  it('deletes what no version has named for 48 hours that was replaced 48 hours ago, no sooner', async () => {
    const store = new WatchedStore()
    const first = await publish(store, 20, 1)
    const second = await publish(store, 20, 2)
    const start = Date.parse(second.publishedAt)
    const all = contentIn(store)
    const at = (hours: number) => sweep(store.sealed, second, start + hours * HOUR)
    expect(await at(47.9)).toBe(0)
    expect(await keptVersions(store.sealed)).toEqual([2, 1])
    expect(await at(48.1)).toBe(1) // the manifest of the first version
    expect(await keptVersions(store.sealed)).toEqual([2])
    expect(contentIn(store)).toEqual(all)
    expect(await at(96)).toBe(0)
    expect(await at(96.2)).toBe(keysNamedBy(first).length)
    expect(contentIn(store).toSorted()).toEqual(keysNamedBy(second).toSorted())
    expect(await verifyList(store.sealed)).toMatchObject({ entries: 40, problems: [] })
  })

  it('keeps what a publisher has written and not yet named', async () => {
    const store = new WatchedStore()
    const manifest = await publish(store, 20, 1)
    const cut = publishBank(seal(new CutOffStore(store, 8)), randomEntries(2000, 2), { bank: 'a' })
    await expect(cut).rejects.toThrow('cut off')
    const before = contentIn(store)
    expect(await sweep(store.sealed, manifest)).toBe(0)
    expect(await sweep(store.sealed, manifest, Date.now() + 47 * HOUR)).toBe(0)
    expect(contentIn(store)).toEqual(before)
    expect(await sweep(store.sealed, manifest, Date.now() + 49 * HOUR)).toBeGreaterThan(0)
    expect(contentIn(store).toSorted()).toEqual(keysNamedBy(manifest).toSorted())
  })

  it('does not take for written what listings still show after it was deleted', async () => {
    const store = new WatchedStore()
    await publish(store, 20, 1)
    const second = await publish(store, 20, 2)
    const later = Date.now() + 49 * HOUR
    await sweep(store.sealed, second, later)
    const before = await store.list('')
    expect(await sweep(store.sealed, second, later + 49 * HOUR)).toBeGreaterThan(0)
    const lagging = new WatchedStore(store.inner)
    lagging.list = async (prefix) => before.filter((key) => key.startsWith(prefix))
    const again = await publish(lagging, 20, 1)
    expect(segmentsOf(again)).toHaveLength(2)
    expect(await verifyList(store.sealed)).toMatchObject({ entries: 40, problems: [] })
  })

  it('begins anew where its note is lost or damaged', async () => {
    const store = new WatchedStore()
    await publish(store, 20, 1)
    const second = await publish(store, 20, 2)
    const later = Date.now() + 49 * HOUR
    await sweep(store.sealed, second, later)
    const before = contentIn(store)
    await store.put('unused', new Uint8Array(50))
    expect(await sweep(store.sealed, second, later + 49 * HOUR)).toBe(0)
    expect(contentIn(store)).toEqual(before)
    expect(await sweep(store.sealed, second, later + 98 * HOUR)).toBeGreaterThan(0)
  })
})

describe('rollBack', () => {
  it('publishes an earlier version as a new one', async () => {
    const store = new WatchedStore()
    const first = await publish(store, 20, 1)
    await publish(store, 30, 2)
    const manifest = await rollBack(store.sealed, 1)
    expect(manifest).toMatchObject({ version: 3, banks: first.banks })
    expect(await readManifest(store.sealed)).toEqual(manifest)
    expect(await rollBack(store.sealed, 2)).toMatchObject({ version: 4 })
    expect(await verifyList(store.sealed)).toMatchObject({ entries: 60, problems: [] })
  })

  it('fails as the store does, and takes that for no missing key', async () => {
    const store = new WatchedStore()
    await publish(store, 20, 1)
    await publish(store, 30, 2)
    store.onRead = (key) =>
      key.startsWith('history/') ? Promise.reject(new TypeError('no store')) : undefined
    await expect(rollBack(store.sealed, 1)).rejects.toThrow(new TypeError('no store'))
  })

  it('can return to a version whose publisher was gone before it had kept it', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(20, 1)
    const writes = await (async () => {
      const counted = new CutOffStore(new WatchedStore(), 1000)
      await publishBank(seal(counted), entries, { bank: 'a' })
      return counted.written.indexOf('manifest') + 1
    })()
    const cut = publishBank(seal(new CutOffStore(store, writes)), entries, { bank: 'a' })
    await expect(cut).rejects.toThrow('cut off')
    expect((await readManifest(store.sealed)).version).toBe(1)
    expect(await keptVersions(store.sealed)).toEqual([])
    await publish(store, 30, 2)
    expect(await keptVersions(store.sealed)).toEqual([2, 1])
    expect(await rollBack(store.sealed, 1)).toMatchObject({ version: 3 })
  })

  it('refuses one that is not kept, not whole, or published already', async () => {
    const store = new WatchedStore()
    const first = await publish(store, 20, 1)
    await publish(store, 30, 2)
    await expect(rollBack(store.sealed, 9)).rejects.toThrow('you can roll back to 1')
    await expect(rollBack(store.sealed, 2)).rejects.toThrow(VersionMissingError)
    await store.deleteAll(keysNamedBy(first).slice(0, 1))
    await expect(rollBack(store.sealed, 1)).rejects.toThrow('1 of its values')
    expect((await readManifest(store.sealed)).version).toBe(2)
  })
})

describe('rollBack after rekey', () => {
  it('says which key it lacks, and names only versions that it can return to', async () => {
    const store = new WatchedStore()
    await publish(store, 20, 1)
    await publish(store, 30, 2)
    const both = seal(store, `${OTHER_KEY},${KEY}`)
    await rekey(both) // version 3
    const fresh = seal(store, OTHER_KEY)
    await publishBank(fresh, randomEntries(5, 3), { bank: 'a' })
    expect(await readableVersions(fresh)).toEqual([4, 3])
    const refused = rollBack(fresh, 1)
    await expect(refused).rejects.toThrow(VersionMissingError)
    await expect(refused).rejects.toThrow(
      'cannot roll back to version 1: it was sealed with a key that is no longer in LIST_KEY',
    )
    await expect(rollBack(fresh, 9)).rejects.toThrow('you can roll back to 3')
    expect(await rollBack(both, 1)).toMatchObject({ version: 5 })
  })
})

describe('verifyList', () => {
  it('reads every value, and reports each that is missing or damaged', async () => {
    const store = new WatchedStore()
    await publish(store, 1500, 1)
    const manifest = await publish(store, 1400, 1) // with removals
    const values = new Map(store.inner.values)
    store.reads.length = 0
    const progress: number[][] = []
    const whole = await verifyList(store.sealed, (...told) => progress.push(told))
    expect(whole).toMatchObject({ entries: 2800, problems: [] })
    expect(progress).toEqual([
      [1, 2],
      [2, 2],
    ])
    const named = [
      ...keysNamedBy(manifest),
      ...segmentsOf(manifest).map(({ removed }) => `removed/${removed!.name}`),
    ]
    expect(new Set(store.reads)).toEqual(new Set(['manifest', ...named]))
    expect(whole.values).toBe(named.length + 1)
    for (const key of named) {
      await store.deleteAll([key])
      const { problems } = await verifyList(store.sealed)
      expect(problems.length).toBeGreaterThan(0)
      for (const problem of problems) expect(problem).toContain(key)
      store.inner.values.set(key, values.get(key)!)
    }
  })

  it('finds intact values that do not belong together', async () => {
    const store = new WatchedStore()
    const manifest = await publish(store, 100, 1)
    const other = await publish(store, 100, 2)
    for (const [i, key] of keysNamedBy(other).entries()) {
      const right = (await store.sealed.get(key))!
      const wrong = (await store.sealed.get(keysNamedBy(manifest)[i]!))!
      await store.sealed.put(key, wrong)
      expect((await verifyList(store.sealed)).problems).toHaveLength(1)
      await store.sealed.put(key, right)
    }
    expect(await verifyList(store.sealed)).toMatchObject({
      values: keysNamedBy(other).length + 1,
      problems: [],
    })
  })
})

describe('rekey', () => {
  it('wants a list', async () => {
    await expect(rekey(new WatchedStore().sealed)).rejects.toThrow(ListMissingError)
  })

  it('changes the key without a gap for readers that have both', async () => {
    const store = new WatchedStore()
    const entries = [...randomEntries(2000, 1), ...randomDigests(50, 1)]
    await publishBank(store.sealed, entries, { bank: 'a', threshold: 12 })
    await publishBank(store.sealed, entries.slice(10), { bank: 'a' })
    await publishBank(store.sealed, randomEntries(10, 2), { bank: 'b' })
    const both = seal(store, `${OTHER_KEY},${KEY}`)
    const index = await BankIndex.load(modules, both, await readManifest(both))
    const manifest = await rekey(both)
    expect(manifest).toMatchObject({ version: 4, banks: [{ id: 'a', threshold: 12 }, { id: 'b' }] })
    const ask = async (asked: BankIndex, number: number) => {
      const [result] = await asked.match([{ needles: [needle(entries[number]!.hash)] }])
      return result!.matches.map(({ entry }) => entry)
    }
    // The list that was loaded before still finds its details, under their old names.
    expect(await ask(index, 1500)).toEqual(['e-1-1500'])
    const fresh = seal(store, OTHER_KEY)
    expect(await readManifest(fresh)).toEqual(manifest)
    const next = await BankIndex.load(modules, fresh, await readManifest(fresh))
    expect(await ask(next, 1500)).toEqual(['e-1-1500'])
    expect(await ask(next, 5)).toEqual([])
    expect(await verifyList(fresh)).toMatchObject({ entries: 2050, problems: [] })
    await expect(readManifest(store.sealed)).rejects.toThrow(UnknownKeyError)
    // Published on, the bank keeps what it has: entries are told apart whatever the key.
    const again = await publishBank(fresh, entries.slice(10), { bank: 'a' })
    expect(again).toMatchObject({ added: 0, removed: 0, kept: 2040 })
  })

  it('changes nothing when it is cut off before the manifest', async () => {
    const store = new WatchedStore()
    const before = await publish(store, 10, 1)
    const keys = `${OTHER_KEY},${KEY}`
    const whole = new CutOffStore(store, 1000)
    await rekey(seal(whole, keys))
    const place = whole.written.indexOf('manifest')
    for (let writes = 0; writes < place; writes++) {
      const other = new WatchedStore()
      await publish(other, 10, 1)
      const cut = new CutOffStore(other, writes)
      await expect(rekey(seal(cut, keys))).rejects.toThrow('cut off')
      expect((await readManifest(other.sealed)).banks).toEqual(before.banks)
      expect(await verifyList(other.sealed)).toMatchObject({ problems: [] })
    }
  })
})
