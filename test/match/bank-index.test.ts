import { describe, expect, it } from 'vitest'
import { distance, type Hash256 } from '../../src/util/hash.ts'
import { modules } from '../../src/core/workerd.ts'
import { DIGEST_KINDS, type Entry } from '../../src/list/entry.ts'
import { MAX_THRESHOLD, readManifest } from '../../src/list/manifest.ts'
import { readEntries } from '../../src/list/segment.ts'
import { publishBank } from '../../src/list/publish.ts'
import { BankIndex, IndexReleasedError } from '../../src/match/bank-index.ts'
import { HaystackPool } from '../../src/match/loaded-segment.ts'
import { type Match, MAX_MATCHES } from '../../src/match/match.ts'
import { LIMITED_THRESHOLDS } from '../../src/match/thresholds.ts'
import { replaceIndex } from '../../src/match/replace.ts'
import { FileDigester } from '../../src/scan/digests.ts'
import type { Needle } from '../../src/scan/scanned.ts'
import { bitsOf, flipBits, needle, randomDigests, randomEntries } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'
import { turnsBeside } from '../support/turns.ts'
import { WatchedStore } from '../support/stores.ts'

async function publish(store: WatchedStore, entries: Entry[], bank = 'csam', threshold = 31) {
  return (await publishBank(store.sealed, entries, { bank, threshold })).manifest
}

async function indexOf(entries: Entry[], threshold = 31) {
  const store = new WatchedStore()
  const manifest = await publish(store, entries, 'csam', threshold)
  return { store, manifest, index: await BankIndex.load(modules, store.sealed, manifest) }
}

async function ask(index: BankIndex, ...hashes: Hash256[]): Promise<Match[]> {
  const [result] = await index.match([{ needles: hashes.map((hash) => needle(hash)) }])
  return result!.matches
}

function entry(hash: Uint8Array, id: string, labels: Record<string, string> = {}): Entry {
  return { kind: 'pdq', hash, id, labels }
}

