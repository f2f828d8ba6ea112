import { describe, expect, it } from 'vitest'
import { familiesOf, sentencesOf } from '../../src/dev/sentence.ts'
import type { Verdict } from '../../src/gate/verdict.ts'
import type { WeighedMatch } from '../../src/policy/banks.ts'
import type { ScannedFile } from '../../src/scan/scanned.ts'

const scanned: ScannedFile = {
  ...{ coverage: 'scanned', format: 'jpeg', bytes: 9, needles: [], isPartial: false },
}
const damaged = {
  ...{ coverage: 'unscannable', reason: 'damaged', format: 'jpeg', bytes: 9 },
} as ScannedFile

const match: WeighedMatch = {
  ...{ bank: 'csam', entry: '4711', labels: {}, distance: 6, threshold: 31, tolerance: 0 },
  ...{ probe: 'identity', action: 'block', harm: 'csam' },
}

function verdict(action: Verdict['action'], reason: Verdict['reason'], ...matches: WeighedMatch[]) {
  return { action, reason, isComplete: true, files: [{ scanned, matches }] } as unknown as Verdict
}

describe('sentencesOf', () => {
  it.each([
    ['block', {}, 'Blocked: 6 bits from entry 4711 in bank csam, found as it is; threshold 31.'],
    [
      'block',
      { distance: 1, probe: 'flipX' },
      'Blocked: 1 bit from entry 4711 in bank csam, found mirrored or turned (flipX); threshold 31.',
    ],
    [
      'block',
      { probe: 'sha256', distance: 0 },
      'Blocked: the file is identical to entry 4711 in bank csam, by its SHA256.',
    ],
    ['quarantine', {}, 'a sealed copy is kept'],
    ['flag', {}, 'The upload passes, and people review it.'],
    ['flag', { isReview: true }, 'It lies in the review band of its bank.'],
    ['flag', { isFlooded: true }, 'probably wrong'],
    ['flag', { limited: 'blank' }, 'Both pictures are blank'],
  ] as const)('says of %s with %o: %s', (action, more, text) => {
    const said = sentencesOf(verdict(action, 'match', { ...match, ...more }), scanned)
    expect(said.join(' ')).toContain(text)
  })

  it('never speaks of an entry that is exempt', () => {
    const said = sentencesOf(verdict('allow', 'no-match', { ...match, isExempt: true }), scanned)
    expect(said).toEqual(['Allowed: nothing on the list is near.'])
  })

  it('says why a file is not read, whether it passes or not', () => {
    expect(sentencesOf(verdict('allow', 'unscannable'), damaged)[0]).toBe(
      'Allowed, but not judged: hashgate cannot read it, because it is damaged.',
    )
    expect(sentencesOf(verdict('refuse', 'unscannable'), damaged)[0]).toMatch(/^Refused: .*damaged/)
    expect(sentencesOf(verdict('refuse', 'failed'), scanned)[0]).toBe(
      'Refused: the list could not be read.',
    )
  })
})

describe('familiesOf', () => {
  it('has each needle once, in families that say what they mean', () => {
    const needles = (['crops', 'identity', 'flipX', 'shifts', 'alpha'] as const).map((probe) => ({
      probe,
    }))
    const families = familiesOf(needles)
    expect(families.map(({ name }) => name)).toEqual([
      'as it is',
      'as programs show it',
      'mirrored or turned',
      'cropped',
    ])
    expect(families.flatMap((one) => one.needles)).toHaveLength(needles.length)
  })
})
