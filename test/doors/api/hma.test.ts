// The routes of hasher-matcher-actioner (HMA), by what its own code takes and gives: blueprints/hashing.py, matching.py.

import { beforeEach, describe, expect, it } from 'vitest'
import { formatHash } from '../../../src/util/hash.ts'
import { toHex } from '../../../src/util/bytes.ts'
import { publishBank } from '../../../src/list/publish.ts'
import { FileDigester } from '../../../src/scan/digests.ts'
import { keyFor, setUpApi } from '../../support/api.ts'
import { flipBits } from '../../support/entries.ts'
import { fixture } from '../../support/fixtures.ts'
import { entriesOf, hashOf, publishBanks } from '../../support/gate.ts'
import { brokenStore, kvStore } from '../../support/stores.ts'
import { writeZip } from '../../support/archive-writer.ts'

const KEY = keyFor('lookup')
const known = fixture('jpeg')
const unrelated = fixture('otherJpeg')
const knownHash = await hashOf(known)
const signal = formatHash(knownHash)

beforeEach(async () => {
  const entry = { kind: 'pdq' as const, hash: knownHash, labels: {} }
  await publishBanks({
    csam: entriesOf(),
    numbers: [{ ...entry, id: '1042' }],
    names: [{ ...entry, id: 'a-17' }],
  })
})

function api(vars: { [name: string]: unknown } = {}, parts = {}) {
  const { call, events } = setUpApi(vars, parts)
  return {
    events,
    get: (path: string, query: Record<string, string> = {}) =>
      call(`${path}?${new URLSearchParams(query).toString()}`, {}, KEY),
    post: (path: string, body: object) =>
      call(
        path,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
        KEY,
      ),
    upload: (path: string, ...files: [name: string, file: Uint8Array][]) => {
      const form = new FormData()
      for (const [name, file] of files) form.append(name, new File([file], 'a.jpg'))
      return call(path, { method: 'POST', body: form }, KEY)
    },
  }
}

async function answerOf(answering: Promise<Response>): Promise<unknown[]> {
  const response = await answering
  return [response.status, await response.json()]
}

describe('GET /m/raw_lookup', () => {
  it('tells numbers of content, and distances if they are asked for', async () => {
    const { get, events } = api()
    const query = { signal, signal_type: 'pdq', banks: 'numbers' }
    expect(await answerOf(get('/m/raw_lookup', query))).toEqual([200, { matches: [1042] }])
    const near = { ...query, signal: formatHash(flipBits(knownHash, 7)) }
    expect(await answerOf(get('/m/raw_lookup', { ...near, include_distance: 'true' }))).toEqual([
      200,
      { matches: [{ bank_content_id: 1042, distance: '7' }] },
    ])
    expect(events).toMatchObject([
      { event: 'lookup', caller: 'lookup-caller', path: '/m/raw_lookup' },
      { event: 'lookup', matches: [{ bank: 'names' }, { contentId: 1042 }] },
    ])
    expect(JSON.stringify(events)).not.toMatch(/[\da-f]{33}/)
  })

  it('has the same number for an entry each time, and for no other', async () => {
    const { get } = api()
    const query = { signal, signal_type: 'pdq' }
    const [, first] = await answerOf(get('/m/raw_lookup', query))
    expect(await answerOf(get('/m/raw_lookup', query))).toEqual([200, first])
    const { matches } = first as { matches: number[] }
    expect(new Set(matches).size).toBe(2)
    expect(matches.every((id) => Number.isSafeInteger(id))).toBe(true)
  })

  it.each([
    [{}, 'signal_type is required|signal is required'],
    [{ signal: 'ab', signal_type: 'pdq' }, 'invalid signal'],
    [{ signal, signal_type: 'tmk' }, "No such SignalType 'tmk'"],
    [{ signal, signal_type: 'pdq', include_distance: 'perhaps' }, 'invalid boolean'],
  ])('is refused for %j', async (query, words) => {
    const [status, body] = await answerOf(api().get('/m/raw_lookup', query))
    expect(status).toBe(400)
    expect((body as { message: string }).message).toMatch(new RegExp(words))
  })

  it('is 503 without a list', async () => {
    const store = brokenStore()
    const { get, events } = api({}, { store })
    const query = { signal, signal_type: 'pdq' }
    expect(await answerOf(get('/m/raw_lookup', query))).toEqual([
      503,
      { message: 'index not yet ready' },
    ])
    expect(events).toContainEqual(expect.objectContaining({ event: 'lookup', error: 'TypeError' }))
    expect((await get('/status')).status).toBe(503)
  })

  it('leaves out what is exempt', async () => {
    const { get } = api({ policy: { exempt: ['numbers/1042'] } })
    const query = { signal, signal_type: 'pdq', banks: 'numbers' }
    expect(await answerOf(get('/m/raw_lookup', query))).toEqual([200, { matches: [] }])
  })
})

