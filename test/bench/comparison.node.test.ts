import { beforeEach, describe, expect, it } from 'vitest'
import { Comparison } from '../../bench/accuracy/compare.ts'
import type { Questions, SetName, SetNeedle } from '../../bench/accuracy/needles.ts'
import { addTally, emptyTally, nearest, type Tally, within } from '../../bench/accuracy/tally.ts'
import { randomBytes } from '../support/random.ts'

const KNOWN = randomBytes(32, 1)
const OTHER = randomBytes(32, 2)
const UNCLEAR = randomBytes(32, 3)

/** A hash that differs in as many bits, from the first on. */
function flipped(hash: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hash, (byte, i) => {
    const count = Math.max(0, Math.min(8, bits - i * 8))
    return byte ^ (2 ** count - 1)
  })
}

function needle(probe: string, set: SetName, hash: Uint8Array, threshold = 31): SetNeedle {
  return { probe, set, hash, quality: 100, threshold }
}

function ask(...needles: SetNeedle[]): Questions {
  return { needles }
}

let tally: Tally
let comparison: Comparison

beforeEach(() => {
  tally = emptyTally()
  const entries = [
    { name: 'known', hash: KNOWN, quality: 100 },
    { name: 'other', hash: OTHER, quality: 100 },
    { name: 'unclear', hash: UNCLEAR, quality: 79 },
  ]
  comparison = new Comparison(entries, tally)
})

function foundIn(transform: string): Record<string, number | undefined> {
  const own = tally.own[transform]
  return {
    plain: own && nearest(own.plain),
    default: own && nearest(own.default),
    wide: own && nearest(own.wide),
  }
}

describe('Comparison', () => {
  it('counts the nearest needle of each set and those before it', () => {
    comparison.addTransformed(
      'mirror',
      0,
      ask(
        needle('identity', 'plain', flipped(KNOWN, 90)),
        needle('mirrors', 'default', flipped(KNOWN, 4)),
      ),
    )
    expect(foundIn('mirror')).toEqual({ plain: 90, default: 4, wide: 4 })
  })

  it('counts 256 if a set has no needle', () => {
    comparison.addTransformed('mirror', 0, ask(needle('dihedral', 'default', KNOWN)))
    expect(foundIn('mirror')).toEqual({ plain: 256, default: 0, wide: 0 })
  })

  it('asks about the wide set where nothing else matched', () => {
    const widen = () => [needle('pages', 'wide', flipped(KNOWN, 7))]
    const far = needle('identity', 'plain', flipped(KNOWN, 32))
    comparison.addTransformed('page', 0, { needles: [far], widen })
    expect(foundIn('page')).toEqual({ plain: 32, default: 32, wide: 7 })
    const near = needle('identity', 'plain', flipped(KNOWN, 31))
    comparison.addTransformed('frame', 0, { needles: [near], widen })
    expect(foundIn('frame')).toEqual({ plain: 31, default: 31, wide: 31 })
  })

  it('reduces a distance by the excess of a threshold over the default', () => {
    comparison.addTransformed('crop', 0, ask(needle('crops', 'default', flipped(KNOWN, 34), 34)))
    expect(foundIn('crop').default).toBe(31)
    comparison.addTransformed('turn', 0, ask(needle('turns', 'default', flipped(KNOWN, 30), 29)))
    expect(foundIn('turn').default).toBe(32)
  })

  it('compares an upload with all other entries, and does not with its own', () => {
    comparison.addTransformed('as it is', 0, ask(needle('identity', 'plain', OTHER)))
    const pairs = tally.others['photographs']?.pairs.plain ?? []
    expect(within(pairs, 31)).toBe(1)
    expect(within(pairs, 256)).toBe(2)
  })

  it('keeps photographs with a quality under 80 apart', () => {
    comparison.addTransformed('grey', 2, ask(needle('identity', 'plain', UNCLEAR)))
    expect(tally.own).toEqual({})
    expect(nearest(tally.ownUnclear['grey']?.plain ?? [])).toBe(0)
    expect(Object.keys(tally.others)).toEqual(['photographs under 80'])
  })

  it('compares distractors with all entries', () => {
    comparison.addDistractor('noise', ask(needle('identity', 'plain', flipped(OTHER, 20))))
    comparison.addDistractor('noise', ask())
    const { uploads, asked, pairs } = tally.others['noise'] ?? {}
    expect([uploads, asked?.plain, pairs && nearest(pairs.plain)]).toEqual([2, 1, 20])
    expect(nearest(tally.probes['identity']?.distractors ?? [])).toBe(20)
  })

  it('tells which probes find a picture, and which does alone', () => {
    const near = needle('trims', 'default', flipped(KNOWN, 31))
    comparison.addTransformed('border', 0, ask(near, needle('insets', 'default', KNOWN)))
    comparison.addTransformed(
      'frame',
      0,
      ask(near, needle('identity', 'plain', flipped(KNOWN, 32))),
    )
    expect(tally.probes['trims']).toMatchObject({ found: 2, alone: 1 })
    expect(tally.probes['insets']).toMatchObject({ found: 1, alone: 0 })
    expect(tally.probes['identity']).toMatchObject({ found: 0, alone: 0 })
  })
})

describe('addTally', () => {
  it('gives the same sum in whichever order parts come', () => {
    comparison.addTransformed('grey', 0, ask(needle('identity', 'plain', flipped(KNOWN, 5))))
    comparison.addDistractor('noise', ask(needle('identity', 'plain', OTHER)))
    const first = structuredClone(tally)
    comparison.addTransformed('grey', 1, ask(needle('identity', 'plain', OTHER)))
    const second = structuredClone(tally)
    const sum = emptyTally()
    const reverse = emptyTally()
    for (const part of [first, second]) addTally(sum, structuredClone(part))
    for (const part of [second, first]) addTally(reverse, structuredClone(part))
    expect(sum).toEqual(reverse)
    expect(sum.own['grey']?.plain.slice(0, 6)).toEqual([1, 0, 0, 0, 0, 2])
    expect(sum.others['noise']?.uploads).toBe(2)
  })
})
