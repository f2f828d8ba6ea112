import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { workerParts } from '../../src/worker/bindings.ts'
import { api, type Feature, hma, tickets } from '../../src/worker/features.ts'
import { KEY, kvNamespace } from '../support/stores.ts'

/** What a Worker with these features says when it starts with an API key for something. */
function start(scope: string, features: Feature[]) {
  const API_KEYS = `service ${scope} sha256:${KEY}`
  return () =>
    workerParts({ HASH_LISTS: kvNamespace(), LIST_KEY: KEY, API_KEYS }, modules, features)
}

describe('a key of the API', () => {
  it.each([
    ['lookup', 'hma', hma()],
    ['tickets', 'tickets', tickets()],
  ])('for %s stops a Worker that would send it to the origin', (scope, name, feature) => {
    expect(start(scope, [api()])).toThrow(`settings or bindings are for ${name},`)
    expect(start(scope, [api(), feature])).not.toThrow()
  })

  it('stops a Worker without an API', () => {
    expect(start('verdict', [])).toThrow('settings or bindings are for api,')
    expect(start('verdict', [api()])).not.toThrow()
  })
})
