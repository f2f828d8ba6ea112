import { beforeEach, describe, expect, it, vi } from 'vitest'
import { readDetails } from '../../src/list/details.ts'
import { readDigestSet } from '../../src/list/digest-set.ts'
import type { Entry } from '../../src/list/entry.ts'
import {
  ListMissingError,
  OtherFormatError,
  PublishConflictError,
  ValueDamagedError,
  ValueMissingError,
} from '../../src/list/errors.ts'
import {
  liveCount,
  type Manifest,
  readManifest,
  segmentsOf,
  type SegmentRef,
} from '../../src/list/manifest.ts'
import { readFirstHalves, readPart, readTail } from '../../src/list/pdq-segment.ts'
import { publishBank } from '../../src/list/publish.ts'
import { readRemovals } from '../../src/list/removals.ts'
import { keysOf, packSegment, readEntries } from '../../src/list/segment.ts'
import { BLOCK_ENTRIES } from '../../src/list/sizes.ts'
import { FIRST_SLOTS, SLOTS } from '../../src/core/haystack.ts'
import type { ListStore } from '../../src/list/store.ts'
import { verifyList } from '../../src/list/verify.ts'
import { bitsOf, flipBits, randomDigests, randomEntries } from '../support/entries.ts'
import { CutOffStore, kvNamespace, kvStore, seal, WatchedStore } from '../support/stores.ts'

beforeEach(async () => {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
})

/** Ids of the entries that a bank has, sorted. */
async function idsIn(store: ListStore, manifest: Manifest, bank = 'a'): Promise<string[]> {
  const ids: string[] = []
  for (const ref of manifest.banks.find(({ id }) => id === bank)?.segments ?? []) {
    const entries = await readEntries(store, ref)
    const removed = new Set(await readRemovals(store, ref))
    ids.push(...entries.flatMap(({ id }, i) => (removed.has(i) ? [] : [id])))
  }
  return ids.toSorted()
}

function idsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ id }) => id).toSorted()
}

