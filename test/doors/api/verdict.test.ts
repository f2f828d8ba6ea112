import { beforeEach, describe, expect, it } from 'vitest'
import { formatHash } from '../../../src/util/hash.ts'
import { toHex } from '../../../src/util/bytes.ts'
import { FileDigester } from '../../../src/scan/digests.ts'
import { API_KEYS, keyFor, setUpApi } from '../../support/api.ts'
import { flipBits } from '../../support/entries.ts'
import { fixture } from '../../support/fixtures.ts'
import { entriesOf, hashOf, publish, publishBanks, setUp } from '../../support/gate.ts'
import { bucket, emptyBucket, keys, openObject, quarantineWith } from '../../support/quarantine.ts'
import { randomBytes } from '../../support/random.ts'
import { brokenStore } from '../../support/stores.ts'

const known = fixture('jpeg')
const unrelated = fixture('otherJpeg')
const KEY = keyFor('verdict')
const digestKnown = randomBytes(500, 77)

beforeEach(async () => {
  const digests = FileDigester.ofAllKinds()
  digests.update(digestKnown)
  const { md5, sha256 } = digests.digest()
  await publishBanks({
    csam: entriesOf(await hashOf(known)),
    files: [
      { kind: 'md5', hash: md5, id: 'm', labels: {} },
      { kind: 'sha256', hash: sha256, id: 's', labels: {} },
    ],
  })
})

function ask(vars: { [name: string]: unknown } = {}, parts = {}) {
  const api = setUpApi(vars, parts)
  return {
    ...api,
    file: (body: BodyInit, headers: Record<string, string> = {}) =>
      api.call('/v1/verdict', { method: 'POST', body, headers }, KEY),
    hashes: (...hashes: object[]) =>
      api.call(
        '/v1/verdict',
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ hashes }),
        },
        KEY,
      ),
  }
}