describe('BankIndex', () => {
  it('matches at distance 31 and not at 32, wherever the bits are', async () => {
    const entries = randomEntries(500, 1)
    const { index } = await indexOf(entries)
    for (let seed = 0; seed < 20; seed++) {
      const { hash, id } = entries[seed * 20]!
      const matches = await ask(index, flipBits(hash, 31, seed))
      expect(matches).toMatchObject([{ bank: 'csam', entry: id, distance: 31, threshold: 31 }])
      expect(await ask(index, flipBits(hash, 32, seed))).toEqual([])
    }
  })

  it.each([0, 1, 30, 64, 128])('has an inclusive threshold: %i', async (threshold) => {
    const [one] = randomEntries(1, 2)
    const { index } = await indexOf([one!], threshold)
    expect(await ask(index, flipBits(one!.hash, threshold))).toHaveLength(1)
    expect(await ask(index, flipBits(one!.hash, threshold + 1))).toEqual([])
  })

  it('adds the tolerance of a needle to the threshold, and tells the sum', async () => {
    const entries = randomEntries(500, 41)
    const { index } = await indexOf(entries)
    for (const tolerance of [3, 5, 10]) {
      const { hash, id } = entries[tolerance]!
      const at = (bits: number) => ({ ...needle(flipBits(hash, bits, tolerance)), tolerance })
      const [near] = await index.match([
        { needles: [needle(randomBytes(32, 1)), at(31 + tolerance)] },
      ])
      expect(near!.matches).toMatchObject([
        { entry: id, distance: 31 + tolerance, threshold: 31 + tolerance },
      ])
      const [far] = await index.match([{ needles: [at(32 + tolerance)] }])
      expect(far!.matches).toEqual([])
    }
  })

  describe.each<[string, Partial<Needle>]>([
    ['a pattern', { weakBits: 81 }],
    ['low quality', { quality: 30, stretchedQuality: 49 }],
    ['quality 0', { quality: 0, stretchedQuality: 0, weakBits: 256 }],
  ])('with a needle of %s', (_, changes) => {
    const [{ hash }] = randomEntries(1, 42) as [Entry]
    const limited = changes.weakBits === 81 ? 'pattern' : 'low-quality'
    const askLimited = async (bits: number, more: Partial<Needle> = {}, threshold?: number) => {
      const { index } = await indexOf([entry(hash, 'a')], threshold)
      const asked = { ...needle(flipBits(hash, bits)), ...changes, ...more }
      return (await index.match([{ needles: [asked] }]))[0]!.matches
    }

    it('finds an unchanged copy, and what is within the lower threshold', async () => {
      const most = LIMITED_THRESHOLDS[limited]
      expect(await askLimited(0)).toMatchObject([{ distance: 0, threshold: most, limited }])
      expect(await askLimited(most)).toMatchObject([{ distance: most, threshold: most, limited }])
      expect(await askLimited(most + 1)).toEqual([])
    })

    it('finds no more than the threshold of the bank does', async () => {
      expect(await askLimited(3, {}, 3)).toMatchObject([{ threshold: 3 }])
      expect(await askLimited(4, {}, 3)).toEqual([])
    })

    it('finds it by all probes that hash the file as it is, and by none that guesses', async () => {
      for (const probe of [
        'displayed',
        'over-white',
        'thumbnail',
        'nth-pixel',
        'full-size',
      ] as const)
        expect(await askLimited(0, { probe })).toHaveLength(1)
      for (const probe of ['crops', 'shifts', 'mirrors', 'complement', 'larger-turns'] as const)
        expect(await askLimited(0, { probe, tolerance: 5 })).toEqual([])
    })
  })

  it('has no lower threshold at 80 weak bits and the least quality of the bank', async () => {
    const [{ hash }] = randomEntries(1, 42) as [Entry]
    const { index } = await indexOf([entry(hash, 'a')])
    const asked = { ...needle(flipBits(hash, 31)), weakBits: 80, quality: 12, stretchedQuality: 50 }
    const [result] = await index.match([{ needles: [asked] }])
    expect(result!.matches).toMatchObject([{ distance: 31, threshold: 31 }])
    expect(result!.matches[0]).not.toHaveProperty('limited')
  })

  it('matches the hash of a blank picture only by the very same one', async () => {
    const hash = new Uint8Array(32).fill(0x11)
    const { index } = await indexOf([entry(hash, 'a')])
    const blank = (bits: number) => ({ ...needle(flipBits(hash, bits), 0), weakBits: 256 })
    const [same] = await index.match([{ needles: [blank(0)] }])
    expect(same!.matches).toMatchObject([{ distance: 0, threshold: 0, limited: 'blank' }])
    expect((await index.match([{ needles: [blank(1)] }]))[0]!.matches).toEqual([])
  })

  it('tells all matches, nearest first, with their labels and probes', async () => {
    const hash = randomBytes(32, 3)
    const at = (bits: number) => entry(flipBits(hash, bits, bits), `d${bits}`, { source: 's' })
    const { index } = await indexOf([at(20), at(0), at(31), at(40), at(7)])
    const found = await ask(index, hash)
    expect(found.map((match) => [match.entry, match.distance])).toEqual([
      ['d0', 0],
      ['d7', 7],
      ['d20', 20],
      ['d31', 31],
    ])
    expect(found[0]).toMatchObject({ labels: { source: 's' }, probe: 'identity' })
  })

  it('tells an entry once, by the needle that is nearest', async () => {
    const [one] = randomEntries(1, 4)
    const { index } = await indexOf([one!])
    const needles = [9, 3, 12].map((bits, i) => ({
      ...needle(flipBits(one!.hash, bits)),
      probe: (['identity', 'displayed', 'thumbnail'] as const)[i]!,
    }))
    const [result] = await index.match([{ needles }])
    expect(result!.matches).toMatchObject([{ distance: 3, probe: 'displayed' }])
  })

  it('reads details only for candidates, and those that several files need once', async () => {
    const entries = randomEntries(5000, 5)
    const { index, store } = await indexOf(entries)
    store.reads.length = 0
    await ask(index, randomBytes(32, 1))
    expect(store.reads).toEqual([])
    const query = { needles: [needle(entries[2500]!.hash)] }
    await index.match([query, query, { needles: [] }])
    expect(store.reads).toEqual([expect.stringMatching(/^detail\/[0-9a-f]{64}\/\d$/)])
  })

  it('answers each file for itself', async () => {
    const entries = randomEntries(40, 6)
    const { index } = await indexOf(entries)
    const results = await index.match(
      entries.map(({ hash }, i) => ({ needles: i % 2 ? [needle(hash)] : [] })),
    )
    expect(results.map(({ matches }) => matches.map((match) => match.entry))).toEqual(
      entries.map(({ id }, i) => (i % 2 ? [id] : [])),
    )
  })

  it('asks all banks, each by its own threshold', async () => {
    const store = new WatchedStore()
    const [one] = randomEntries(1, 6)
    await publish(store, [one!], 'wide', 40)
    await publish(store, [one!, ...randomEntries(20, 7)], 'narrow', 10)
    const manifest = await publish(store, [], 'empty')
    const index = await BankIndex.load(modules, store.sealed, manifest)
    const banks = async (bits: number) =>
      (await ask(index, flipBits(one!.hash, bits))).map(({ bank }) => bank)
    expect(await banks(10)).toEqual(['narrow', 'wide'])
    expect(await banks(11)).toEqual(['wide'])
    expect(await banks(41)).toEqual([])
  })

  it('matches files by any of their digests', async () => {
    const file = randomBytes(1000, 1)
    const digester = FileDigester.ofAllKinds()
    digester.update(file)
    const digests = digester.digest()
    for (const kind of DIGEST_KINDS) {
      const known: Entry = { kind, hash: digests[kind], id: `known-${kind}`, labels: {} }
      const { index } = await indexOf([...randomDigests(3000, 1), known, ...randomEntries(10, 1)])
      const [found, other] = await index.match([
        { needles: [], digests },
        { needles: [], digests: FileDigester.ofAllKinds().digest() },
      ])
      expect(found!.matches).toEqual([
        {
          bank: 'csam',
          entry: known.id,
          labels: {},
          distance: 0,
          threshold: 0,
          tolerance: 0,
          probe: kind,
        },
      ])
      expect(other!.matches).toEqual([])
    }
  })

  it('finds every digest of a list, and none that was removed', async () => {
    const store = new WatchedStore()
    const entries = randomDigests(3000, 1)
    await publish(store, entries)
    const kept = entries.filter((_, i) => i % 10 !== 0)
    const manifest = await publish(store, kept)
    const index = await BankIndex.load(modules, store.sealed, manifest)
    const none = { md5: new Uint8Array(16), sha1: new Uint8Array(20), sha256: new Uint8Array(32) }
    const queries = entries.map(({ kind, hash }) => ({
      needles: [],
      digests: { ...none, [kind]: hash },
    }))
    const found = (await index.match(queries)).map(({ matches }) => matches[0]?.entry)
    expect(found).toEqual(entries.map(({ id }, i) => (i % 10 === 0 ? undefined : id)))
  })

  it('loads only the segments that are new, and the removals of others', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(100, 1)
    const index = await BankIndex.load(modules, store.sealed, await publish(store, entries))
    const more = [...entries.slice(1), ...randomEntries(10, 2)]
    const manifest = await publish(store, more)
    store.reads.length = 0
    const next = await BankIndex.load(modules, store.sealed, manifest, { kept: index.segments })
    const [old, added] = manifest.banks[0]!.segments
    expect(store.reads.toSorted()).toEqual([
      `removed/${old!.removed!.name}`,
      `segment/${added!.name}/0`,
    ])
    expect(await ask(next, entries[0]!.hash)).toEqual([])
    for (const { hash, id } of more) expect(await ask(next, hash)).toMatchObject([{ entry: id }])
    expect(await ask(index, entries[0]!.hash)).toHaveLength(1)
  })

  it('fails rather than miss a candidate whose details are not there', async () => {
    const entries = randomEntries(10, 8)
    const { index, store, manifest } = await indexOf(entries)
    store.inner.values.delete(`detail/${manifest.banks[0]!.segments[0]!.name}/0`)
    const [result] = await index.match([{ needles: [needle(entries[3]!.hash)] }])
    expect(result).toMatchObject({
      matches: [],
      isComplete: false,
      error: { code: 'value-missing' },
    })
  })

  it('tells what it found where other details are not there', async () => {
    const entries = randomEntries(3000, 8)
    const { index, store, manifest } = await indexOf(entries)
    const sorted = await readEntries(store.sealed, manifest.banks[0]!.segments[0]!)
    store.inner.values.delete(`detail/${manifest.banks[0]!.segments[0]!.name}/2`)
    const [first, last] = [sorted[0]!, sorted[2999]!]
    const needles = [needle(first.hash), needle(last.hash)]
    const results = await index.match([{ needles }, { needles: [needle(last.hash)] }])
    expect(results).toMatchObject([
      { matches: [{ entry: first.id }], isComplete: false, error: { code: 'value-missing' } },
      { matches: [], isComplete: false, error: { code: 'value-missing' } },
    ])
  })

  it('searches once what two banks share, and in its own memory what follows', async () => {
    const store = new WatchedStore()
    const [shared, toA, toB] = [1, 2, 3].map((seed) => randomEntries(12_000, seed))
    await publish(store, shared!, 'a')
    let index = await BankIndex.load(modules, store.sealed, await publish(store, shared!, 'b'))
    const memoryBytes = index.memoryBytes
    expect(memoryBytes).toBeLessThan(2 * 12_000 * 16)
    await publish(store, toA!, 'a')
    const manifest = await publish(store, toB!, 'b')
    index = await replaceIndex(modules, store.sealed, index, manifest, {
      from: store.sealed,
      onGive: () => {},
    })
    for (const [bank, entries] of [
      ['a', toA],
      ['b', toB],
    ] as const) {
      for (const i of [0, 77, 11_999]) {
        expect(await ask(index, entries![i]!.hash)).toMatchObject([
          { bank, entry: entries![i]!.id },
        ])
      }
    }
  })

  it('refuses to be asked once its memories were given away', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(1000, 1)
    const index = await BankIndex.load(modules, store.sealed, await publish(store, entries))
    const next = await publish(store, randomEntries(1000, 2))
    const options = { from: store.sealed, onGive: () => {} }
    await replaceIndex(modules, store.sealed, index, next, options)
    await expect(index.match([{ needles: [needle(entries[0]!.hash)] }])).rejects.toThrow(
      IndexReleasedError,
    )
    await expect(replaceIndex(modules, store.sealed, index, next, options)).rejects.toThrow(
      'released before',
    )
  })

  it('lets others run while many needles are asked, and notices if it is released meanwhile', async () => {
    const store = new WatchedStore()
    const entries = randomEntries(20_000, 1)
    const index = await BankIndex.load(modules, store.sealed, await publish(store, entries))
    const needles = Array.from({ length: 8192 }, (_, i) => needle(randomBytes(32, i)))
    const [known] = entries
    const asking = index.match([{ needles: [...needles, needle(known!.hash)] }])
    const { result, turns } = await turnsBeside(asking)
    expect(turns).toBeGreaterThan(10)
    expect(result[0]?.matches).toMatchObject([{ distance: 0 }])
    const failing = index.match([{ needles }])
    index.release(new Set(), new HaystackPool())
    await expect(failing).rejects.toThrow(IndexReleasedError)
  })

  it('takes a family of near hashes and many needles', async () => {
    const hash = randomBytes(32, 3)
    const family = Array.from({ length: 1000 }, (_, i) => entry(flipBits(hash, i % 16, i), `${i}`))
    const { index } = await indexOf(family)
    const needles = Array.from({ length: 256 }, (_, i) => needle(flipBits(hash, i % 16, i + 9)))
    const [result] = await index.match([{ needles }])
    expect(result!.matches).toHaveLength(MAX_MATCHES)
    expect(result!.matches[0]?.distance).toBeLessThan(3)
  })

  it('tells the nearest of many, that there are more, and reads no more than it may', async () => {
    const hash = randomBytes(32, 9)
    const family = Array.from({ length: 70_000 }, (_, i) => {
      const near = hash.slice()
      for (const bit of [i % 97, 100 + (i % 101), 220 + (i % 31)])
        near[bit >> 3] = (near[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return entry(near, `${i}`)
    })
    const { index, store } = await indexOf([...family, entry(hash, 'itself')])
    store.reads.length = 0
    const [result] = await index.match([{ needles: [needle(hash)] }])
    expect(result!.matches).toHaveLength(MAX_MATCHES)
    expect(result!.matches[0]).toMatchObject({ entry: 'itself', distance: 0 })
    expect(result!.isComplete).toBe(false)
    expect(store.reads.length).toBeLessThanOrEqual(66)
  })

  it('tells that it had to leave candidates open', async () => {
    // Alike in their first halves, and far from it in their second ones.
    const first = randomBytes(16, 1)
    const same = Array.from({ length: 70 * 1024 }, (_, i) => {
      const hash = new Uint8Array(32)
      hash.set(first)
      hash.set(randomBytes(16, i), 16)
      return entry(hash, `${i}`)
    })
    const { index, store } = await indexOf(same)
    const hash = new Uint8Array(32)
    hash.set(first)
    store.reads.length = 0
    const [result] = await index.match([{ needles: [needle(hash)] }])
    expect(result).toEqual({ matches: [], isComplete: false })
    expect(store.reads.length).toBeLessThanOrEqual(66)
  })

  it('tells that it had to leave blocks unread, and only then', async () => {
    // Of the hashes that begin with a byte, a block each, one is alike to a needle in its first half and far in its second.
    const [most, blocks] = [66, 67]
    const alike = (byte: number, seed: number) => {
      const hash = new Uint8Array(32)
      hash.set(randomBytes(15, seed), 1)
      hash[0] = byte
      return hash
    }
    const inBlock = (byte: number) =>
      Array.from({ length: 1024 }, (_, i) => {
        const hash = randomBytes(32, byte * 1024 + i + 1)
        hash[0] = byte
        if (i < 2) hash.set(alike(byte, i === 0 || byte === most ? 1 : 2))
        if (i < 2) hash.fill(0xff - i, 16)
        return entry(hash, `${byte}-${i}`)
      })
    const { index, store } = await indexOf(
      Array.from({ length: blocks }, (_, i) => inBlock(i)).flat(),
    )
    for (const [seed, isComplete] of [
      [1, false],
      [2, true],
    ] as const) {
      store.reads.length = 0
      const [result] = await index.match([{ needles: [needle(alike(0, seed))] }])
      expect(result).toEqual({ matches: [], isComplete })
      expect(store.reads.length).toBeLessThanOrEqual(most)
      if (isComplete) expect(store.reads).toHaveLength(most)
    }
  })

  it('finds the nearest entry, whatever the threshold and the quality', async () => {
    const entries = randomEntries(200, 10)
    const { index } = await indexOf(entries)
    const nearest = await index.nearest([needle(flipBits(entries[9]!.hash, 45), 0)])
    expect(nearest).toMatchObject({ entry: entries[9]!.id, distance: 45 })
    const { index: alone } = await indexOf(entries.slice(0, 1))
    expect(await alone.nearest([needle(entries[0]!.hash)])).toMatchObject({ distance: 0 })
    for (const bits of [MAX_THRESHOLD, MAX_THRESHOLD + 1]) {
      const found = await alone.nearest([needle(flipBits(entries[0]!.hash, bits))])
      expect(found?.distance).toBe(bits > MAX_THRESHOLD ? undefined : bits)
    }
  })
})

