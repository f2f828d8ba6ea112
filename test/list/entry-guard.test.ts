import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { publishChanges } from '../../src/list/changes.ts'
import { readBankEntries } from '../../src/list/bank-entries.ts'
import { EntryGuard, hasPlainHash, isRepeating, selfLikeness } from '../../src/list/entry-guard.ts'
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

/** Luma at a point, both coordinates from 0 to 1. */
type Luma = (x: number, y: number) => number

/** The hash of what PDQ samples of a picture, by its definition. */
function hashOf(luma: Luma): Uint8Array {
  const samples = Array.from({ length: 64 }, (_, i) => i)
  const wave = (frequency: number, at: number) =>
    Math.cos((Math.PI / 128) * (2 * at + 1) * (frequency + 1))
  const amplitudes = Array.from({ length: 256 }, (_, i) =>
    samples.reduce(
      (sum, y) =>
        sum +
        wave(i >> 4, y) *
          samples.reduce((row, x) => row + wave(i & 15, x) * luma(x / 64, y / 64), 0),
      0,
    ),
  )
  const median = amplitudes.toSorted((a, b) => a - b)[127]!
  const hash = new Uint8Array(32)
  for (const [i, amplitude] of amplitudes.entries()) {
    if (amplitude > median) hash[31 - (i >> 3)]! |= 1 << (i & 7)
  }
  return hash
}

/** Light that falls off. */
const sky = (x: number, y: number) => 200 - 30 * y - 5 * x
const disc =
  (x: number, y: number, radius: number): Luma =>
  (left, top) =>
    Math.hypot(left - x, top - y) < radius ? 60 : sky(left, top)

describe('selfLikeness', () => {
  it('is about 1 for bits that do not depend on each other', () => {
    const values = hashesOf(randomEntries(1000, 7)).map(selfLikeness)
    expect(values.reduce((sum, value) => sum + value, 0) / 1000).toBeCloseTo(1, 1)
    expect(Math.max(...values)).toBeLessThan(3)
  })

  it('is what counting the bits one by one gives', () => {
    for (const hash of [...hashesOf(randomEntries(5, 8)), hashOf(disc(0, 1, 0.3))]) {
      const bit = (x: number, y: number) => (hash[2 * y + (x >> 3)]! >> (7 - (x & 7))) & 1
      const moves: number[] = []
      for (let down = 0; down <= 4; down++) {
        for (let right = -4; right <= 4; right++) {
          if (down === 0 && right <= 0) continue
          let [pairs, sum] = [0, 0]
          for (let y = 0; y < 16 - down; y++) {
            for (let x = 0; x < 16; x++) {
              if (x + right < 0 || x + right > 15) continue
              sum += bit(x, y) === bit(x + right, y + down) ? 1 : -1
              pairs++
            }
          }
          moves.push(sum ** 2 / pairs)
        }
      }
      const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length
      expect(selfLikeness(hash)).toBeCloseTo(mean, 9)
    }
  })

  it.each<[string, Luma]>([
    ['something round in a corner', disc(0, 1, 0.3)],
    ['something round near a corner', disc(1, 0.9, 0.25)],
  ])('makes a smooth surface plain that has %s, however it is turned', (_, luma) => {
    const turned: Luma[] = [luma, (x, y) => luma(y, x), (x, y) => luma(1 - x, y)]
    for (const hash of turned.map(hashOf)) {
      expect(hasPlainHash(hash)).toBe(true)
      expect(isRepeating(hash)).toBe(false)
    }
  })

  it('does not make a picture of many things plain', () => {
    const discs = Array.from({ length: 12 }, (_, i) =>
      disc(((i * 7) % 12) / 12, i / 12, 0.05 + (i % 5) / 40),
    )
    const hash = hashOf((x, y) => discs.reduce((sum, luma, i) => sum + (i + 3) * luma(x, y), 0))
    expect(selfLikeness(hash)).toBeLessThan(10)
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

  it('matches by no guess where it is plain, and up to 16 bits as it is', async () => {
    const plain: Entry = { ...crowded, id: 'plain', hash: hashOf(disc(0, 1, 0.3)) }
    const { index, lowered } = await indexOf([plain, free], near(24))
    expect(lowered).toEqual([{ id: 'plain', cap: 16, reason: 'plain' }])
    const guess = { ...needle(plain.hash), probe: 'flipX' as const }
    expect(await ask(index, guess)).toEqual([])
    const at = (bits: number) => ask(index, needle(flipBits(plain.hash, bits)))
    expect([await at(16), await at(17)]).toMatchObject([[{ distance: 16, limited: 'entry' }], []])
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
