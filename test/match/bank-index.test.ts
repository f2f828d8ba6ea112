import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import type { Entry } from '../../src/list/entry.ts'
import { publishBank } from '../../src/list/publish.ts'
import { detailKey } from '../../src/list/store.ts'
import { BankIndex, TooManyCandidatesError } from '../../src/match/bank-index.ts'
import { flipBits, needle, randomEntries } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'
import { WatchedStore } from '../support/stores.ts'

async function indexOf(entries: Entry[], threshold = 31) {
  const store = new WatchedStore()
  const manifest = await publishBank(store.list, entries, { bank: 'csam', threshold })
  return { store, manifest, index: await BankIndex.load(modules, store.list, manifest) }
}

describe('BankIndex', () => {
  it('matches at distance 31 and not at 32, wherever the bits are', async () => {
    const entries = randomEntries(500, 1)
    const { index } = await indexOf(entries)
    for (let seed = 0; seed < 20; seed++) {
      const { hash, id } = entries[seed * 20]!
      const [match, ...others] = await index.match([needle(flipBits(hash, 31, seed))])
      expect(match).toMatchObject({ bank: 'csam', entry: id, distance: 31, threshold: 31 })
      expect(others).toEqual([])
      expect(await index.match([needle(flipBits(hash, 32, seed))])).toEqual([])
    }
  })

  it.each([0, 1, 30, 64, 128])('has an inclusive threshold: %i', async (threshold) => {
    const [entry] = randomEntries(1, 2)
    const { index } = await indexOf([entry!], threshold)
    const matches = async (bits: number) => index.match([needle(flipBits(entry!.hash, bits))])
    expect(await matches(threshold)).toHaveLength(1)
    expect(await matches(threshold + 1)).toEqual([])
  })

  it('tells all matches, nearest first, with their labels and needles', async () => {
    const hash = randomBytes(32, 3)
    const at = (bits: number) => ({
      hash: flipBits(hash, bits, bits),
      id: `d${bits}`,
      labels: { source: 's' },
    })
    const { index } = await indexOf([at(20), at(0), at(31), at(40), at(7)])
    const found = await index.match([needle(hash)])
    expect(found.map(({ entry, distance }) => [entry, distance])).toEqual([
      ['d0', 0],
      ['d7', 7],
      ['d20', 20],
      ['d31', 31],
    ])
    expect(found[0]).toMatchObject({ labels: { source: 's' }, needle: needle(hash) })
  })

  it('takes no needle of a quality under the least of the bank', async () => {
    const [entry] = randomEntries(1, 4)
    const { index } = await indexOf([entry!])
    expect(await index.match([needle(entry!.hash, 50)])).toHaveLength(1)
    expect(await index.match([needle(entry!.hash, 49)])).toEqual([])
  })

  it('reads details only for candidates', async () => {
    const entries = randomEntries(5000, 5)
    const { index, store } = await indexOf(entries)
    store.reads.length = 0
    await index.match([needle(randomBytes(32, 1))])
    expect(store.reads).toEqual([])
    await index.match([needle(entries[2500]!.hash)])
    expect(store.reads).toEqual([expect.stringMatching(/^detail\/[0-9a-f]{64}\/2$/)])
  })

  it('asks all banks, each by its own threshold', async () => {
    const store = new WatchedStore()
    const [entry] = randomEntries(1, 6)
    await publishBank(store.list, [entry!], { bank: 'wide', threshold: 40 })
    await publishBank(store.list, [entry!, ...randomEntries(20, 7)], {
      bank: 'narrow',
      threshold: 10,
    })
    const manifest = await publishBank(store.list, [], { bank: 'empty' })
    const index = await BankIndex.load(modules, store.list, manifest)
    const banks = async (bits: number) =>
      (await index.match([needle(flipBits(entry!.hash, bits))])).map(({ bank }) => bank)
    expect(await banks(10)).toEqual(['narrow', 'wide'])
    expect(await banks(11)).toEqual(['wide'])
    expect(await banks(41)).toEqual([])
  })

  it('loads only the segments that are new', async () => {
    const store = new WatchedStore()
    await publishBank(store.list, randomEntries(100, 1), { bank: 'a' })
    const first = await publishBank(store.list, randomEntries(100, 2), { bank: 'b' })
    const index = await BankIndex.load(modules, store.list, first)
    const second = await publishBank(store.list, randomEntries(100, 3), { bank: 'b' })
    store.reads.length = 0
    const next = await BankIndex.load(modules, store.list, second, index)
    expect(store.reads).toEqual([`segment/${second.banks[1]?.segments[0]?.name}`])
    for (const seed of [1, 3]) {
      const [entry] = randomEntries(1, seed)
      expect(await next.match([needle(entry!.hash)])).toHaveLength(1)
    }
  })

  it('refuses a list that is larger than an isolate can hold', async () => {
    const { manifest, store } = await indexOf(randomEntries(1, 1))
    const count = 3 << 20
    const of = (entries: number) => ({
      ...manifest,
      banks: [{ ...manifest.banks[0]!, segments: [{ name: 'f'.repeat(64), count: entries }] }],
    })
    const load = (entries: number) => BankIndex.load(modules, store.list, of(entries))
    await expect(load(count)).rejects.toMatchObject({ code: 'value-missing' })
    await expect(load(count + 1)).rejects.toMatchObject({ code: 'list-too-large' })
  })

  it('fails rather than miss a candidate whose details are not there', async () => {
    const entries = randomEntries(10, 8)
    const { index, store, manifest } = await indexOf(entries)
    store.inner.values.delete(detailKey(manifest.banks[0]!.segments[0]!.name, 0))
    await expect(index.match([needle(entries[3]!.hash)])).rejects.toMatchObject({
      code: 'value-missing',
    })
  })

  it('fails rather than look up more candidates than it may', async () => {
    const hash = randomBytes(32, 9)
    const same = Array.from({ length: 5000 }, (_, i) => ({ hash, id: `${i}`, labels: {} }))
    const { index } = await indexOf(same)
    await expect(index.match([needle(hash)])).rejects.toThrow(TooManyCandidatesError)
  })

  it('finds the nearest entry, whatever the threshold and the quality', async () => {
    const entries = randomEntries(200, 10)
    const { index } = await indexOf(entries)
    const nearest = await index.nearest([needle(flipBits(entries[9]!.hash, 45), 0)])
    expect(nearest).toMatchObject({ entry: entries[9]!.id, distance: 45 })
    expect(await index.nearest([needle(flipBits(entries[9]!.hash, 45))], 40)).toBeUndefined()
  })
})