describe('what an index answers', () => {
  /** The slow twin. */
  function nearestOf(entries: readonly Entry[], hashes: readonly Hash256[], threshold: number) {
    const found = entries.map(({ hash, id }) => ({
      entry: id,
      distance: Math.min(...hashes.map((other) => distance(hash, other))),
    }))
    return found
      .filter((match) => match.distance <= threshold)
      .toSorted((a, b) => a.distance - b.distance)
  }

  const center = randomBytes(32, 77)
  const lists: Record<string, Entry[]> = {
    random: randomEntries(300, 1),
    clustered: Array.from({ length: 300 }, (_, i) =>
      entry(flipBits(randomBytes(32, i % 12), i % 50, i), `c-${i}`),
    ),
    duplicates: Array.from({ length: 300 }, (_, i) =>
      entry(flipBits(randomBytes(32, i % 80), i % 80, i % 80), `t-${i}`),
    ),
    // All differences in one half, in one slot or in none.
    adversarial: Array.from({ length: 300 }, (_, i) => {
      const hash = i % 3 === 0 ? flipBits(center, i % 129, i, 128) : center.slice()
      if (i % 3 === 1) hash.fill(0xff, 16, 16 + (i % 16))
      if (i % 3 === 2) hash[(i * 7) % 32] = i & 255
      return entry(hash, `x-${i}`)
    }),
  }

  it.each(Object.keys(lists))(
    'is what a slow search finds, at every threshold, with removals: %s',
    async (name) => {
      const store = new WatchedStore()
      const all = lists[name]!
      await publish(store, all, 'a')
      const left = all.filter((_, i) => i % 7 !== 0)
      await publish(store, left, 'a')
      const needles = [all[0]!, all[1]!, all[150]!].map(({ hash }, i) => flipBits(hash, 5 * i, i))
      let index: BankIndex | undefined
      for (let threshold = 0; threshold <= 128; threshold++) {
        const manifest = await publish(store, left, 'a', threshold)
        index = await BankIndex.load(modules, store.sealed, manifest, {
          kept: index?.segments ?? [],
        })
        const [result] = await index.match([{ needles: needles.map((hash) => needle(hash)) }])
        const expected = nearestOf(left, needles, threshold)
        const told = result!.matches
        expect(result!.isComplete).toBe(expected.length <= MAX_MATCHES)
        expect(told.map((match) => match.distance)).toEqual(
          expected.slice(0, MAX_MATCHES).map((match) => match.distance),
        )
        const last = told.at(-1)?.distance ?? 0
        const sure = (matches: { entry: string; distance: number }[]) =>
          matches
            .filter((match) => told.length < MAX_MATCHES || match.distance < last)
            .map((match) => match.entry)
            .toSorted()
        expect(sure(told)).toEqual(sure(expected))
      }
    },
    30_000,
  )
})