describe('the verdict on a file', () => {
  it('is 200 for unknown files, and 451 for a match', async () => {
    const { file, verdicts, forwarded } = ask()
    const allowed = await file(unrelated)
    expect(allowed.status).toBe(200)
    expect(await allowed.json()).toMatchObject({ verdict: 'allow', reason: 'no-match' })
    const blocked = await file(known)
    expect(blocked.status).toBe(451)
    const { caseId, files } = await blocked.json<{ caseId: string; files: object[] }>()
    expect(files).toMatchObject([
      { format: 'jpeg', matches: [{ bank: 'csam', entry: 'known-0', distance: 0, margin: 31 }] },
    ])
    expect(forwarded).toEqual([])
    expect(verdicts()).toMatchObject([
      { action: 'allow', caller: 'verdict-caller', path: '/v1/verdict' },
      { action: 'block', caller: 'verdict-caller', caseId },
    ])
  })

  it('tells no hash', async () => {
    const { file, events } = ask()
    const text = await (await file(known)).text()
    expect(text).toContain('known-0')
    expect(events).toMatchObject([{ event: 'verdict', action: 'block' }])
    expect(text + JSON.stringify(events)).not.toMatch(/[\da-f]{33}/)
  })

  it('is on each file of a form, and on what is in archives', async () => {
    const form = new FormData()
    form.append('a', new File([unrelated], 'a.jpg'))
    form.append('b', new File([known], 'b.jpg'))
    const response = await ask().call('/v1/verdict', { method: 'POST', body: form }, KEY)
    expect(response.status).toBe(451)
    const { files } = await response.json<{ files: { matches?: object[] }[] }>()
    expect(files.map(({ matches = [] }) => matches.length)).toEqual([0, 1])
  })

  it('is 202 for a file that needs review', async () => {
    const banks = { csam: { action: 'flag' } }
    const flagged = await ask({ policy: { banks } }).file(known)
    expect(flagged.status).toBe(202)
    await publish(flipBits(await hashOf(known), 36))
    const review = { csam: { threshold: 31, review: { threshold: 40 } } }
    const reviewed = await ask({ scan: { probes: 'plain' }, policy: { banks: review } }).file(known)
    expect(reviewed.status).toBe(202)
    expect(await reviewed.json()).toMatchObject({
      verdict: 'flag',
      files: [{ matches: [{ isReview: true, distance: 36 }] }],
    })
  })

  it('says of a pattern that it matches only what is very near', async () => {
    const pattern = fixture('stripes')
    const told = { quality: expect.any(Number) as number, limited: 'pattern', limitedTo: 16 }
    const passed = await ask().file(pattern)
    expect(await passed.json()).toMatchObject({ reason: 'no-match', files: [told] })
    await publish(await hashOf(pattern))
    const blocked = await ask().file(pattern)
    expect(blocked.status).toBe(451)
    expect(await blocked.json()).toMatchObject({
      files: [{ ...told, matches: [{ distance: 0, margin: 16, limited: 'pattern' }] }],
    })
  })

  it('keeps what is to be quarantined', async () => {
    await emptyBucket()
    const policy = { banks: { csam: { action: 'quarantine' } } }
    const { file, verdicts } = ask({ policy }, { quarantine: quarantineWith({ bucket }) })
    expect((await file(known)).status).toBe(451)
    expect(verdicts()).toMatchObject([{ action: 'quarantine', quarantine: { kept: true } }])
    expect((await openObject((await keys())[0]!)).body).toEqual(known)
  })

  it('is what it is, whether uploads are only shadowed', async () => {
    expect((await ask({ policy: { mode: 'shadow' } }).file(known)).status).toBe(451)
  })

  it('says what could not be looked at', async () => {
    const damaged = fixture('jpeg').subarray(0, 300)
    const allowed = await ask().file(damaged)
    expect(allowed.status).toBe(200)
    expect(await allowed.json()).toMatchObject({ verdict: 'allow', reason: 'unscannable' })
    const refused = await ask({ policy: { onUnscannable: 'refuse' } }).file(damaged)
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({ verdict: 'refuse', reason: 'unscannable' })
  })

  it('is the same where the file is longer than what is held, and gives back what it took', async () => {
    await emptyBucket()
    const vars = { upload: { maxBufferedBytes: 100, maxHeldBytes: 2 ** 21 } }
    const parts = { quarantine: quarantineWith({ bucket }) }
    const policy = { banks: { csam: { action: 'quarantine' } } }
    const lengthOf = (file: Uint8Array) => ({ 'content-length': String(file.length) })
    const { file, verdicts, forwarded, send } = ask({ ...vars, policy }, parts)
    expect((await file(unrelated, lengthOf(unrelated))).status).toBe(200)
    expect((await file(known, lengthOf(known))).status).toBe(451)
    expect((await file(known)).status).toBe(411)
    expect(verdicts()).toMatchObject([
      { action: 'allow' },
      { action: 'quarantine', quarantine: { kept: false, reason: 'too-long' } },
      { action: 'refuse', reason: 'length-required' },
    ])
    expect(forwarded).toEqual([])
    const headers = { authorization: `Bearer ${keyFor('health')}` }
    const health = await send(null, { method: 'GET', headers }, 'https://api.example/healthz')
    expect(await health.json()).toMatchObject({
      uploads: { heldBytes: 0, waiting: 0, decoders: 0 },
    })
  })

  it('is not given if there is no file', async () => {
    const form = new FormData()
    form.append('url', 'https://pictures.example/cat.jpg')
    const bodies: [body: BodyInit, headers?: Record<string, string>][] = [
      [form],
      [new URLSearchParams({ url: 'https://pictures.example/cat.jpg' })],
      ['{"hashes":[]}', { 'content-type': 'application/vnd.api+json' }],
      [new Uint8Array()],
    ]
    for (const [body, headers] of bodies) {
      const { file, verdicts } = ask()
      const response = await file(body, headers)
      expect([response.status, await response.json()]).toEqual([
        400,
        expect.objectContaining({ detail: 'There is no file in the request.' }),
      ])
      expect(verdicts()).toEqual([])
    }
    form.append('picture', new File([unrelated], 'a.jpg'))
    expect((await ask().file(form)).status).toBe(200)
  })

  it('is refused if it cannot be given', async () => {
    const cases: [
      vars: { [name: string]: unknown },
      body: BodyInit,
      headers: Record<string, string>,
      status: number,
    ][] = [
      [{ upload: { maxBodyBytes: 100, maxBufferedBytes: 100 } }, known, {}, 413],
      [{}, 'x', { 'content-type': 'multipart/form-data; boundary=' }, 400],
      [{}, '', {}, 400],
    ]
    for (const [vars, body, headers, status] of cases) {
      const api = ask(vars)
      const length = { 'content-length': String((body as string).length) }
      const response = await api.file(body, { ...length, ...headers })
      expect([response.status, response.headers.get('content-type')]).toEqual([
        status,
        'application/problem+json',
      ])
    }
    const store = brokenStore()
    const failed = await ask({}, { store }).file(unrelated)
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '30'])
    expect(await failed.json()).toMatchObject({ verdict: 'refuse', reason: 'failed' })
  })
})

