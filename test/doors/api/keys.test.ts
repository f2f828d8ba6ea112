import { beforeEach, describe, expect, it } from 'vitest'
import {
  generateApiKey,
  MAX_KEYS,
  parseApiKeys,
  parseScopes,
  type Scope,
} from '../../../src/doors/api/keys.ts'
import { apiOf } from '../../../src/doors/api/settings.ts'
import { readConfig } from '../../../src/config/config.ts'
import { API_KEYS, keyFor, setUpApi } from '../../support/api.ts'
import { publish } from '../../support/gate.ts'

const make = (name: string, ...scopes: Scope[]) => generateApiKey(name, new Set(scopes))

describe('API_KEYS', () => {
  it('has keys by lines or semicolons, without the keys themselves', () => {
    const a = make('a', 'verdict', 'lookup')
    const b = make('b', 'tickets')
    const keys = parseApiKeys(`# ours\n${a.line}\r\n\n ${b.line} `)
    expect(keys).toEqual(parseApiKeys(`${a.line};${b.line}`))
    expect(keys).toMatchObject([
      { name: 'a', scopes: new Set(['verdict', 'lookup']) },
      { name: 'b', scopes: new Set(['tickets']) },
    ])
    expect(a.key).toMatch(/^hgk_[\w-]{43}$/)
    expect(a.line).not.toContain(a.key)
    expect(make('a', 'verdict').key).not.toBe(a.key)
  })

  const { line } = make('name', 'verdict')
  it.each([
    ['nothing', '', 'at least one key'],
    ['a comment', '# x', 'at least one key'],
    ['a key itself', 'name verdict hgk_abc', 'line 1 is invalid'],
    ['an unknown scope', line.replace('verdict', 'admin'), 'line 1 is invalid'],
    ['no scope', line.replace('verdict ', ''), 'line 1 is invalid'],
    ['a short digest', line.slice(0, -1), 'line 1 is invalid'],
    [
      'a key twice',
      `${line}\n${line.replace('name verdict', 'other lookup')}`,
      'line 2 repeats a key',
    ],
    ['a name twice', `${line}\n${make('name', 'lookup').line}`, 'line 2 repeats a name'],
    [
      'too many',
      Array.from({ length: MAX_KEYS + 1 }, (_, i) => make(`k${i}`, 'verdict').line).join(';'),
      'at most 100',
    ],
  ])('cannot be %s', (_, text, words) => {
    expect(parseApiKeys(text)).toContain(words)
    const reading = () => apiOf(readConfig({}).api, text)
    expect(reading).toThrow(`API_KEYS must`)
    expect(reading).not.toThrow(/hgk_|[\da-f]{32}/)
  })

  it('has scopes that are known', () => {
    expect(parseScopes('verdict, tickets')).toEqual(new Set(['verdict', 'tickets']))
    for (const text of ['', 'verdict,', 'Verdict', 'all']) expect(parseScopes(text)).toBeUndefined()
  })
})

describe('a key', () => {
  beforeEach(() => publish())

  const get = (headers: Record<string, string>, vars: { API_KEYS?: string } = {}) =>
    setUpApi(vars).call('/v1/openapi.json', { headers })

  it('is required for everything, and other callers learn nothing', async () => {
    const KEY = keyFor('verdict')
    for (const authorization of [
      '',
      'Bearer',
      `Bearer ${KEY}x`,
      `Basic ${btoa(KEY)}`,
      `${KEY} x`,
      'x'.repeat(5000),
    ]) {
      const response = await get({ authorization })
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer realm="hashgate"',
      ])
      for (const [path, method] of [
        ['/v1/verdict', 'POST'],
        ['/v1/verdict', 'DELETE'],
        ['/status', 'GET'],
        ['/m/lookup', 'GET'],
      ] as const) {
        const { status } = await setUpApi().call(path, { method, headers: { authorization } })
        expect([path, status]).toEqual([path, 401])
      }
    }
    for (const authorization of [`Bearer ${KEY}`, `bearer  ${KEY} `, KEY])
      expect((await get({ authorization })).status).toBe(200)
  })

  it('is for what its scopes say', async () => {
    const { call } = setUpApi()
    const status = async (path: string, method: string, scope: Scope) =>
      (await call(path, { method }, keyFor(scope))).status
    expect(await status('/v1/verdict', 'POST', 'lookup')).toBe(403)
    expect(await status('/m/lookup', 'GET', 'verdict')).toBe(403)
    expect(await status('/status', 'GET', 'lookup')).toBe(200)
    expect(await status('/status', 'DELETE', 'lookup')).toBe(405)
    expect(await status('/status', 'DELETE', 'verdict')).toBe(403)
  })

  it('can be replaced without a gap', async () => {
    const [old, young] = [make('old', 'verdict'), make('new', 'verdict')]
    const both = `${old.line}\n${young.line}`
    const status = async (key: string, keys: string) =>
      (await get({ authorization: key }, { API_KEYS: keys })).status
    expect([await status(old.key, both), await status(young.key, both)]).toEqual([200, 200])
    expect([await status(old.key, young.line), await status(young.key, young.line)]).toEqual([
      401, 200,
    ])
    expect(API_KEYS).not.toContain('hgk_')
  })
})
