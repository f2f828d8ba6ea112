import { describe, expect, it } from 'vitest'
import { bitsDiffering, distance, type Hash256 } from '../../src/util/hash.ts'
import {
  FIRST_SLOTS,
  groupBytes,
  Haystack,
  type NearHash,
  SLOTS,
  SlotSorter,
  type Sought,
} from '../../src/core/haystack.ts'
import { modules } from '../../src/core/workerd.ts'
import { packGroups } from '../../src/list/pdq-segment.ts'
import { MAX_SEGMENT_ENTRIES } from '../../src/list/sizes.ts'
import { bitsOf, flipBits } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'

const HALF_BYTES = 16

function groupsOf(hashes: readonly Hash256[]): Haystack {
  const haystack = new Haystack(modules.match, hashes.length)
  const { heads, rests } = packGroups(hashes)
  haystack.fill(0, heads, rests)
  return haystack
}

/** Runs all slices of something. */
function finish<T>(slices: Generator<undefined, T>): T {
  let step = slices.next()
  while (!step.done) step = slices.next()
  return step.value
}

/** Values of a slot, by what it is: bits 23 x slot and on. */
function valuesOf(hashes: readonly Hash256[], slot: number): Uint8Array {
  const values = new Uint8Array(hashes.length * 3)
  hashes.forEach((hash, i) => {
    const value = bitsOf(hash, slot * 23, 23)
    values.set([value & 255, (value >> 8) & 255, value >> 16], i * 3)
  })
  return values
}

function tableOf(hashes: readonly Hash256[]): Haystack {
  const haystack = groupsOf(hashes)
  haystack.beginTable()
  const sorter = new SlotSorter(modules.match, hashes.length)
  for (let slot = SLOTS - 1; slot >= 0; slot--) {
    const values = valuesOf(hashes, slot)
    if (slot < FIRST_SLOTS) expect(haystack.slotValues(slot)).toEqual(values)
    const inOrder = finish(sorter.sortSlot(values))
    if (slot > 0) haystack.setSlot(slot, inOrder)
    else haystack.endTable(inOrder)
  }
  return haystack
}

/** Needles with the same threshold. */
function within(needles: readonly Hash256[], threshold: number): Sought[] {
  return needles.map((hash) => ({ hash, threshold }))
}

const FORMS = { groups: groupsOf, table: tableOf }

/** The slow twin: by first halves. */
function nearOf(hashes: readonly Hash256[], needles: readonly Hash256[], threshold: number) {
  const all: NearHash[] = []
  for (const [needle, hash] of needles.entries()) {
    for (const [position, other] of hashes.entries()) {
      const apart = bitsDiffering(other, hash, HALF_BYTES)
      if (apart <= threshold) all.push({ needle, position, distance: apart })
    }
  }
  return all
}

function sorted(near: readonly NearHash[]): NearHash[] {
  return near.toSorted((a, b) => a.needle - b.needle || a.position - b.position)
}

/** That nothing is told but what is near by its first half, and nothing is missed that is near as a whole. */
function expectSound(
  haystack: Haystack,
  hashes: readonly Hash256[],
  needles: readonly Hash256[],
  threshold: number,
): void {
  const { near, isComplete } = haystack.search(within(needles, threshold))
  expect(isComplete).toBe(true)
  const all = nearOf(hashes, needles, threshold)
  const told = new Set(near.map(({ needle, position }) => `${needle}/${position}`))
  expect(told.size).toBe(near.length)
  const wholly = all.filter(
    ({ needle, position }) => distance(hashes[position]!, needles[needle]!) <= threshold,
  )
  expect(wholly.filter(({ needle, position }) => !told.has(`${needle}/${position}`))).toEqual([])
  const real = new Map(all.map((twin) => [`${twin.needle}/${twin.position}`, twin.distance]))
  const isReal = (found: NearHash) =>
    real.get(`${found.needle}/${found.position}`) === found.distance
  expect(near.filter((found) => !isReal(found))).toEqual([])
}

/** Families of some hashes and what differs from them in up to 40 bits; also hashes that are alike in whole slots. */
function clustered(count: number): Hash256[] {
  return Array.from({ length: count }, (_, i) => {
    const hash = flipBits(randomBytes(32, Math.floor(i / 50)), i % 41, i)
    if (i % 7 === 0) hash.fill(0, 0, 12)
    return hash
  })
}