describe('publishBank', () => {
  it('makes a list that can be read back from KV', async () => {
    const store = kvStore()
    const entries = [...randomEntries(3000, 1), ...randomDigests(1500, 2)]
    entries[5]!.labels = { source: 'IWF', label: 'ä' }
    const { manifest } = await publishBank(store, entries, { bank: 'csam' })
    expect(await readManifest(store)).toEqual(manifest)
    expect(manifest).toMatchObject({
      format: 3,
      version: 1,
      banks: [{ id: 'csam', threshold: 31, minQuality: 50 }],
    })
    const [pdq, exact] = manifest.banks[0]!.segments
    expect([pdq, exact]).toMatchObject([
      { kind: 'pdq', count: 3000 },
      { kind: 'exact', count: 1500 },
    ])
    const byId = (a: Entry, b: Entry) => a.id.localeCompare(b.id)
    const stored = [...(await readEntries(store, pdq!)), ...(await readEntries(store, exact!))]
    expect(stored.toSorted(byId)).toEqual(entries.toSorted(byId))
    const details = await readDetails(store, pdq!, 2)
    expect(details.all()).toHaveLength(3000 - 2 * BLOCK_ENTRIES)
    const [first] = await readFirstHalves(store, pdq!)
    expect(entries.some(({ hash }) => hash.subarray(0, 16).every((b, i) => b === first![i]))).toBe(
      true,
    )
    expect((await readDigestSet(store, exact!)).count).toBe(1500)
  })

  it('tells slots of the second half by tails', async () => {
    const store = kvStore()
    const { manifest } = await publishBank(store, randomEntries(100, 1), { bank: 'a' })
    const ref = manifest.banks[0]!.segments[0]!
    const stored = await readEntries(store, ref)
    for (let slot = FIRST_SLOTS; slot < SLOTS; slot++) {
      const tail = await readTail(store, ref, slot)
      const values = stored.map(
        (_, i) => tail[3 * i]! | (tail[3 * i + 1]! << 8) | (tail[3 * i + 2]! << 16),
      )
      expect(values).toEqual(stored.map(({ hash }) => bitsOf(hash, slot * 23, 23)))
    }
  })

  it('replaces one bank, keeps the others and their policies, and counts versions up', async () => {
    const store = kvStore()
    await publishBank(store, randomEntries(5, 1), { bank: 'b', threshold: 20 })
    const { manifest: kept } = await publishBank(store, randomEntries(6, 2), { bank: 'a' })
    const { manifest } = await publishBank(store, randomEntries(7, 3), { bank: 'b' })
    expect(manifest.version).toBe(3)
    expect(manifest.banks.map(({ id, threshold }) => [id, threshold])).toEqual([
      ['a', 31],
      ['b', 20],
    ])
    expect(manifest.banks[0]).toEqual(kept.banks[0])
    expect(await idsIn(store, manifest, 'b')).toEqual(idsOf(randomEntries(7, 3)))
  })

  it('publishes an empty bank', async () => {
    const { manifest } = await publishBank(kvStore(), [], { bank: 'none' })
    expect(manifest.banks[0]?.segments).toEqual([])
  })

  it('names a segment by its content, whatever the order of the list', async () => {
    const names: (string | undefined)[] = []
    for (const entries of [
      randomEntries(20, 1),
      randomEntries(20, 1).toReversed(),
      randomEntries(20, 2),
    ]) {
      const { manifest } = await publishBank(new WatchedStore().sealed, entries, { bank: 'a' })
      names.push(manifest.banks[0]?.segments[0]?.name)
    }
    expect(names[1]).toBe(names[0])
    expect(names[2]).not.toBe(names[0])
  })

  it('keeps banks apart that hold the same hashes', async () => {
    const store = kvStore()
    const entries = randomEntries(20, 1)
    const renamed = entries.map((entry, i) => ({ ...entry, id: `other-${i}` }))
    await publishBank(store, entries, { bank: 'a' })
    const { manifest } = await publishBank(store, renamed, { bank: 'b' })
    expect(await idsIn(store, manifest, 'a')).toEqual(idsOf(entries))
    expect(await idsIn(store, manifest, 'b')).toEqual(idsOf(renamed))
  })

  it('writes only what is new, and notes what is gone', async () => {
    const store = new WatchedStore()
    const entries = [...randomEntries(2000, 1), ...randomDigests(300, 2)]
    const first = await publishBank(store.sealed, entries, { bank: 'a' })
    expect(first).toMatchObject({ added: 2300, removed: 0, kept: 0 })
    const before = new Set(store.inner.values.keys())
    const more = randomEntries(10, 3)
    const next = [...entries.slice(5), ...more]
    const second = await publishBank(store.sealed, next, { bank: 'a' })
    expect(second).toMatchObject({ added: 10, removed: 5, kept: 2295 })
    const written = [...store.inner.values.keys()].filter((key) => !before.has(key))
    // a part, six tails, a detail block and digests of 10 entries; what was removed; the earlier version
    const folders = written.map((key) => key.slice(0, key.indexOf('/')))
    expect(folders.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'detail',
      'digests',
      'history',
      'removed',
      'segment',
      'tail',
      'tail',
      'tail',
      'tail',
      'tail',
      'tail',
    ])
    expect(await idsIn(store.sealed, second.manifest)).toEqual(idsOf(next))
    const same = await publishBank(store.sealed, next, { bank: 'a' })
    expect(same).toMatchObject({ added: 0, removed: 0, kept: 2305 })
    expect(same.manifest.banks).toEqual(second.manifest.banks)
  })

  it('takes an entry with another label for another', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(100, 1)
    await publishBank(store.sealed, entries, { bank: 'a' })
    const labelled = entries.with(7, { ...entries[7]!, labels: { source: 'IWF' } })
    const { added, removed, manifest } = await publishBank(store.sealed, labelled, { bank: 'a' })
    expect([added, removed]).toEqual([1, 1])
    expect(segmentsOf(manifest).map(liveCount)).toEqual([99, 1])
  })

  it('brings back what was removed', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(50, 1)
    await publishBank(store.sealed, entries, { bank: 'a' })
    await publishBank(store.sealed, entries.slice(1), { bank: 'a' })
    const { manifest } = await publishBank(store.sealed, entries, { bank: 'a' })
    expect(await idsIn(store.sealed, manifest)).toEqual(idsOf(entries))
  })

  it('writes a segment anew that lost a quarter of its entries', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(100, 1)
    await publishBank(store.sealed, entries, { bank: 'a' })
    const { manifest: noted } = await publishBank(store.sealed, entries.slice(25), { bank: 'a' })
    expect(segmentsOf(noted)).toMatchObject([{ count: 100, removed: { count: 25 } }])
    const { manifest: anew } = await publishBank(store.sealed, entries.slice(26), { bank: 'a' })
    expect(segmentsOf(anew)).toMatchObject([{ count: 74 }])
    expect(segmentsOf(anew)[0]?.removed).toBeUndefined()
    expect(await idsIn(store.sealed, anew)).toEqual(idsOf(entries.slice(26)))
  })

  it('merges small segments when there are more than eight', async () => {
    const store = new WatchedStore()
    const entries: Entry[] = []
    const counts: number[] = []
    for (let i = 0; i < 12; i++) {
      entries.push(...randomEntries(20, i), ...randomDigests(6, i))
      const { manifest } = await publishBank(store.sealed, entries, { bank: 'a' })
      counts.push(segmentsOf(manifest).filter(({ kind }) => kind === 'pdq').length)
      expect(await idsIn(store.sealed, manifest)).toEqual(idsOf(entries))
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4])
  })

  it('refuses to publish where the store shows a later version', async () => {
    const store = new WatchedStore()
    await publishBank(store.sealed, randomEntries(5, 1), { bank: 'a' })
    const manifest = store.inner.values.get('manifest')!
    await publishBank(store.sealed, randomEntries(6, 1), { bank: 'a' })
    await store.put('manifest', manifest) // as an eventually consistent store may answer
    const publishing = publishBank(store.sealed, randomEntries(7, 1), { bank: 'a' })
    await expect(publishing).rejects.toThrow(PublishConflictError)
  })

  it('does not overwrite what others have published meanwhile', async () => {
    const store = new WatchedStore()
    await publishBank(store.sealed, randomEntries(5, 1), { bank: 'a' })
    let isFirst = true
    const slow = new WatchedStore(store.inner)
    slow.onWrite = async () => {
      if (!isFirst) return
      isFirst = false
      await publishBank(store.sealed, randomEntries(6, 2), { bank: 'b' })
      await publishBank(store.sealed, randomEntries(7, 2), { bank: 'b' })
    }
    const publishing = publishBank(slow.sealed, randomEntries(8, 3), { bank: 'a' })
    await expect(publishing).rejects.toEqual(new PublishConflictError(3))
    const { manifest } = await publishBank(store.sealed, randomEntries(8, 3), { bank: 'a' })
    expect(manifest).toMatchObject({ version: 4, banks: [{ id: 'a' }, { id: 'b' }] })
  })

  it('builds on the later version where a slower publisher has overwritten it', async () => {
    const store = new WatchedStore()
    await publishBank(store.sealed, randomEntries(5, 1), { bank: 'a' })
    const manifest = store.inner.values.get('manifest')!
    await publishBank(store.sealed, randomEntries(6, 1), { bank: 'b' })
    await store.put('manifest', manifest)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 })
    try {
      const { manifest: next } = await publishBank(store.sealed, randomEntries(7, 1), { bank: 'a' })
      expect(next).toMatchObject({ version: 3, banks: [{ id: 'a' }, { id: 'b' }] })
    } finally {
      vi.useRealTimers()
    }
  })

  it.each(['digests', 'removed'])('writes again what it cannot compare: %s', async (folder) => {
    const store = new WatchedStore()
    const entries = randomEntries(50, 1)
    await publishBank(store.sealed, entries, { bank: 'a' })
    await publishBank(store.sealed, entries.slice(1), { bank: 'a' })
    const key = [...store.inner.values.keys()].find((name) => name.startsWith(folder))!
    await store.deleteAll([key])
    const { manifest } = await publishBank(store.sealed, entries, { bank: 'a' })
    expect(await verifyList(store.sealed)).toMatchObject({ entries: 50, problems: [] })
    expect(await idsIn(store.sealed, manifest)).toEqual(idsOf(entries))
  })

  it('repairs damage when told to rewrite everything', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(50, 1)
    const { manifest } = await publishBank(store.sealed, entries, { bank: 'a' })
    const detail = keysOf(segmentsOf(manifest)[0]!).find((key) => key.startsWith('detail'))
    await store.put(detail!, new Uint8Array(9))
    await publishBank(store.sealed, entries, { bank: 'a' })
    expect((await verifyList(store.sealed)).problems).toHaveLength(1)
    const healed = await publishBank(store.sealed, entries, { bank: 'a', rewrite: true })
    expect(healed).toMatchObject({ added: 50, foundWritten: 0 })
    expect((await verifyList(store.sealed)).problems).toEqual([])
  })

  it('continues counting if the manifest was lost', async () => {
    const store = new WatchedStore()
    await publishBank(store.sealed, randomEntries(5, 1), { bank: 'a' })
    await publishBank(store.sealed, randomEntries(6, 1), { bank: 'a' })
    await store.deleteAll(['manifest'])
    const { manifest } = await publishBank(store.sealed, randomEntries(5, 1), { bank: 'a' })
    expect(manifest.version).toBe(3)
  })

  it('reports that another manifest replaced its own', async () => {
    const store = new WatchedStore()
    await publishBank(store.sealed, randomEntries(5, 1), { bank: 'a' })
    const elsewhere = new WatchedStore()
    for (const [key, value] of store.inner.values) await elsewhere.put(key, value)
    await publishBank(elsewhere.sealed, randomEntries(6, 2), { bank: 'a' })
    const rival = (await elsewhere.get('manifest'))!
    store.onWrite = (key) => {
      if (key === 'manifest') store.inner.values.set(key, rival)
    }
    const publishing = publishBank(store.sealed, randomEntries(7, 1), { bank: 'a' })
    await expect(publishing).rejects.toEqual(new PublishConflictError(2))
  })
})

