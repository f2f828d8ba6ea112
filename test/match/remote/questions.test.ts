import { describe, expect, it } from 'vitest'
import {
  fitInOneCall,
  MAX_ASKED_NEEDLES,
  needlesToAsk,
} from '../../../src/match/remote/questions.ts'
import type { Needle, Probe, ScannedFile } from '../../../src/scan/scanned.ts'
import { randomBytes } from '../../support/random.ts'

const BANK = { threshold: 31, minQuality: 50 }

function needle(seed: number, probe: Probe = 'crops', quality = 100): Needle {
  return {
    ...{ probe, hash: randomBytes(32, seed), quality, stretchedQuality: quality },
    ...{ weakBits: 0, tolerance: 0, frame: 0 },
  }
}

function scanned(needles: Needle[]): ScannedFile {
  return { coverage: 'scanned', format: 'jpeg', bytes: 9, needles, isPartial: false }
}

describe('needlesToAsk', () => {
  it('gives eight at most, what the picture is before what it may have been', () => {
    const guesses = Array.from({ length: 20 }, (_, i) => needle(i))
    const file = scanned([...guesses, needle(30, 'displayed'), needle(31, 'identity')])
    const asked = needlesToAsk(file, BANK)
    expect(asked).toHaveLength(MAX_ASKED_NEEDLES)
    expect(asked.slice(0, 3).map(({ probe }) => probe)).toEqual(['identity', 'displayed', 'crops'])
  })

  it('gives each hash once, no blank one, and no guess of low quality', () => {
    const blank = { ...needle(1, 'identity', 0), hash: new Uint8Array(32) }
    const same = needle(2, 'identity')
    const file = scanned([blank, same, { ...same, probe: 'nth-pixel' }, needle(3, 'crops', 49)])
    expect(needlesToAsk(file, BANK)).toEqual([same])
  })
})

describe('fitInOneCall', () => {
  const images = Array.from({ length: 5 }, (_, i) => [needle(2 * i), needle(2 * i + 1)])

  it('gives all if they fit, and the first of each before any second', () => {
    expect(fitInOneCall(images, 10)).toEqual(images)
    expect(fitInOneCall(images, 7).map(({ length }) => length)).toEqual([2, 2, 1, 1, 1])
  })

  it('leaves out whole images beyond the limit', () => {
    expect(fitInOneCall(images, 4).map(({ length }) => length)).toEqual([1, 1, 1, 1, 0])
  })
})