describe('the verdict on hashes', () => {
  it('is that of files with these hashes, in their order', async () => {
    const { hashes, verdicts } = ask()
    const pdq = formatHash(await hashOf(known))
    const digest = FileDigester.ofAllKinds()
    digest.update(digestKnown)
    const { md5, sha1, sha256 } = digest.digest()
    const response = await hashes(
      { pdq, quality: 100 },
      { md5: toHex(md5) },
      { sha1: toHex(sha1) },
      { sha256: toHex(sha256).toUpperCase() },
    )
    expect(response.status).toBe(451)
    const body = await response.json<{ hashes: { kind: string; matches: { entry: string }[] }[] }>()
    const found = body.hashes.map(({ kind, matches }) => [kind, matches.map(({ entry }) => entry)])
    expect(found).toEqual([
      ['pdq', ['known-0']],
      ['md5', ['m']],
      ['sha1', []],
      ['sha256', ['s']],
    ])
    expect(verdicts()).toMatchObject([{ action: 'block', caller: 'verdict-caller' }])
    expect((await hashes({ sha1: toHex(sha1) })).status).toBe(200)
  })

  it('goes by the threshold and the quality of the bank', async () => {
    const hash = await hashOf(known)
    const { hashes } = ask()
    for (const [bits, quality, status, limits] of [
      [31, 50, 451, {}],
      [32, 100, 200, {}],
      [16, 49, 451, { limited: 'low-quality', limitedTo: 16 }],
      [17, 49, 200, { limited: 'low-quality', limitedTo: 16 }],
    ] as const) {
      const pdq = formatHash(flipBits(hash, bits))
      const answer = await hashes({ pdq, quality })
      expect(answer.status).toBe(status)
      const { hashes: told } = await answer.json<{ hashes: object[] }>()
      expect(told).toMatchObject([{ kind: 'pdq', ...limits }])
      expect('limited' in told[0]!).toBe('limited' in limits)
    }
  })

  it.each([
    ['no JSON', '{', 'The body is not valid JSON.'],
    ['an array', '[]', 'does not match the schema: `hashes` is missing.'],
    ['no hashes', '{"hashes":[]}', 'must have at least one hash'],
    ['a hash of a wrong length', '{"hashes":[{"md5":"ab"}]}', 'hashes.0'],
    ['no quality', JSON.stringify({ hashes: [{ pdq: 'a'.repeat(64) }] }), 'hashes.0'],
    ['something else', JSON.stringify({ hashes: [{ md5: 'a'.repeat(32), x: 1 }] }), 'hashes.0'],
    [
      'too many',
      JSON.stringify({ hashes: Array.from({ length: 101 }, () => ({ md5: 'a'.repeat(32) })) }),
      '100',
    ],
    ['too much', ' '.repeat(65_537), '65536 bytes'],
  ])('is refused for %s, and says why', async (name, body, words) => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const response = await ask().call('/v1/verdict', { method: 'POST', body, headers }, KEY)
    expect(response.status).toBe(name === 'too much' ? 413 : 400)
    expect(await response.text()).toContain(words)
  })
})

describe('the API', () => {
  it('is off without keys, and on another host or path', async () => {
    const off = setUp()
    expect((await off.send(unrelated, {}, 'https://api.example/v1/verdict')).status).toBe(201)
    expect(off.forwarded).toHaveLength(1)
    for (const vars of [{ api: { host: 'verdicts.example' } }, { api: { path: '/hashgate' } }]) {
      const { send } = setUp({ API_KEYS, ...vars })
      const status = async (url: string) =>
        (await send(null, { method: 'GET', headers: { authorization: KEY } }, url)).status
      expect(await status('https://api.example/v1/openapi.json')).toBe(201)
      const base = 'host' in vars.api ? 'https://Verdicts.example' : 'https://api.example/hashgate'
      expect(await status(`${base}/v1/openapi.json`)).toBe(200)
    }
  })
})