describe('a publication that is cut off', () => {
  const first = randomEntries(1100, 1)
  const next = [...first.slice(10), ...randomEntries(1500, 2), ...randomDigests(1100, 3)]

  /** Publishes the second list with a store that fails after some writes. Returns how many there were in all. */
  async function publishWithin(writes: number) {
    const store = new WatchedStore()
    const before = await publishBank(store.sealed, first, { bank: 'a' })
    const cut = new CutOffStore(store, writes)
    const publishing = publishBank(seal(cut), next, { bank: 'a' })
    return { store, before: before.manifest, publishing, cut }
  }

  it('changes nothing, wherever it is, and the next run goes on from there', async () => {
    const whole = await publishWithin(1000)
    await whole.publishing
    const total = whole.cut.written.length
    const place = whole.cut.written.indexOf('manifest')
    expect(place).toBeGreaterThan(4) // behind the values that it names
    for (let writes = 0; writes < total; writes++) {
      const { store, before, publishing } = await publishWithin(writes)
      await expect(publishing).rejects.toThrow('cut off')
      const manifest = await readManifest(store.sealed)
      const isBefore = writes <= place
      expect(await idsIn(store.sealed, manifest)).toEqual(idsOf(isBefore ? first : next))
      if (isBefore) expect(manifest).toEqual(before)
      const resumed = await publishBank(store.sealed, next, { bank: 'a' })
      if (isBefore) expect(resumed.foundWritten).toBe(writes)
      expect(await idsIn(store.sealed, resumed.manifest)).toEqual(idsOf(next))
      const entries = new Set(segmentsOf(resumed.manifest).flatMap(keysOf))
      for (const key of entries) expect(store.inner.values.has(key)).toBe(true)
    }
  })
})

