import { describe, expect, it } from 'vitest'
import { extrapolate, fitTail, MAX_BITS, shareWithin } from '../../src/commands/distance-tail.ts'
import { UnrelatedPairs } from '../../src/commands/false-matches.ts'
import { distance } from '../../src/util/hash.ts'
import type { Needle, ScannedFile } from '../../src/scan/scanned.ts'
import { randomBytes, randomFrom } from '../support/random.ts'

const hashes = (count: number, seed: number) => {
  const bytes = randomBytes(count * 32, seed)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * 32, i * 32 + 32))
}

function fileOf(hash: Uint8Array, quality = 100): ScannedFile {
  const needle: Needle = {
    probe: 'identity',
    hash,
    quality,
    stretchedQuality: quality,
    weakBits: 0,
    tolerance: 0,
    frame: 0,
  }
  return { coverage: 'scanned', needles: [needle], within: [] } as unknown as ScannedFile
}

describe('pairs of files and entries that have nothing to do with each other', () => {
  const entries = hashes(4000, 3).map((hash) => ({ kind: 'pdq', hash }) as never)

  it('are too few for a rate', () => {
    const pairs = new UnrelatedPairs(entries)
    for (const hash of hashes(29, 4)) pairs.add(fileOf(hash))
    expect(pairs.report()).toContain('too few')
  })

  it('tell a rate by the size of the list, larger for a larger one', () => {
    const pairs = new UnrelatedPairs(entries)
    for (const hash of hashes(200, 4)) pairs.add(fileOf(hash))
    const lines = pairs.report().split('\n')
    expect(lines[0]).toContain('200 files that are on no list and 4000 entries: 800000 pairs')
    const plain = lines.find((line) => line.trim().startsWith('plain'))
    expect(plain).toBeDefined()
    const rates = [...plain!.matchAll(/([\d.,e-]+) \(([\d.,e-]+)\)/g)]
    expect(rates).toHaveLength(4)
  })

  it('leave out files whose hash says little', () => {
    const pairs = new UnrelatedPairs(entries)
    for (const hash of hashes(40, 4)) pairs.add(fileOf(hash, 20))
    expect(pairs.report()).toContain('from 0 files')
  })
})

describe('the tail of distances', () => {
  it('is found again where it is known: a normal distribution, 128 bits in the middle', () => {
    const random = randomFrom(9)
    const some = hashes(700, 5)
    const histograms = some.map((hash, i) => {
      const counts = new Float64Array(MAX_BITS + 1)
      for (const other of some.slice(i + 1)) {
        const bits = Math.min(MAX_BITS, distance(hash, other))
        counts[bits] = (counts[bits] ?? 0) + 1
      }
      return counts
    })
    const found = extrapolate(histograms, 80, random)
    // Hashes by chance lie within 80 bits with a probability of 1.3 in a billion.
    expect(Math.log10(found!.share)).toBeGreaterThan(-10.5)
    expect(Math.log10(found!.share)).toBeLessThan(-7.5)
    expect(found!.upper).toBeGreaterThanOrEqual(found!.share)
  })

  it('cannot be fitted to a few pairs', () => {
    const counts = new Float64Array(MAX_BITS + 1)
    counts[100] = 5
    expect(fitTail(counts)).toBeUndefined()
    expect(shareWithin({ at: -20, slope: 0.125 }, 128)).toBeCloseTo(3.2e-5, 6)
  })
})
