import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import type { DeskBindings } from '../../src/desk/worker.ts'
import { workerParts } from '../../src/worker/bindings.ts'
import { api, type Feature, hma, tickets } from '../../src/worker/features.ts'
import type { Bindings } from '../../src/worker/parts.ts'
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

/** Never called: these are for the compiler. */
export function bindingsHaveTypes(kv: KVNamespace, r2: R2Bucket): (Bindings | DeskBindings)[] {
  const worker: Bindings = { HASH_LISTS: kv, QUARANTINE: r2, STAGING: r2 }
  const desk: DeskBindings = { HASH_LISTS: kv }
  return [
    // @ts-expect-error an R2 bucket is no KV namespace
    { ...worker, HASH_LISTS: r2 } satisfies Bindings,
    // @ts-expect-error a KV namespace is no R2 bucket
    { ...worker, QUARANTINE: kv } satisfies Bindings,
    // @ts-expect-error a KV namespace is no R2 bucket
    { ...worker, STAGING: kv } satisfies Bindings,
    // @ts-expect-error an R2 bucket is no KV namespace
    { ...desk, HASH_LISTS: r2 } satisfies DeskBindings,
  ]
}
