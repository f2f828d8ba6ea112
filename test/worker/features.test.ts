import { describe, expect, it } from 'vitest'
import { checkNeeds, readConfig } from '../../src/config/config.ts'
import { MemoryStore } from '../../src/list/store.ts'
import { s3, tus } from '../../src/worker/features.ts'
import type { Bindings } from '../../src/worker/parts.ts'
import { environmentOf } from '../support/environment.ts'

const [STAGING, UPLOADS, ORIGIN_BUCKET] = [{}, {}, {}] as unknown as [
  NonNullable<Bindings['STAGING']>,
  NonNullable<Bindings['UPLOADS']>,
  NonNullable<Bindings['ORIGIN_BUCKET']>,
]
const bound = { STAGING, UPLOADS }
const S3_CLIENT_KEYS = `ONE:${'a'.repeat(16)}, TWO:${'b'.repeat(40)}`
const S3_ORIGIN_KEY = `THREE:${'c'.repeat(16)}`

/** What the two ways in make of settings and bindings. */
function read(vars: object) {
  const env = environmentOf({ HASH_LISTS: {}, LIST_KEY: '00', ...vars })
  const config = readConfig(env)
  checkNeeds(config, (name) => name in env)
  const bindings = env as unknown as Bindings
  const store = new MemoryStore()
  return { ...tus().bind?.(config, bindings, store), ...s3().bind?.(config, bindings, store) }
}

describe('tus and S3', () => {
  it('are absent unless something is set', () => {
    expect(read(bound)).toEqual({})
    expect(read({ ...bound, tus: { path: '' } })).toEqual({})
  })

  it('takes tus, S3, or both', () => {
    expect(read({ ...bound, tus: { path: '/files' } })).toEqual({
      staging: { bucket: STAGING, uploads: UPLOADS },
    })
    const both = read({ ...bound, tus: { path: '/files' }, S3_CLIENT_KEYS, S3_ORIGIN_KEY })
    expect([...(both.s3?.clientKeys.keys() ?? [])]).toEqual(['ONE', 'TWO'])
    expect(read({ ...bound, S3_CLIENT_KEYS, ORIGIN_BUCKET }).s3?.originKey).toBeUndefined()
  })

  it.each([
    [{ UPLOADS, tus: { path: '/files' } }, 'needs the binding STAGING, an R2 bucket'],
    [{ STAGING, tus: { path: '/files' } }, 'needs the binding UPLOADS'],
    [{ ...bound, tus: { path: 'files' } }, 'tus.path must be a path'],
    [{ ...bound, tus: { path: '/files/' } }, 'tus.path must be a path'],
    [{ ...bound, tus: { path: '/a', originPath: '/b?c' } }, 'tus.originPath must be a path'],
    [{ ...bound, tus: { path: '/a', corsOrigins: ['a.example'] } }, 'tus.corsOrigins.0'],
    [
      { ...bound, tus: { path: '/files' }, upload: { methods: ['PUT'] } },
      'upload.methods must list POST',
    ],
    [{ ...bound, staging: { hours: 0 } }, 'staging.hours must be a whole number'],
    [{ ...bound, s3: { region: 'a b' } }, 's3.region must be a region'],
    [{ ...bound, S3_CLIENT_KEYS }, 'needs the secret S3_ORIGIN_KEY'],
    [{ ...bound, S3_CLIENT_KEYS, S3_ORIGIN_KEY: 'x' }, 'S3_ORIGIN_KEY must be S3 keys'],
    [{ ...bound, S3_CLIENT_KEYS: 'x', S3_ORIGIN_KEY }, 'S3_CLIENT_KEYS must be S3 keys'],
    [{ ...bound, S3_CLIENT_KEYS: 'ONE:short', S3_ORIGIN_KEY }, 'S3_CLIENT_KEYS must be S3 keys'],
    [
      { ...bound, S3_CLIENT_KEYS: `${S3_CLIENT_KEYS},ONE:${'d'.repeat(16)}`, S3_ORIGIN_KEY },
      'each name once',
    ],
    [
      { ...bound, S3_CLIENT_KEYS, S3_ORIGIN_KEY, upload: { methods: ['POST'] } },
      'upload.methods must list PUT',
    ],
  ])('refuses settings that cannot be used: %#', (env, words) => {
    expect(() => read(env)).toThrow(words)
  })

  it('never reveals the secret of an unusable key', () => {
    const env = { ...bound, S3_ORIGIN_KEY, S3_CLIENT_KEYS: 'ONE:a-short-one' }
    expect(() => read(env)).toThrow(/^(?!.*a-short-one)/s)
  })
})
