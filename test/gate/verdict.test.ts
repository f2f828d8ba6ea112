import { describe, expect, it } from 'vitest'
import { judge, type JudgeHelpers, type Verdict, worseOf } from '../../src/gate/verdict.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Match, MatchResult } from '../../src/match/match.ts'
import type { ScannedFile } from '../../src/scan/scanned.ts'
import { needle } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'

const file: ScannedFile = {
  coverage: 'scanned',
  format: 'jpeg',
  bytes: 9,
  needles: [needle(randomBytes(32, 1))],
  isPartial: false,
}
const match: Match = {
  ...{ bank: 'csam', entry: '1', labels: {}, probe: 'identity' },
  ...{ distance: 3, threshold: 31, tolerance: 0 },
}

/** The verdict on a file of which the list has this. */
function verdictOn(result: MatchResult, helpers: JudgeHelpers = {}, exempt: string[] = []) {
  const { policy } = readConfig({ HASHGATE: { policy: { exempt } } })
  return judge([file], async (queries) => queries.map(() => result), { policy }, helpers)
}

describe('a file of which the list does not tell all', () => {
  const error = new Error('details are missing')

  it('has failed, since something else may match', async () => {
    const failed = { action: 'refuse', reason: 'failed', isComplete: false }
    expect(await verdictOn({ matches: [], isComplete: false, error })).toMatchObject({
      ...failed,
      error,
    })
    expect(await verdictOn({ matches: [], isComplete: false })).toMatchObject({
      ...failed,
      error: { code: 'too-many-candidates' },
    })
    const exempt = await verdictOn({ matches: [match], isComplete: false }, {}, ['csam/1'])
    expect(exempt).toMatchObject(failed)
  })

  it('is blocked all the same by what matches', async () => {
    const verdict = await verdictOn({ matches: [match], isComplete: false, error })
    expect(verdict).toMatchObject({ action: 'block', reason: 'match', isComplete: false })
  })
})

it.each([
  ['flag', 'quarantine', 'quarantine'],
  ['quarantine', 'block', 'block'],
  ['block', 'quarantine', 'block'],
  ['block', 'flag', 'block'],
] as const)('is judged by the gravest of its matches: %s and %s', async (one, other, action) => {
  const banks = { a: { action: one }, b: { action: other } }
  const { policy } = readConfig({ HASHGATE: { policy: { banks } } })
  const matches = [
    { ...match, bank: 'a' },
    { ...match, bank: 'b' },
  ]
  const answer = async () => [{ matches, isComplete: true }]
  expect(await judge([file], answer, { policy })).toMatchObject({ action, reason: 'match' })
})

it('has failed where what matches cannot be counted', async () => {
  const markFlooded = () => Promise.reject(new Error('the counter broke'))
  const verdict = await verdictOn({ matches: [], isComplete: true }, { markFlooded })
  expect(verdict).toMatchObject({ action: 'refuse', reason: 'failed' })
})

it('is complete only if both parts of an upload are, and is judged by the worse', async () => {
  const [clean, known, open] = await Promise.all([
    verdictOn({ matches: [], isComplete: true }),
    verdictOn({ matches: [match], isComplete: true }),
    verdictOn({ matches: [], isComplete: false }),
  ])
  const facts = (verdict: Verdict) => [verdict.action, verdict.isComplete, verdict.files.length]
  expect(facts(worseOf(clean, known))).toEqual(['block', true, 2])
  expect(facts(worseOf(known, open))).toEqual(['block', false, 2])
  expect(facts(worseOf(open, clean))).toEqual(['refuse', false, 2])
})
