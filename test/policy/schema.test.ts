import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { quarantinedBank } from '../../src/policy/schema.ts'

function problem(policy: unknown): string {
  try {
    readConfig({ HASHGATE: { policy } })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('a policy', () => {
  it('is empty by default', () => {
    expect(readConfig({}).policy).toEqual({
      mode: 'enforce',
      onFailed: 'refuse',
      onUnscannable: 'allow',
      banks: {},
      harms: {},
      exempt: [],
      routes: [],
    })
  })

  it('has defaults in its banks', () => {
    const policy = { mode: 'shadow', banks: { csam: { threshold: 20 } } }
    const read = readConfig({ HASHGATE: { policy } }).policy
    expect(read.banks).toEqual({
      csam: { threshold: 20, action: 'block', onFlood: 'report', enabled: true },
    })
  })

  it.each([
    [[], 'policy must be a table of settings'],
    [3, 'policy must be a table of settings'],
    [{ mode: 'off' }, 'policy.mode must be enforce or shadow'],
    [{ bank: {} }, 'policy.bank is not a setting; did you mean banks?'],
    [{ banks: { CSAM: {} } }, 'policy.banks.CSAM must have 1 to 64 lower-case letters'],
    [{ banks: { csam: { action: 'allow' } } }, 'policy.banks.csam.action must be block or'],
    [
      { banks: { csam: { treshold: 3 } } },
      'policy.banks.csam.treshold is not a setting; did you mean threshold?',
    ],
    [
      { banks: { csam: { threshold: 65 } } },
      'policy.banks.csam.threshold must be a whole number from 0 to 64',
    ],
    [
      { banks: { csam: { threshold: '31' } } },
      'policy.banks.csam.threshold must be a whole number',
    ],
    [{ banks: { csam: { minQuality: 101 } } }, 'policy.banks.csam.minQuality must be a whole'],
    [{ banks: { csam: { enabled: 'no' } } }, 'policy.banks.csam.enabled must be true or false'],
    [
      { banks: { csam: { threshold: 31, review: { threshold: 31 } } } },
      'policy.banks.csam.review.threshold must be above the threshold',
    ],
    [{ banks: { csam: { review: { threshold: 40 } } } }, 'which must be set too'],
    [{ harms: { csam: { appealUrl: 'http://a.example' } } }, 'policy.harms.csam.appealUrl must be'],
    [{ harms: { csam: { title: '' } } }, 'policy.harms.csam.title must not be empty'],
    [{ exempt: ['csam'] }, 'policy.exempt.0 must be a bank and an entry'],
    [{ routes: [{ paths: ['upload'] }] }, 'policy.routes.0.paths.0 must be a pattern of a path'],
    [{ routes: [{ paths: ['/(('] }] }, 'policy.routes.0.paths.0 is not a pattern'],
    [{ routes: [{ paths: [] }] }, 'policy.routes.0.paths must not be empty'],
    [{ routes: [{ hosts: ['https://a'] }] }, 'policy.routes.0.hosts.0 must be a host'],
    [{ routes: [{ methods: ['BREW'] }] }, 'policy.routes.0.methods.0 must be GET or'],
    [{ routes: [{ maxFiles: 0 }] }, 'policy.routes.0.maxFiles must be a whole number'],
    [{ routes: [{ maxBodyBytes: 0 }] }, 'policy.routes.0.maxBodyBytes must be a whole number'],
    [{ routes: [{ skipFields: ['a'.repeat(201)] }] }, 'must have at most 200 characters'],
    [{ routes: [{ skipFields: ['a b'] }] }, 'policy.routes.0.skipFields.0 must be letters, digits'],
    [{ banks: { csam: { minQuality: -1 } } }, 'policy.banks.csam.minQuality must be a whole'],
    [{ routes: [{}, { label: 'secret' }] }, 'policy.routes.1.label must be public or private'],
  ])('is refused with the path of what is wrong: %j', (policy, message) => {
    expect(problem(policy)).toContain(message)
  })
})

describe('settings of a policy', () => {
  it('may have the minimum and the maximum', () => {
    const route = { maxFiles: 1, maxBodyBytes: 1, skipFields: ['a'.repeat(200), 'b-1_c.d[]'] }
    const banks = {
      none: { threshold: 0, minQuality: 0 },
      most: { threshold: 64, minQuality: 100 },
    }
    expect(problem({ banks, routes: [route] })).toBe('')
  })
})

describe('the bank that is quarantined', () => {
  const quarantinedOf = (banks: object) =>
    quarantinedBank(readConfig({ HASHGATE: { policy: { banks } } }).policy)

  it('is the first whose matches, or whose review band, may be', () => {
    const review = { threshold: 40, action: 'quarantine' }
    expect(quarantinedOf({})).toBeUndefined()
    expect(
      quarantinedOf({ a: {}, b: { threshold: 31, review: { threshold: 40 } } }),
    ).toBeUndefined()
    expect(quarantinedOf({ a: {}, b: { action: 'quarantine' }, c: { action: 'quarantine' } })).toBe(
      'b',
    )
    expect(quarantinedOf({ a: {}, b: { threshold: 31, review } })).toBe('b')
  })
})
