import { describe, expect, it } from 'vitest'
import {
  capOf,
  describeNeedle,
  isAsIs,
  limitOf,
  loweredThreshold,
  thresholdOf,
} from '../../src/match/thresholds.ts'
import type { Needle } from '../../src/scan/scanned.ts'

/** A hash with so many ones. */
function hashOf(ones: number): Uint8Array<ArrayBuffer> {
  const hash = new Uint8Array(32)
  for (let bit = 0; bit < ones; bit++) hash[bit >> 3] = (hash[bit >> 3] ?? 0) | (1 << (bit & 7))
  return hash
}

function needle(changes: Partial<Needle> = {}): Needle {
  const qualities = { quality: 100, stretchedQuality: 100, weakBits: 0 }
  return { hash: hashOf(128), probe: 'identity', tolerance: 0, frame: 0, ...qualities, ...changes }
}

const PATTERN = needle({ weakBits: 256 })
const FAINT = needle({ quality: 10, stretchedQuality: 49 })
const BLANK = needle({ quality: 0, stretchedQuality: 0, hash: hashOf(80) })

describe('the limit of a needle', () => {
  it.each([
    [111, 'blank'],
    [112, 'low-quality'],
    [144, 'low-quality'],
    [145, 'blank'],
  ])('of quality 0 with %i ones is %s', (ones, limit) => {
    const hash = hashOf(ones)
    expect(limitOf(needle({ hash, quality: 0, stretchedQuality: 0 }), 50)).toBe(limit)
  })

  it('is none of quality 1 with any ones', () => {
    expect(limitOf(needle({ hash: hashOf(60), quality: 1 }), 50)).toBeUndefined()
  })

  it('is low quality below the least at full contrast, whatever the quality', () => {
    expect(limitOf(needle({ quality: 3, stretchedQuality: 50 }), 50)).toBeUndefined()
    expect(limitOf(needle({ quality: 3, stretchedQuality: 49 }), 50)).toBe('low-quality')
    expect(limitOf(PATTERN, 50)).toBe('pattern')
  })

  it('caps what is hashed as it is at 16, 16 and 0 bits, and leaves no guesses', () => {
    expect([PATTERN, FAINT, BLANK].map((one) => capOf(one, 50))).toEqual([16, 16, 0])
    for (const limited of [PATTERN, FAINT, BLANK])
      expect(capOf({ ...limited, probe: 'turns' }, 50)).toBeUndefined()
    expect(capOf(needle({ probe: 'turns' }), 50)).toBeGreaterThan(31)
  })
})

describe('the threshold of a needle', () => {
  const bank = { threshold: 31, minQuality: 50 }

  it("is the bank's and its tolerance, up to its cap", () => {
    expect(thresholdOf(needle({ tolerance: 4 }), bank)).toBe(35)
    expect(thresholdOf(PATTERN, bank)).toBe(16)
    expect(thresholdOf(PATTERN, { ...bank, threshold: 12 })).toBe(12)
    expect(thresholdOf({ ...PATTERN, probe: 'crops' }, bank)).toBeUndefined()
  })

  it('is undefined if the tolerance takes it below 0', () => {
    const few = { ...bank, threshold: 3 }
    expect(thresholdOf(needle({ tolerance: -3 }), few)).toBe(0)
    expect(thresholdOf(needle({ tolerance: -4 }), few)).toBeUndefined()
  })

  it('of a lowered entry is the lesser of both; guesses meet none that is lowered to 16 or less', () => {
    expect(loweredThreshold(31, 20, { probe: 'identity' })).toBe(20)
    expect(loweredThreshold(12, 20, { probe: 'identity' })).toBe(12)
    expect(loweredThreshold(31, 16, { probe: 'identity' })).toBe(16)
    expect(loweredThreshold(31, 17, { probe: 'turns' })).toBe(17)
    expect(loweredThreshold(31, 16, { probe: 'turns' })).toBeUndefined()
  })
})

describe('what is told of a needle', () => {
  it('is its quality, and what limits it', () => {
    expect(describeNeedle(needle({ quality: 77 }))).toEqual({ quality: 77 })
    const pattern = { quality: 100, limited: 'pattern', limitedTo: 16, isPatterned: true }
    expect(describeNeedle(PATTERN)).toEqual(pattern)
    expect(describeNeedle(FAINT)).toEqual({ quality: 10, limited: 'low-quality', limitedTo: 16 })
    expect(describeNeedle(BLANK)).toEqual({ quality: 0, limited: 'blank', limitedTo: 0 })
  })
})

it('probes that hash a file as programs show or hash it are as-is, and no others', () => {
  for (const probe of [
    'identity',
    'thumbnail',
    'nth-pixel',
    'full-size',
    'toned',
    'alpha',
  ] as const)
    expect(isAsIs({ probe })).toBe(true)
  for (const probe of ['mirrors', 'bars', 'turns', 'complement'] as const)
    expect(isAsIs({ probe })).toBe(false)
})
