import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { s3, tus } from '../../src/worker/features.ts'
import type { Bindings } from '../../src/worker/parts.ts'

const [STAGING, UPLOADS, ORIGIN_BUCKET] = [{}, {}, {}] as unknown as [
  NonNullable<Bindings['STAGING']>,
  NonNullable<Bindings['UPLOADS']>,
  NonNullable<Bindings['ORIGIN_BUCKET']>,
]
const bound = { STAGING, UPLOADS }
const S3_CLIENT_KEYS = `ONE:${'a'.repeat(16)}, TWO:${'b'.repeat(40)}`
const S3_ORIGIN_KEY = `THREE:${'c'.repeat(16)}`

/** What the two ways in make of settings and bindings. */
function read(env: Record<string, unknown> & Partial<Bindings>) {
  const config = readConfig(env)
  const bindings = env as Bindings
  return { ...tus().bind?.(config, bindings), ...s3().bind?.(config, bindings) }
}

describe('tus and S3', () => {
  it('is none unless something is set', () => {
    expect(read(bound)).toEqual({})
    expect(read({ ...bound, TUS_PATH: '' })).toEqual({})
  })

  it('takes tus, S3, or both', () => {
    expect(read({ ...bound, TUS_PATH: '/files' })).toEqual({
      staging: { bucket: STAGING, uploads: UPLOADS },
    })
    const both = read({ ...bound, TUS_PATH: '/files', S3_CLIENT_KEYS, S3_ORIGIN_KEY })
    expect([...(both.s3?.clientKeys.keys() ?? [])]).toEqual(['ONE', 'TWO'])
    expect(read({ ...bound, S3_CLIENT_KEYS, ORIGIN_BUCKET }).s3?.originKey).toBeUndefined()
  })

  it.each([
    [{ UPLOADS, TUS_PATH: '/files' }, 'STAGING, an R2 bucket'],
    [{ STAGING, TUS_PATH: '/files' }, 'UPLOADS, Durable Objects'],
    [{ ...bound, TUS_PATH: 'files' }, 'TUS_PATH must be a path'],
    [{ ...bound, TUS_PATH: '/files/' }, 'TUS_PATH must be a path'],
    [{ ...bound, TUS_PATH: '/a', TUS_ORIGIN_PATH: '/b?c' }, 'TUS_ORIGIN_PATH must be a path'],
    [{ ...bound, TUS_PATH: '/a', TUS_CORS_ORIGINS: 'a.example' }, 'TUS_CORS_ORIGINS'],
    [{ ...bound, TUS_PATH: '/files', GATED_METHODS: 'PUT' }, 'GATED_METHODS must list POST'],
    [{ ...bound, STAGING_HOURS: '0' }, 'STAGING_HOURS must be a whole number'],
    [{ ...bound, S3_REGION: 'a b' }, 'S3_REGION must be a region'],
    [{ ...bound, S3_CLIENT_KEYS }, 'S3_ORIGIN_KEY must be set'],
    [{ ...bound, S3_CLIENT_KEYS, S3_ORIGIN_KEY: 'x' }, 'S3_ORIGIN_KEY must be keys'],
    [{ ...bound, S3_CLIENT_KEYS: 'x', S3_ORIGIN_KEY }, 'S3_CLIENT_KEYS must be keys'],
    [{ ...bound, S3_CLIENT_KEYS: 'ONE:short', S3_ORIGIN_KEY }, 'S3_CLIENT_KEYS must be keys'],
    [
      { ...bound, S3_CLIENT_KEYS: `${S3_CLIENT_KEYS},ONE:${'d'.repeat(16)}`, S3_ORIGIN_KEY },
      'each name once',
    ],
    [
      { ...bound, S3_CLIENT_KEYS, S3_ORIGIN_KEY, GATED_METHODS: 'POST' },
      'GATED_METHODS must list PUT',
    ],
  ])('refuses settings that cannot be used: %#', (env, words) => {
    expect(() => read(env)).toThrow(words)
  })

  it('tells no secret of a key that cannot be used', () => {
    const env = { ...bound, S3_ORIGIN_KEY, S3_CLIENT_KEYS: 'ONE:a-short-one' }
    expect(() => read(env)).toThrow(/^(?!.*a-short-one)/s)
  })
})
