import { beforeEach, describe, expect, it } from 'vitest'
import {
  ListMissingError,
  NewerFormatError,
  ValueDamagedError,
  ValueMissingError,
} from '../../src/list/errors.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { BLOCK_ENTRIES, readDetails, readSegment } from '../../src/list/segment.ts'
import { segmentKey, type ValueStore } from '../../src/list/store.ts'
import { randomEntries } from '../support/entries.ts'
import { kvNamespace, kvStore, seal, WatchedStore } from '../support/stores.ts'

beforeEach(async () => {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
})

describe('publishBank', () => {
  it('makes a list that can be read back from KV', async () => {
    const store = kvStore()
    const entries = randomEntries(3000, 1)
    entries[5]!.labels = { source: 'IWF', label: 'ä' }
    const manifest = await publishBank(store, entries, { bank: 'csam' })
    expect(await readManifest(store)).toEqual(manifest)
    expect(manifest).toMatchObject({
      format: 1,
      version: 1,
      banks: [{ id: 'csam', threshold: 31, minQuality: 50, segments: [{ count: 3000 }] }],
    })
    const ref = manifest.banks[0]!.segments[0]!
    expect((await readSegment(store, ref)).count).toBe(3000)
    for (const block of [0, 1, 2]) {
      const details = await readDetails(store, ref, block)
      const expected = entries.slice(block * BLOCK_ENTRIES, (block + 1) * BLOCK_ENTRIES)
      expect(details).toEqual(
        expected.map(({ hash, id, labels }) => ({ secondHalf: hash.subarray(16), id, labels })),
      )
    }
  })

  it('replaces one bank, keeps the others and their policies, and counts versions up', async () => {
    const store = kvStore()
    await publishBank(store, randomEntries(5, 1), { bank: 'b', threshold: 20 })
    const kept = await publishBank(store, randomEntries(6, 2), { bank: 'a' })
    const manifest = await publishBank(store, randomEntries(7, 3), { bank: 'b' })
    expect(manifest.version).toBe(3)
    expect(manifest.banks.map(({ id, threshold }) => [id, threshold])).toEqual([
      ['a', 31],
      ['b', 20],
    ])
    expect(manifest.banks[0]).toEqual(kept.banks[0])
    expect(manifest.banks[1]?.segments[0]?.count).toBe(7)
  })

  it('publishes an empty bank', async () => {
    const manifest = await publishBank(kvStore(), [], { bank: 'none' })
    expect(manifest.banks[0]?.segments).toEqual([])
  })

  it('names a segment by its content', async () => {
    const [first, same, other] = [
      await publishBank(kvStore(), randomEntries(20, 1), { bank: 'a' }),
      await publishBank(kvStore(), randomEntries(20, 1), { bank: 'a' }),
      await publishBank(kvStore(), randomEntries(20, 2), { bank: 'a' }),
    ].map(({ banks }) => banks[0]?.segments[0]?.name)
    expect(same).toBe(first)
    expect(other).not.toBe(first)
  })

  it('keeps banks apart that hold the same hashes', async () => {
    const store = kvStore()
    const entries = randomEntries(20, 1)
    const renamed = entries.map(({ hash }, i) => ({ hash, id: `other-${i}`, labels: {} }))
    const swapped = entries.map(({ hash, id, labels }) => {
      const other = hash.slice()
      other[31] = (other[31] ?? 0) ^ 0xff
      return { hash: other, id, labels }
    })
    await publishBank(store, entries, { bank: 'a' })
    await publishBank(store, renamed, { bank: 'b' })
    const { banks } = await publishBank(store, swapped, { bank: 'c' })
    const details = await Promise.all(
      banks.map(({ segments }) => readDetails(store, segments[0]!, 0)),
    )
    expect(details.map(([first]) => first?.id)).toEqual(['e-1-0', 'other-0', 'e-1-0'])
    expect(details[2]?.[0]?.secondHalf).toEqual(swapped[0]?.hash.subarray(16))
    expect(details[0]?.[0]?.secondHalf).toEqual(entries[0]?.hash.subarray(16))
  })

  it('writes the manifest last, and changes nothing when it is cut off before', async () => {
    const store = new WatchedStore()
    const before = await publishBank(store.list, randomEntries(10, 1), { bank: 'a' })
    const manifest = (await store.get('manifest'))!
    const written: string[] = []
    let left = 1000
    const writer: ValueStore = {
      get: (key) => store.get(key),
      put: async (key, value) => {
        if (left-- === 0) throw new Error('cut off')
        written.push(key)
        await store.put(key, value)
      },
      putAll: async (values) => {
        for (const [key, value] of values) await writer.put(key, value)
      },
    }
    const cutOff = seal(writer)
    await publishBank(cutOff, randomEntries(2000, 2), { bank: 'a' })
    expect(written.map((key) => key.split('/')[0])).toEqual([
      'segment',
      'detail',
      'detail',
      'manifest',
    ])
    for (const writes of [0, 1, 2, 3]) {
      await store.put('manifest', manifest)
      left = writes
      const cut = publishBank(cutOff, randomEntries(2000, 3), { bank: 'a' })
      await expect(cut).rejects.toThrow('cut off')
      expect(await readManifest(store.list)).toEqual(before)
    }
  })
})

describe('readManifest', () => {
  const put = (text: string) =>
    kvStore().put('manifest', new Uint8Array(new TextEncoder().encode(text)))

  it('says that nothing was published', async () => {
    await expect(readManifest(kvStore())).rejects.toThrow(ListMissingError)
  })

  it('refuses a manifest of a newer format', async () => {
    await put('{"format":2,"whatever":true}')
    await expect(readManifest(kvStore())).rejects.toEqual(new NewerFormatError(2, 1))
  })

  it.each([
    'no JSON',
    '{}',
    '{"format":1}',
    '{"format":1,"version":0,"publishedAt":"2026-01-01T00:00:00Z","banks":[]}',
    '{"format":1,"version":1,"publishedAt":"2026-01-01T00:00:00Z","banks":[{"id":"A"}]}',
    '{"format":1,"version":1,"publishedAt":"2026-01-01T00:00:00Z","banks":[{"id":"a","threshold":129,"minQuality":50,"segments":[]}]}',
  ])('refuses what is none: %s', async (text) => {
    await put(text)
    await expect(readManifest(kvStore())).rejects.toThrow(ValueDamagedError)
  })
})

describe('readSegment', () => {
  it('refuses one that is missing, changed, or not as the manifest says', async () => {
    const store = new WatchedStore()
    const { banks } = await publishBank(store.list, randomEntries(40, 1), { bank: 'a' })
    const ref = banks[0]!.segments[0]!
    const read = (changed: Partial<typeof ref> = {}) =>
      readSegment(store.list, { ...ref, ...changed })
    expect((await read()).count).toBe(40)
    await expect(read({ name: 'f'.repeat(64) })).rejects.toThrow(ValueMissingError)
    await expect(read({ count: 41 })).rejects.toThrow(ValueDamagedError)
    const key = segmentKey(ref.name)
    const value = (await store.get(key))!
    for (const at of [0, 20, 30, value.length - 1]) {
      const flipped = new Uint8Array(value)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      await store.put(key, flipped)
      await expect(read()).rejects.toThrow(ValueDamagedError)
    }
    for (const length of [0, 7, 28, 40, value.length - 1]) {
      await store.put(key, new Uint8Array(value.subarray(0, length)))
      await expect(read()).rejects.toThrow(ValueDamagedError)
    }
  })
})
