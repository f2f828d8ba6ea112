import { describe, expect, it } from 'vitest'
import { bitsDiffering, type Hash256 } from '../../src/core/hash.ts'
import { Haystack } from '../../src/core/haystack.ts'
import { modules } from '../../src/core/workerd.ts'
import { packSegment, readSegment } from '../../src/list/segment.ts'
import { MemoryStore } from '../../src/list/store.ts'
import { flipBits } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'

const HALF_BYTES = 16

/** A haystack of hashes, packed as they are stored. */
async function pack(hashes: readonly Hash256[]): Promise<Haystack> {
  const store = new MemoryStore()
  const { ref, values } = await packSegment(
    store,
    hashes.map((hash) => ({ hash, id: '', labels: {} })),
  )
  await store.putAll(values)
  const { groups, count } = await readSegment(store, ref)
  return new Haystack(modules.match, groups, count)
}

/** The slow twin. */
function near(hashes: readonly Hash256[], needle: Hash256, threshold: number) {
  return hashes
    .map((hash, position) => ({ position, distance: bitsDiffering(hash, needle, 0, HALF_BYTES) }))
    .filter(({ distance }) => distance <= threshold)
}

describe('Haystack', () => {
  it.each([1, 2, 15, 16, 17, 31, 32, 33, 1000])(
    'finds what a slow search finds among %i',
    async (count) => {
      const hashes = Array.from({ length: count }, (_, i) => randomBytes(32, i))
      const haystack = await pack(hashes)
      for (const seed of [1, 2, 3]) {
        const needle = randomBytes(32, 1000 * seed)
        for (const threshold of [0, 31, 56, 64, 72, 128]) {
          expect(haystack.scan(needle, threshold)).toEqual({
            near: near(hashes, needle, threshold),
            isComplete: true,
          })
        }
      }
    },
  )

  it('has an inclusive threshold', async () => {
    const needle = randomBytes(32, 5)
    const hashes = Array.from({ length: 129 }, (_, bits) => flipBits(needle, bits, bits, 128))
    const haystack = await pack(hashes)
    for (const threshold of [0, 1, 30, 31, 32, 127, 128]) {
      const { near: found } = haystack.scan(needle, threshold)
      expect(found.map(({ distance }) => distance)).toEqual(
        Array.from({ length: threshold + 1 }, (_, bits) => bits),
      )
    }
  })

  it('says when it found more than it tells', async () => {
    const same = (count: number) => Array.from({ length: count }, () => randomBytes(32, 9))
    const all = (await pack(same(4096))).scan(randomBytes(32, 9), 0)
    expect([all.near.length, all.isComplete]).toEqual([4096, true])
    const more = (await pack(same(4097))).scan(randomBytes(32, 9), 0)
    expect([more.near.length, more.isComplete]).toEqual([4096, false])
  })

  it('takes 16 bytes a hash', async () => {
    const hash = randomBytes(32, 1)
    const haystack = await pack(Array.from({ length: 100_000 }, () => hash))
    expect(haystack.memoryBytes).toBeLessThan(100_000 * 16 + 2 * 65536)
  })
})