describe('an index with tables', () => {
  const entries = randomEntries(20_000, 1)
  const others = randomEntries(500, 2)

  async function withTables() {
    const store = new WatchedStore()
    await publish(store, entries)
    const manifest = await publish(store, [...entries.slice(10), ...others])
    const index = await BankIndex.load(modules, store.sealed, manifest)
    return { store, index }
  }

  /** The slow twin: what a needle whose sure bits are `sure` is away from an entry. */
  function sureDistanceOf(hash: Hash256, sure: Hash256, other: Hash256): number {
    const differing = hash.map((byte, i) => byte ^ other[i]!)
    const none = new Uint8Array(32)
    const among = differing.map((byte, i) => byte & sure[i]!)
    const firstHalf = differing.map((byte, i) => (i < 16 ? byte : 0))
    const slots = Array.from({ length: 11 }, (_, slot) => {
      const value = bitsOf(differing, slot * 23, 23)
      const ones = value.toString(2).replaceAll('0', '').length
      return 11 * ones + slot
    })
    return Math.max(2 * distance(among, none), distance(firstHalf, none), Math.min(...slots))
  }

  it('compare only the sure bits of a needle, each twice, and find what a scan finds', async () => {
    const hash = randomBytes(32, 901)
    const sure = new Uint8Array(32).fill(0x0f)
    // Up to 25 sure bits differ, and up to 60 of the others.
    const near = Array.from({ length: 400 }, (_, i) => {
      const flipped = flipBits(hash, 2 * (i % 26), i)
      const unsure = flipBits(hash, 3 * (i % 41), i + 1000)
      const mixed = hash.map((__, at) => (flipped[at]! & 0x0f) | (unsure[at]! & 0xf0))
      return entry(mixed, `n-${i}`)
    })
    const store = new WatchedStore()
    const manifest = await publish(store, [...entries, ...near])
    const index = await BankIndex.load(modules, store.sealed, manifest)
    const one = { ...needle(hash), sure, tolerance: 9, probe: 'aspects' as const }
    const expected = near
      .map(({ hash: other }) => sureDistanceOf(hash, sure, other))
      .filter((bits) => bits <= 40)
      .toSorted((a, b) => a - b)
    expect(near.some(({ hash: other }) => distance(hash, other) > 50)).toBe(true)
    expect(expected.length).toBeGreaterThan(MAX_MATCHES)
    const [before] = await index.match([{ needles: [one] }])
    await index.buildTables(async () => 'go on')
    const [after] = await index.match([{ needles: [one] }])
    expect(after!.matches.map((match) => match.distance)).toEqual(expected.slice(0, MAX_MATCHES))
    expect(before!.matches).toEqual(after!.matches)
    for (const { hash: other, id } of near.slice(0, 60)) {
      const bits = sureDistanceOf(hash, sure, other)
      const alone = await indexOf([entry(other, id)])
      const [result] = await alone.index.match([{ needles: [one] }])
      expect(result!.matches.map((match) => match.distance)).toEqual(bits <= 40 ? [bits] : [])
    }
  })

  it('answers as it does without, before, while and after they are built', async () => {
    const { index } = await withTables()
    const asked = [5, 11, 600, 19_999].map((i) => entries[i]!).concat(others[3]!)
    const answers = async () => {
      const found: string[][] = []
      for (const bits of [0, 15, 16, 31, 32]) {
        const needles = asked.map(({ hash }, i) => needle(flipBits(hash, bits, i)))
        const [result] = await index.match([{ needles }])
        found.push(result!.matches.map((match) => `${match.entry} ${match.distance}`).toSorted())
      }
      return found
    }
    const before = await answers()
    expect(before.map((found) => found.length)).toEqual([4, 4, 4, 4, 0])
    expect(index.needsTables).toBe(true)
    let pauses = 0
    await index.buildTables(async () => {
      if (pauses++ % 5 === 0) expect(await answers()).toEqual(before)
      return 'go on'
    })
    expect(pauses).toBeGreaterThan(11)
    expect(index.needsTables).toBe(false)
    expect(await answers()).toEqual(before)
  })

  it('goes on without when their values cannot be read, and builds them later', async () => {
    const { store, index } = await withTables()
    store.onRead = (key) => {
      if (key.startsWith('tail/')) throw new Error('slow')
    }
    await expect(index.buildTables(async () => 'go on')).rejects.toThrow('slow')
    expect(await ask(index, entries[600]!.hash)).toHaveLength(1)
    store.onRead = () => {}
    await index.buildTables(async () => 'go on')
    expect(index.needsTables).toBe(false)
    expect(await ask(index, entries[600]!.hash)).toHaveLength(1)
  })

  it('builds none for small segments', async () => {
    const { index } = await indexOf(randomEntries(1000, 1))
    expect(index.needsTables).toBe(false)
  })
})

describe('memory of an index', () => {
  it('is what the haystacks and digest sets take', async () => {
    const store = new WatchedStore()
    await publish(store, [...randomEntries(40_000, 1), ...randomDigests(40_000, 2)])
    const index = await BankIndex.load(modules, store.sealed, await readManifest(store.sealed))
    const bytes = 40_000 * 16 + 40_000 * 2.5
    expect(index.memoryBytes).toBeGreaterThan(bytes * 0.95)
    expect(index.memoryBytes).toBeLessThan(bytes + 3 * 65_536)
  })
})