describe('readManifest', () => {
  const put = (text: string) =>
    kvStore().put('manifest', new Uint8Array(new TextEncoder().encode(text)))

  it('says that nothing was published', async () => {
    await expect(readManifest(kvStore())).rejects.toThrow(ListMissingError)
  })

  it('refuses a manifest of another format', async () => {
    await put('{"format":4,"whatever":true}')
    await expect(readManifest(kvStore())).rejects.toEqual(new OtherFormatError(4, 3))
    await put('{"format":1,"whatever":true}')
    await expect(readManifest(kvStore())).rejects.toThrow('push all banks again')
    // It has other banks, which would be lost.
    const publishing = publishBank(kvStore(), randomEntries(3, 1), { bank: 'a' })
    await expect(publishing).rejects.toThrow(OtherFormatError)
  })

  const head =
    '"format":3,"version":1,"publishedAt":"2026-01-01T00:00:00Z","id":"6f0d3a8e-8a55-4cd8-8c2e-5a1c7c1b8a11"'
  const bank = (segments: string, threshold = 31) =>
    `{${head},"banks":[{"id":"a","threshold":${threshold},"minQuality":50,"segments":[${segments}]}]}`

  it('accepts a valid one', async () => {
    await put(bank(`{"kind":"pdq","name":"${'0'.repeat(64)}","count":1}`))
    expect(await readManifest(kvStore())).toMatchObject({ version: 1 })
  })

  it.each([
    'no JSON',
    '{}',
    '{"format":3}',
    `{${head.replace('"version":1', '"version":0')},"banks":[]}`,
    `{${head},"banks":[{"id":"A"}]}`,
    bank('', 129),
    bank(`{"kind":"pdq","name":"0","count":1}`),
    bank(`{"kind":"other","name":"${'0'.repeat(64)}","count":1}`),
    bank(`{"kind":"pdq","name":"${'0'.repeat(64)}","count":0}`),
  ])('refuses invalid ones: %s', async (text) => {
    await put(text)
    await expect(readManifest(kvStore())).rejects.toThrow(ValueDamagedError)
  })
})

