import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { publishChanges } from '../../src/list/changes.ts'
import { readBankEntries } from '../../src/list/bank-entries.ts'
import { EntryGuard, isRepeating } from '../../src/list/entry-guard.ts'
import type { Entry } from '../../src/list/entry.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { NearIndex } from '../../src/list/near-index.ts'
import { publishBank } from '../../src/list/publish.ts'
import { BankIndex } from '../../src/match/bank-index.ts'
import { distance, parseHash } from '../../src/util/hash.ts'
import { concatenate } from '../../src/util/bytes.ts'
import { flipBits, needle, randomEntries } from '../support/entries.ts'
import { WatchedStore } from '../support/stores.ts'

const hashesOf = (entries: readonly Entry[]) => entries.map(({ hash }) => hash)

describe('NearIndex', () => {
  it('finds the nearest hash within 31 bits, as a look at all of them does', () => {
    const hashes = hashesOf(randomEntries(2000, 1))
    const index = new NearIndex(concatenate(hashes))
    expect(index.count).toBe(2000)
    for (let bits = 0; bits <= 33; bits++) {
      for (let seed = 0; seed < 8; seed++) {
        const asked = flipBits(hashes[bits * 50 + seed]!, bits, seed)
        const least = Math.min(...hashes.map((hash) => distance(asked, hash)))
        expect(index.nearest(asked)).toBe(least <= 31 ? least : undefined)
      }
    }
  })

  it('finds one whose bits differ two in each word but one', () => {
    const [{ hash }] = randomEntries(1, 2) as [Entry]
    const other = hash.slice()
    for (let word = 0; word < 16; word++) other[2 * word]! ^= word === 7 ? 1 : 3
    expect(new NearIndex(hash).nearest(other)).toBe(31)
  })

  it('finds nothing among none', () => {
    expect(new NearIndex(new Uint8Array(0)).nearest(new Uint8Array(32))).toBeUndefined()
  })
})

describe('isRepeating', () => {
  const hash = (...rows: string[]) =>
    parseHash(Array.from({ length: 16 }, (_, y) => rows[y % rows.length]).join(''))!

  it('is true for four equal rows, and for four equal columns', () => {
    const [{ hash: random }] = randomEntries(1, 3) as [Entry]
    expect(isRepeating(random)).toBe(false)
    for (const count of [2, 3, 4, 5]) {
      const rows = random.slice()
      for (let y = 0; y < count; y++) rows.set(random.subarray(0, 2), 6 * y)
      expect([count, isRepeating(rows)]).toEqual([count, count >= 4])
      const columns = random.slice()
      for (let y = 0; y < 16; y++) {
        const bit = (random[2 * y + 1]! >> 5) & 1
        const mask = [5, 1, 7, 3, 0].slice(0, count).reduce((bits, x) => bits | (1 << x), 0)
        columns[2 * y + 1] = (random[2 * y + 1]! & ~mask) | (bit ? mask : 0)
      }
      expect([count, isRepeating(columns)]).toEqual([count, count >= 4])
    }
  })

  it('is true for a weave, and for a flat panel in a frame', () => {
    expect(isRepeating(hash('0001', 'ffff'))).toBe(true)
    expect(isRepeating(hash('5555', 'aaaa'))).toBe(true)
  })
})

describe('an entry that is near everyday pictures', () => {
  const [crowded, free, ...background] = randomEntries(40, 4) as [Entry, Entry, ...Entry[]]
  const near = (bits: number) =>
    new EntryGuard(concatenate([...hashesOf(background), flipBits(crowded.hash, bits, 5)]))
  const weave: Entry = { ...crowded, id: 'weave', hash: parseHash('0001ffff'.repeat(8))! }

  async function indexOf(entries: Entry[], guard: EntryGuard) {
    const store = new WatchedStore()
    const { manifest, lowered } = await publishBank(store.sealed, entries, { bank: 'csam', guard })
    return { store, lowered, index: await BankIndex.load(modules, store.sealed, manifest) }
  }
  const ask = async (index: BankIndex, asked: ReturnType<typeof needle>) =>
    (await index.match([{ needles: [asked] }]))[0]!.matches

  it('matches up to one bit before them, and says so; others match as before', async () => {
    const { index, lowered } = await indexOf([crowded, free], near(24))
    expect(lowered).toEqual([{ id: crowded.id, cap: 23, reason: 'crowded', nearest: 24 }])
    const limited = { entry: crowded.id, distance: 23, threshold: 23, limited: 'entry' }
    expect(await ask(index, needle(flipBits(crowded.hash, 23, 9)))).toMatchObject([limited])
    expect(await ask(index, needle(flipBits(crowded.hash, 24, 9)))).toEqual([])
    const [other] = await ask(index, needle(flipBits(free.hash, 31, 9)))
    expect(other).toMatchObject({ entry: free.id, threshold: 31 })
    expect(other).not.toHaveProperty('limited')
  })

  it('matches by no guess where it repeats itself, and as it is always', async () => {
    const { index, lowered } = await indexOf([weave], near(24))
    expect(lowered).toEqual([{ id: 'weave', cap: 8, reason: 'repeating' }])
    const guess = { ...needle(weave.hash), probe: 'flipX' as const }
    expect(await ask(index, guess)).toEqual([])
    expect(await ask(index, needle(weave.hash))).toMatchObject([{ distance: 0, limited: 'entry' }])
    const at = (bits: number) => ask(index, needle(flipBits(weave.hash, bits)))
    expect([await at(8), await at(9)]).toMatchObject([[{ distance: 8, limited: 'entry' }], []])
  })

  it('matches an unchanged copy even if the background has its hash', async () => {
    const { index } = await indexOf([crowded], near(0))
    expect(await ask(index, needle(crowded.hash))).toMatchObject([{ distance: 0 }])
  })

  it('stays lowered when other changes are published, even without a guard', async () => {
    const { store } = await indexOf([crowded, free], near(24))
    const more = randomEntries(50, 6)
    const change = { bank: 'csam', added: more, removed: [] }
    const { manifest } = await publishChanges(store.sealed, [change], {})
    const entries = await readBankEntries(store.sealed, manifest, 'csam')
    expect(entries).toHaveLength(52)
    expect(entries.filter(({ cap }) => cap !== undefined)).toMatchObject([
      { id: crowded.id, cap: 23 },
    ])
  })

  it('is no other entry than before: publishing it again writes nothing', async () => {
    const { store } = await indexOf([crowded, free], near(24))
    const again = await publishBank(store.sealed, [crowded, free], {
      bank: 'csam',
      guard: near(24),
    })
    expect(again).toMatchObject({ added: 0, removed: 0, kept: 2, lowered: [] })
    expect((await readManifest(store.sealed)).banks).toHaveLength(1)
  })
})
