import { describe, expect, it } from 'vitest'
import type { MatchResult, Query } from '../../src/match/match.ts'
import { matchInStages } from '../../src/match/stages.ts'
import type { Needle, ScannedContent, ScannedFile } from '../../src/scan/scanned.ts'
import { needle } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'

const NARROW = needle(randomBytes(32, 1))
const WIDE = needle(randomBytes(32, 2))

function image(widen?: () => Needle[]): ScannedContent {
  return {
    coverage: 'scanned',
    format: 'png',
    bytes: 10,
    needles: [NARROW],
    isPartial: false,
    ...(widen && { widen }),
  }
}

const NOTHING: MatchResult = { matches: [], isComplete: true }

function found(entry: string): MatchResult {
  const match = {
    bank: 'b',
    labels: {},
    distance: 1,
    threshold: 31,
    tolerance: 0,
    probe: 'bars',
  } as const
  return { matches: [{ ...match, entry }], isComplete: true }
}

/** A list that answers each stage as it is told to, and what it was asked. */
function listOf(...answers: MatchResult[][]) {
  const asked: (readonly Query[])[] = []
  const askList = async (queries: readonly Query[]) => {
    asked.push(queries)
    return answers[asked.length - 1]!
  }
  return { asked, askList }
}

describe('matchInStages', () => {
  it('asks by the wide set only about images that nothing matched', async () => {
    let made = 0
    const widen = () => {
      made++
      return [WIDE]
    }
    const unscannable: ScannedFile = { coverage: 'unscannable', reason: 'damaged', bytes: 3 }
    const { asked, askList } = listOf(
      [found('first'), NOTHING, NOTHING, NOTHING],
      [found('second')],
    )
    const files = [image(widen), unscannable, image(), image(widen)]
    const results = await matchInStages(files, askList)
    expect(results).toEqual([found('first'), NOTHING, NOTHING, found('second')])
    expect(made).toBe(1)
    expect(asked.map((queries) => queries.map(({ needles }) => needles))).toEqual([
      [[NARROW], [], [NARROW], [NARROW]],
      [[WIDE]],
    ])
  })

  it('asks once where there is no wide set', async () => {
    const { asked, askList } = listOf([NOTHING])
    expect(await matchInStages([image()], askList)).toEqual([NOTHING])
    expect(asked).toHaveLength(1)
  })

  it('is complete only if both stages are, and keeps the first error', async () => {
    const error = new Error('first')
    const failed = { matches: [], isComplete: false, error }
    const widen = () => [WIDE]
    for (const [first, second, expected] of [
      [failed, NOTHING, failed],
      [NOTHING, failed, failed],
      [failed, { ...failed, error: new Error('second') }, failed],
      [{ matches: [], isComplete: false }, found('a'), { ...found('a'), isComplete: false }],
      [NOTHING, NOTHING, NOTHING],
    ] as const) {
      const { askList } = listOf([first as MatchResult], [second])
      expect(await matchInStages([image(widen)], askList)).toEqual([expected])
    }
  })
})
