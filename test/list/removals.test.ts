import { describe, expect, it } from 'vitest'
import { ValueDamagedError } from '../../src/list/errors.ts'
import type { SegmentRef } from '../../src/list/manifest.ts'
import { packRemovals, readRemovals, Removals, removalsKey } from '../../src/list/removals.ts'
import { WatchedStore } from '../support/stores.ts'

describe('Removals', () => {
  it.each([1, 8, 9, 16, 17, 1000])('has what was removed of %i entries, and no other', (size) => {
    const all = Array.from({ length: size }, (_, i) => i)
    for (const removed of [all, all.filter((i) => i % 3 === 0), [size - 1], []]) {
      const removals = new Removals(removed, size)
      expect(removals.count).toBe(removed.length)
      expect(all.filter((i) => removals.has(i))).toEqual(removed)
      expect(removals.memoryBytes).toBeLessThanOrEqual(size / 8 + 1)
    }
  })
})

describe('readRemovals', () => {
  const name = 'ab'.repeat(32)
  const read = async (positions: readonly number[], told = positions.length) => {
    const { sealed } = new WatchedStore()
    await sealed.put(removalsKey(name), packRemovals(positions))
    const ref: SegmentRef = { kind: 'pdq', name, count: 10, removed: { name, count: told } }
    return [...(await readRemovals(sealed, ref))]
  }

  it('reads what was packed, in ascending order', async () => {
    expect(await read([9, 0, 5])).toEqual([0, 5, 9])
  })

  it.each([
    ['beyond the segment', [10], 1],
    ['told twice', [3, 3], 2],
    ['fewer than the manifest says', [1, 2], 3],
    ['more than the manifest says', [1, 2], 1],
  ])('refuses positions that are %s', async (_, positions, told) => {
    await expect(read(positions, told)).rejects.toThrow(ValueDamagedError)
  })
})
