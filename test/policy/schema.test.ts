import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'

function problem(policy: unknown): string {
  try {
    readConfig({ POLICY: policy })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('a policy', () => {
  it('is empty by default', () => {
    expect(readConfig({}).policy).toEqual({
      mode: 'enforce',
      banks: {},
      harms: {},
      exempt: [],
      routes: [],
    })
  })

  it('is an object, or its JSON', () => {
    const policy = { mode: 'shadow', banks: { csam: { threshold: 20 } } }
    const read = readConfig({ POLICY: policy }).policy
    expect(read.banks).toEqual({ csam: { threshold: 20, action: 'block', enabled: true } })
    expect(readConfig({ POLICY: JSON.stringify(policy) }).policy).toEqual(read)
  })

  it.each([
    ['{', 'POLICY must be an object, or JSON'],
    ['[]', 'POLICY must be an object'],
    [3, 'POLICY must be an object'],
    [{ mode: 'off' }, 'POLICY.mode must be enforce or shadow'],
    [{ bank: {} }, 'POLICY.bank is no setting; there are mode, banks, harms, exempt, routes'],
    [{ banks: { CSAM: {} } }, 'POLICY.banks.CSAM must be named by lower-case letters'],
    [{ banks: { csam: { action: 'allow' } } }, 'POLICY.banks.csam.action must be block or'],
    [{ banks: { csam: { treshold: 3 } } }, 'POLICY.banks.csam.treshold is no setting'],
    [
      { banks: { csam: { threshold: 65 } } },
      'POLICY.banks.csam.threshold must be a whole number from 0 to 64',
    ],
    [
      { banks: { csam: { threshold: '31' } } },
      'POLICY.banks.csam.threshold must be a whole number',
    ],
    [{ banks: { csam: { minQuality: 101 } } }, 'POLICY.banks.csam.minQuality must be a whole'],
    [{ banks: { csam: { enabled: 'no' } } }, 'POLICY.banks.csam.enabled must be true or false'],
    [
      { banks: { csam: { threshold: 31, review: { threshold: 31 } } } },
      'POLICY.banks.csam.review.threshold must be above the threshold',
    ],
    [{ banks: { csam: { review: { threshold: 40 } } } }, 'which must be set, too'],
    [{ harms: { csam: { appealUrl: 'http://a.example' } } }, 'POLICY.harms.csam.appealUrl must be'],
    [{ harms: { csam: { title: '' } } }, 'POLICY.harms.csam.title must not be empty'],
    [{ exempt: ['csam'] }, 'POLICY.exempt.0 must be a bank and an entry'],
    [{ routes: [{ paths: ['upload'] }] }, 'POLICY.routes.0.paths.0 must be a pattern of a path'],
    [{ routes: [{ paths: ['/(('] }] }, 'POLICY.routes.0.paths.0 is no pattern'],
    [{ routes: [{ paths: [] }] }, 'POLICY.routes.0.paths must not be empty'],
    [{ routes: [{ hosts: ['https://a'] }] }, 'POLICY.routes.0.hosts.0 must be a host'],
    [{ routes: [{ methods: ['BREW'] }] }, 'POLICY.routes.0.methods.0 must be GET or'],
    [{ routes: [{ maxFiles: 0 }] }, 'POLICY.routes.0.maxFiles must be a whole number'],
    [{ routes: [{}, { label: 'secret' }] }, 'POLICY.routes.1.label must be public or private'],
  ])('is refused with the path of what is wrong: %j', (policy, message) => {
    expect(problem(policy)).toContain(message)
  })
})
