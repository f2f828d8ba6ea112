import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { nextManifest } from '../../src/list/manifest.ts'
import type { Match } from '../../src/match/match.ts'
import { adjustBanks, unknownBanks, weigh } from '../../src/policy/banks.ts'

const policyOf = (policy: object) => readConfig({ HASHGATE: { policy } }).policy

function bank(id: string) {
  return { id, threshold: 31, minQuality: 50, segments: [] }
}

function match(changes: Partial<Match>): Match {
  const known = { bank: 'csam', entry: '7', labels: {}, probe: 'identity' } as const
  return { ...known, distance: 10, threshold: 31, tolerance: 0, ...changes }
}

describe('adjustBanks', () => {
  const manifest = nextManifest(3, [bank('csam'), bank('terror'), bank('spam')])

  it('keeps the published values by default', () => {
    expect(adjustBanks(manifest, policyOf({}))).toEqual(manifest)
  })

  it('has thresholds and qualities of the policy, and no bank that is not enabled', () => {
    const policy = policyOf({
      banks: {
        csam: { threshold: 20, minQuality: 60 },
        terror: { threshold: 28, review: { threshold: 40 } },
        spam: { enabled: false },
      },
    })
    expect(adjustBanks(manifest, policy).banks).toEqual([
      { ...bank('csam'), threshold: 20, minQuality: 60 },
      { ...bank('terror'), threshold: 40 },
    ])
  })
})

describe('unknownBanks', () => {
  const manifest = nextManifest(3, [bank('csam')])
  const problemOf = (policy: object, remote?: string[]) =>
    unknownBanks(manifest, policyOf(policy), remote)?.message

  it('finds nothing if every named bank is listed or remote', () => {
    expect(problemOf({})).toBeUndefined()
    expect(problemOf({ banks: { csam: {} }, exempt: ['csam/7'] })).toBeUndefined()
    expect(problemOf({ banks: { hma: {} }, exempt: ['hma/7'] }, ['hma'])).toBeUndefined()
  })

  it('names each missing bank once, from banks and exempt entries', () => {
    const policy = { banks: { csam: {}, terror: {} }, exempt: ['terror/7', 'spam/1', 'csam/1'] }
    expect(problemOf(policy)).toMatch(/: terror, spam$/)
    expect(problemOf({ exempt: ['hma/7'] }, ['other'])).toMatch(/: hma$/)
  })
})

describe('weigh', () => {
  it('only flags what matches as a picture in one colour, whatever its bank does', () => {
    const policy = policyOf({ banks: { csam: { action: 'quarantine' } } })
    expect(weigh(match({ limited: 'blank' }), policy).action).toBe('flag')
    expect(weigh(match({ limited: 'pattern' }), policy).action).toBe('quarantine')
  })

  it('blocks by default, and names the bank as the harm', () => {
    expect(weigh(match({}), policyOf({}))).toMatchObject({ action: 'block', harm: 'csam' })
  })

  it.each([
    [31, 0, 'quarantine', 31],
    [32, 0, 'flag', 40],
    [40, 0, 'flag', 40],
    [34, 3, 'quarantine', 34],
    [35, 3, 'flag', 43],
  ])(
    'tells bands apart at distance %i, tolerance %i: %s',
    (distance, tolerance, action, threshold) => {
      const review = { threshold: 40 }
      const banks = { csam: { threshold: 31, action: 'quarantine', harm: 'abuse', review } }
      const weighed = weigh(
        match({ distance, tolerance, threshold: 40 + tolerance }),
        policyOf({ banks }),
      )
      expect(weighed).toMatchObject({ action, threshold, harm: 'abuse' })
      expect(weighed.isReview ?? false).toBe(action === 'flag')
    },
  )

  it('leaves the threshold of a match whose bank has no review band', () => {
    const policy = policyOf({ banks: { csam: { threshold: 20 } } })
    expect(weigh(match({ threshold: 31 }), policy).threshold).toBe(31)
  })

  it('takes a digest for a match, not for review', () => {
    const banks = { csam: { threshold: 0, review: { threshold: 40 } } }
    const digest = match({ distance: 0, threshold: 0, probe: 'md5' })
    expect(weigh(digest, policyOf({ banks }))).toMatchObject({ action: 'block', threshold: 0 })
  })

  it('marks entries that are exempt, of their bank alone', () => {
    const policy = policyOf({ exempt: ['csam/7'] })
    expect(weigh(match({}), policy).isExempt).toBe(true)
    expect(weigh(match({ bank: 'terror' }), policy).isExempt).toBeUndefined()
    expect(weigh(match({ entry: '77' }), policy).isExempt).toBeUndefined()
    expect(weigh(match({ entry: '77', isExempt: true }), policy).isExempt).toBe(true)
  })
})