function setBit(hash: Hash256, bit: number, value: 0 | 1): void {
  const mask = 1 << (bit & 7)
  hash[bit >> 3] = (hash[bit >> 3]! & ~mask) | (value * mask)
}

/** Flips three bits of each slot, but `here` of one, so that the others lead to the hash only if they may differ by three. */
function flipInSlots(hash: Hash256, slot: number, here: number, seed: number): Hash256 {
  const flipped = hash.slice()
  for (let other = 0; other < SLOTS; other++) {
    for (let i = 0; i < (other === slot ? here : 3); i++) {
      const bit = other * 23 + ((seed + 7 * i) % 23)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
    }
  }
  return flipped
}

const COUNTS = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1000, 2100]

describe('Haystack', () => {
  it.each(COUNTS)('finds what a slow search finds among %i', (count) => {
    const hashes = Array.from({ length: count }, (_, i) => randomBytes(32, i))
    const needles = [1, 2, 3].map((seed) => randomBytes(32, 1000 * seed))
    const wide = [56, 62, ...(count <= 1000 ? [100, 128] : [])] // too wide for a table: its rows are scanned
    for (const [haystack, thresholds] of [
      [groupsOf(hashes), [0, 31, ...wide]],
      [tableOf(hashes), wide],
    ] as const) {
      for (const threshold of thresholds) {
        const { near, isComplete } = haystack.search(within(needles, threshold))
        expect(isComplete).toBe(true)
        expect(sorted(near)).toEqual(nearOf(hashes, needles, threshold))
      }
    }
  })

  it.each(['groups', 'table'] as const)(
    'finds all at every threshold, in families of near hashes: %s',
    (form) => {
      const hashes = clustered(600)
      const haystack = FORMS[form](hashes)
      const needles = [0, 7, 49, 333].map((i) => flipBits(hashes[i]!, i % 33, i))
      needles.push(randomBytes(32, 99_999))
      for (let threshold = 0; threshold <= 128; threshold++) {
        expectSound(haystack, hashes, needles, threshold)
      }
      expect(haystack.search(within(needles, 128)).near).toHaveLength(600 * needles.length)
    },
  )

  it.each(COUNTS)('finds all by a table of %i', (count) => {
    const hashes = clustered(count)
    const haystack = tableOf(hashes)
    for (const bits of [0, 1, 15, 16, 17, 31]) {
      const needles = hashes.slice(-20).map((hash, i) => flipBits(hash, bits, i))
      for (const threshold of [0, 15, 16, 31]) {
        expectSound(haystack, hashes, needles, threshold)
      }
    }
  })

  it.each(['random', 'crowded'] as const)('finds what only one slot leads to: %s', (kind) => {
    const hashes = Array.from({ length: 4000 }, (_, i) => {
      const hash = randomBytes(32, i)
      // In each slot two of three share the bits of a block, and have few values within it.
      if (kind === 'crowded' && i % 3 > 0) {
        for (let bit = 0; bit < 256; bit++) if (bit % 23 > 3) setBit(hash, bit, 0)
      }
      return hash
    })
    const haystack = tableOf(hashes)
    for (let position = 0; position < hashes.length; position += 97) {
      for (let slot = 0; slot < SLOTS; slot++) {
        for (const [here, threshold] of [
          [0, 30],
          [1, 31],
          [2, 32],
          [3, 33],
        ] as const) {
          const needle = flipInSlots(hashes[position]!, slot, here, position)
          const { near } = haystack.search(within([needle], threshold))
          expect(near.map((found) => found.position)).toContain(position)
        }
      }
    }
  })

  it.each(['groups', 'table'] as const)('takes a threshold for each needle: %s', (form) => {
    const hashes = clustered(600)
    const haystack = FORMS[form](hashes)
    const needles = [0, 16, 31, 34, 43, 60, 128].map((threshold, i) => ({
      hash: flipBits(hashes[i * 50 + 7]!, i, i),
      threshold,
    }))
    const alone = needles.flatMap((sought, needle) =>
      haystack.search([sought]).near.map((near) => ({ ...near, needle })),
    )
    expect(sorted(haystack.search(needles).near)).toEqual(sorted(alone))
  })

  it('finds all by a table whose positions need more than 16 bits, and whose prefixes have very different sizes', () => {
    const count = 150_000
    const hashes: Hash256[] = []
    const bytes = randomBytes(32 * count, 5)
    for (let i = 0; i < count; i++) hashes.push(bytes.subarray(32 * i, 32 * i + 32))
    for (let i = 40_000; i < 110_000; i++) hashes[i]?.fill(0x55, 0, 3)
    const haystack = tableOf(hashes)
    for (const position of [0, 1, 39_999, 40_000, 65_535, 65_536, 109_999, 131_071, 149_999]) {
      for (const bits of [0, 31]) {
        const needle = flipBits(hashes[position]!, bits, position)
        const found = haystack.search(within([needle], 31)).near.map((near) => near.position)
        expect(found).toContain(position)
      }
    }
  })

  it('finds the first and last of as many as a segment may have', () => {
    const count = MAX_SEGMENT_ENTRIES
    const haystack = new Haystack(modules.match, count)
    const sizes = groupBytes(count)
    const [heads, rests] = [randomBytes(sizes.heads, 1), randomBytes(sizes.rests, 2)]
    haystack.fill(0, heads, rests)
    haystack.beginTable()
    const sorter = new SlotSorter(modules.match, count)
    const inOrder = (slot: number) => finish(sorter.sortSlot(haystack.slotValues(slot)))
    for (let slot = FIRST_SLOTS - 1; slot > 0; slot--) haystack.setSlot(slot, inOrder(slot))
    haystack.endTable(inOrder(0))
    for (const [position, group, lane] of [
      [0, 0, 0],
      [count - 1, count / 16 - 1, 15],
    ] as const) {
      const needle = new Uint8Array(32)
      for (let p = 0; p < 12; p++) needle[p] = heads[group * 192 + p * 16 + lane]!
      for (let p = 12; p < 16; p++) needle[p] = rests[group * 64 + (p - 12) * 16 + lane]!
      const { near } = haystack.search(within([needle], FIRST_SLOTS - 1)) // other slots are not needed
      expect(near).toEqual([{ needle: 0, position, distance: 0 }])
    }
  })

  it('is as large with a table as it may be: 64 bytes a hash', () => {
    for (const count of [150_000, 1 << 17, 1 << 18, 1_000_000, 1 << 20]) {
      const haystack = new Haystack(modules.match, count)
      haystack.beginTable()
      expect(haystack.memoryBytes / count).toBeLessThan(64)
    }
  })

  it.each(['groups', 'table'] as const)('has an inclusive threshold: %s', (form) => {
    const needle = randomBytes(32, 5)
    const hashes = Array.from({ length: 129 }, (_, bits) => flipBits(needle, bits, bits, 128))
    const haystack = FORMS[form](hashes)
    for (let threshold = 0; threshold <= 128; threshold++) {
      expect(haystack.search(within([needle], threshold)).near).toHaveLength(threshold + 1)
    }
  })

  it.each(['groups', 'table'] as const)('tells no padding: %s', (form) => {
    const haystack = FORMS[form]([new Uint8Array(32)])
    expect(haystack.search(within([new Uint8Array(32)], 128))).toEqual({
      near: [{ needle: 0, position: 0, distance: 0 }],
      isComplete: true,
    })
  })

  it.each(['groups', 'table'] as const)(
    'tells the nearest of more than it can tell: %s',
    (form) => {
      const near = Array.from({ length: 9000 }, () => new Uint8Array(32).fill(255, 2, 4))
      const haystack = FORMS[form]([...near, new Uint8Array(32), ...near])
      const needles = [new Uint8Array(32), randomBytes(32, 1)]
      const found = haystack.search(within(needles, 31))
      expect(found.isComplete).toBe(false)
      expect(found.near).toContainEqual({ needle: 0, position: 9000, distance: 0 })
      expect(found.near.length).toBeGreaterThanOrEqual(8192)
      const identical = FORMS[form](near)
      const { near: told, isComplete } = identical.search(within([near[0]!], 31))
      expect([told.length, isComplete]).toEqual([8192, false])
    },
  )

  it('takes any number of needles', () => {
    const hashes = Array.from({ length: 200 }, (_, i) => randomBytes(32, i))
    const haystack = groupsOf(hashes)
    const found = haystack.search(within(hashes, 31)).near
    expect(found.map(({ needle, position }) => [needle, position])).toEqual(
      hashes.map((_, i) => [i, i]),
    )
  })
})
