import { describe, expect, it } from 'vitest'
import { DigestSet, packDigestSet } from '../../src/list/digest-set.ts'
import { MAX_SEGMENT_ENTRIES } from '../../src/list/sizes.ts'
import { randomBytes } from '../support/random.ts'

/** Digests whose first 32 bits are evenly spread, in order. */
function sortedDigests(count: number): Uint8Array[] {
  const packed = randomBytes(count * 16, count)
  const view = new DataView(packed.buffer)
  for (let i = 0; i < count; i++) view.setUint32(i * 16, Math.floor(((i + 0.5) / count) * 2 ** 32))
  return Array.from({ length: count }, (_, i) => packed.subarray(i * 16, (i + 1) * 16))
}

function setOf(digests: readonly Uint8Array[]): DigestSet {
  const entries = digests.map((hash) => ({ kind: 'md5' as const, hash, id: '', labels: {} }))
  return new DigestSet(packDigestSet(entries), digests.length)
}

describe('DigestSet', () => {
  it.each([1, 2, 7, 8, 9, 1000, 1 << 19, (1 << 19) + 1, MAX_SEGMENT_ENTRIES])(
    'tells the place of each of %i digests, and little else',
    (count) => {
      const digests = sortedDigests(count)
      const set = setOf(digests)
      const step = Math.ceil(count / 5000)
      for (let i = 0; i < count; i += step) expect(set.find(digests[i]!)).toContain(i)
      expect(set.find(digests[count - 1]!)).toContain(count - 1)
      const others = Array.from({ length: 5000 }, (_, i) => randomBytes(16, 1_000_000 + i))
      const found = others.filter((digest) => set.find(digest).length > 0)
      expect(found.length).toBeLessThan(20)
      expect(set.memoryBytes).toBeLessThan(2.6 * count + 8)
    },
  )
})