describe('the values of a segment', () => {
  const readers: [
    string,
    'pdq' | 'exact',
    (store: ListStore, ref: SegmentRef) => Promise<unknown>,
  ][] = [
    ['segment/{}/0', 'pdq', (store, ref) => readPart(store, ref, 0)],
    ['tail/{}/3', 'pdq', (store, ref) => readTail(store, ref, FIRST_SLOTS + 3)],
    ['detail/{}/0', 'pdq', async (store, ref) => (await readDetails(store, ref, 0)).all()],
    ['segment/{}/0', 'exact', (store, ref) => readDigestSet(store, ref)],
  ]

  it.each(readers)(
    'are refused when they are missing or changed: %s, %s',
    async (place, kind, read) => {
      const store = new WatchedStore()
      const entries = kind === 'pdq' ? randomEntries(40, 1) : randomDigests(40, 1)
      const { ref, values } = await packSegment(store.sealed, kind, entries)
      await store.sealed.putAll(values)
      const key = place.replace('{}', ref.name)
      const value = (await store.get(key))!
      await read(store.sealed, ref)
      await expect(read(store.sealed, { ...ref, name: 'f'.repeat(64) })).rejects.toThrow(
        ValueMissingError,
      )
      await expect(read(store.sealed, { ...ref, count: 77 })).rejects.toThrow(ValueDamagedError)
      for (const at of [0, 20, 30, value.length - 1]) {
        const flipped = new Uint8Array(value)
        flipped[at] = (flipped[at] ?? 0) ^ 1
        await store.put(key, flipped)
        await expect(read(store.sealed, ref)).rejects.toMatchObject({
          code: expect.stringMatching(/value-damaged|unknown-key/),
        })
      }
      for (const length of [0, 7, 28, 40, value.length - 1]) {
        await store.put(key, new Uint8Array(value.subarray(0, length)))
        await expect(read(store.sealed, ref)).rejects.toThrow(ValueDamagedError)
      }
    },
  )

  it('have room for near duplicates in any number', async () => {
    const store = new WatchedStore()
    const [entry] = randomEntries(1, 1)
    const family = Array.from({ length: 300 }, (_, i) => ({
      ...entry!,
      hash: flipBits(entry!.hash, i % 30, i),
      id: `f-${i}`,
    }))
    const { manifest } = await publishBank(store.sealed, family, { bank: 'a' })
    expect(await idsIn(store.sealed, manifest)).toEqual(idsOf(family))
  })
})