describe('/m/lookup', () => {
  it('tells what a hash matches, by bank', async () => {
    const { get } = api()
    expect(await answerOf(get('/m/lookup', { signal, signal_type: 'pdq' }))).toEqual([
      200,
      {
        names: [{ bank_content_id: expect.any(Number), distance: '0' }],
        numbers: [{ bank_content_id: 1042, distance: '0' }],
      },
    ])
    const other = { signal: formatHash(flipBits(knownHash, 32)), signal_type: 'pdq' }
    expect(await answerOf(get('/m/lookup', other))).toEqual([200, {}])
    expect((await get('/m/lookup', { signal })).status).toBe(400)
  })

  it('tells what a file matches, by signal type and bank', async () => {
    const { upload } = api()
    expect(await answerOf(upload('/m/lookup?banks=numbers', ['photo', known]))).toEqual([
      200,
      { pdq: { numbers: [{ bank_content_id: 1042, distance: '0' }] } },
    ])
    expect(await answerOf(upload('/m/lookup', ['photo', unrelated]))).toEqual([200, { pdq: {} }])
  })

  it('is 503 if a bank could have more matches than are examined, whatever else is in the file', async () => {
    const around = (bits: number) => ({
      kind: 'pdq' as const,
      hash: flipBits(knownHash, bits),
      id: `n-${bits}`,
      labels: {},
    })
    const near = Array.from({ length: 20 }, (_, i) => around(i + 1))
    await publishBank(kvStore(), near, { bank: 'near' })
    await publishBank(kvStore(), [around(30)], { bank: 'far' })
    const { upload } = api({ scan: { probes: 'wide' } })
    const two = writeZip([
      { name: 'a.jpg', content: known },
      { name: 'b.jpg', content: unrelated },
    ])
    expect((await upload('/m/lookup?banks=near', ['photo', two])).status).toBe(200)
    for (const file of [known, two])
      expect((await upload('/m/lookup?banks=far', ['photo', file])).status).toBe(503)
  })

  it('is 503 without a list, whatever else is wrong with the file', async () => {
    const policy = { onFailed: 'allow', onUnscannable: 'refuse' }
    const { upload } = api({ policy }, { store: brokenStore() })
    for (const path of ['/m/lookup', '/m/lookup?types=sha256'])
      for (const file of [known, known.slice(0, 300)])
        expect([path, await answerOf(upload(path, ['photo', file]))]).toMatchObject([
          path,
          [503, {}],
        ])
  })

  it('fetches nothing', async () => {
    const { get } = api()
    for (const path of ['/m/lookup', '/h/hash']) {
      const [status, body] = await answerOf(get(path, { url: 'http://169.254.169.254/' }))
      expect([status, body]).toEqual([400, { message: expect.stringContaining('not fetched') }])
    }
  })
})

describe('POST /h/hash', () => {
  it('tells the hashes of a file', async () => {
    const { upload, events } = api()
    expect(await answerOf(upload('/h/hash', ['photo', known]))).toEqual([200, { pdq: signal }])
    const digester = FileDigester.ofAllKinds()
    digester.update(known)
    const { md5, sha256 } = digester.digest()
    expect(await answerOf(upload('/h/hash', ['video', known]))).toEqual([
      200,
      { video_md5: toHex(md5) },
    ])
    expect(await answerOf(upload('/h/hash?types=pdq,sha256', ['photo', known]))).toEqual([
      200,
      { pdq: signal, sha256: toHex(sha256) },
    ])
    expect(events).toEqual([])
  })

  it.each([
    ['no file', [], 'Missing multipart/form-data'],
    [
      'two',
      [
        ['photo', known],
        ['photo', known],
      ],
      'Only one file',
    ],
    ['a field of no type', [['file', known]], "no such content_type: 'file'"],
    ['a file that is not an image', [['photo', new Uint8Array([1, 2, 3])]], 'could not be hashed'],
  ] as [string, [string, Uint8Array][], string][])('is refused for %s', async (_, files, words) => {
    const [status, body] = await answerOf(api().upload('/h/hash', ...files))
    expect([status, body]).toEqual([400, { message: expect.stringContaining(words) }])
  })
})

describe('POST /m/compare', () => {
  it('tells whether hashes are alike', async () => {
    const { post } = api()
    const pairs = {
      pdq: [signal, formatHash(flipBits(knownHash, 31))],
      md5: ['a'.repeat(32), 'A'.repeat(32)],
    }
    expect(await answerOf(post('/m/compare', pairs))).toEqual([
      200,
      { pdq: [true, { distance: 31 }], md5: [true, {}] },
    ])
    const far = { pdq: [signal, formatHash(flipBits(knownHash, 32))] }
    expect(await answerOf(post('/m/compare', far))).toEqual([
      200,
      { pdq: [false, { distance: 32 }] },
    ])
  })

  it.each([
    [{ pdq: [signal] }, 'exactly 2'],
    [{ pdq: signal }, 'not a list'],
    [{ pdq: [signal, 1] }, 'Invalid pdq hash'],
    [{ nope: [signal, signal] }, 'No such SignalType'],
    [[], 'not a dict'],
  ])('is refused for %j', async (pairs, words) => {
    const [status, body] = await answerOf(api().post('/m/compare', pairs))
    expect([status, body]).toEqual([400, { message: expect.stringContaining(words) }])
  })
})

describe('GET /status', () => {
  it('is alive with a list', async () => {
    const response = await api().get('/status')
    expect([response.status, await response.text()]).toEqual([200, 'I-AM-ALIVE'])
  })
})
