import { runDurableObjectAlarm } from 'cloudflare:test'
import { zipSync } from 'fflate'
import { sign } from 'hono/jwt'
import { beforeEach, describe, expect, it } from 'vitest'
import { modules } from '../../../src/core/workerd.ts'
import { workerParts } from '../../../src/worker/bindings.ts'
import { allFeatures } from '../../../src/worker/features.ts'
import { environmentOf } from '../../support/environment.ts'
import { readConfig } from '../../../src/config/config.ts'
import { type Grant, isObjectKey, TicketSigner } from '../../../src/doors/tickets/ticket.ts'
import { keyFor, setUpApi } from '../../support/api.ts'
import { fixture } from '../../support/fixtures.ts'
import { hashOf, publish } from '../../support/gate.ts'
import { randomBytes, withOtherEnd } from '../../support/random.ts'
import { brokenStore, KEY, kvNamespace, OTHER_KEY } from '../../support/stores.ts'
import {
  objects as bucket,
  signer,
  ticketParts,
  ticketUses as uses,
} from '../../support/tickets.ts'
import { answerOf } from '../../support/gate.ts'

const known = fixture('jpeg')
const unrelated = fixture('otherJpeg')
const GRANT: Grant = { key: 'albums/7/cat.jpg', maxBytes: 1_000_000, type: 'image/jpeg' }

beforeEach(async () => {
  await publish(await hashOf(known))
  const { objects } = await bucket.list()
  await bucket.delete(objects.map(({ key }) => key))
})

interface PutOptions {
  ticket?: string
  key?: string
  headers?: Record<string, string>
  method?: string
}

function setUp(
  vars: { [name: string]: unknown } = {},
  {
    bucket: other = bucket,
    ...parts
  }: { bucket?: R2Bucket; store?: ReturnType<typeof brokenStore> } = {},
) {
  const tickets = ticketParts(readConfig(environmentOf(vars)), other)
  const api = setUpApi(vars, { tickets, ...parts })
  const put = async (
    body: BodyInit | null,
    { ticket = '', key = GRANT.key, headers = {}, method = 'PUT' }: PutOptions = {},
  ) => {
    const request = new Request(`https://files.example/objects/${key}`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${ticket}`,
        'content-type': GRANT.type,
        ...(body instanceof Uint8Array && { 'content-length': String(body.length) }),
        ...headers,
      },
    })
    return answerOf(api.gate, request, {})
  }
  return { ...api, put }
}

async function ticketFor(grant: Partial<Grant> = {}, seconds = 3600): Promise<string> {
  return (await signer.issue({ ...GRANT, ...grant }, seconds)).ticket
}

async function stored(): Promise<string[]> {
  return (await bucket.list()).objects.map(({ key }) => key)
}

async function bytesOf(key: string): Promise<Uint8Array> {
  return (await bucket.get(key))!.bytes()
}

describe('POST /v1/tickets', () => {
  const ask = (body: unknown, scope: 'tickets' | 'verdict' = 'tickets', api = setUp()) =>
    api.call(
      '/v1/tickets',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
      keyFor(scope),
    )

  it('gives a ticket that is good for an upload', async () => {
    const api = setUp()
    const key = 'albums/7/Ä ?#%.jpg'
    const asked = Date.now()
    const response = await ask({ ...GRANT, key }, 'tickets', api)
    expect(response.status).toBe(201)
    const { ticket, path, expires } = await response.json<Record<string, string>>()
    const answered = Date.now()
    expect(path).toBe('/objects/albums/7/%C3%84%20%3F%23%25.jpg')
    // Of the second in which it was made, cut off.
    const made = Date.parse(expires!) - 900_000
    expect(made).toBeGreaterThan(asked - 1000)
    expect(made).toBeLessThanOrEqual(answered)
    const put = await api.put(unrelated, { ticket: ticket!, key: path!.slice('/objects/'.length) })
    expect(put.status).toBe(201)
    expect(await stored()).toEqual([key])
    expect(await bytesOf(key)).toEqual(unrelated)
    const object = await bucket.head(key)
    expect([put.headers.get('etag'), object?.httpMetadata]).toEqual([
      object?.httpEtag,
      { contentType: 'image/jpeg' },
    ])
  })

  it.each([
    [{ key: '' }, 'key'],
    [{ key: '/a' }, 'key'],
    [{ key: 'a/../b' }, 'key'],
    [{ key: 'a//b' }, 'key'],
    [{ key: 'a\u0000' }, 'key'],
    [{ key: 'ä'.repeat(513) }, 'key'],
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ maxBytes: 1.5 }, 'maxBytes'],
    [{ maxBytes: 2 ** 40 }, 'maxBytes'],
    [{ type: 'jpeg' }, 'type'],
    [{ type: 'image/jpeg\r\nx: y' }, 'type'],
    [{ seconds: 86_401 }, 'seconds'],
    [{ more: 1 }, 'more'],
  ])('refuses %j, and says where it is wrong', async (change, where) => {
    const response = await ask({ ...GRANT, ...change })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(where)
  })

  it('wants a key for tickets, JSON, and a bucket', async () => {
    expect((await ask(GRANT, 'verdict')).status).toBe(403)
    const key = keyFor('tickets')
    const text = { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } }
    expect((await setUp().call('/v1/tickets', text, key)).status).toBe(415)
    const none = await setUpApi().call('/v1/tickets', { method: 'POST', body: '{}' }, key)
    expect(none.status).toBe(404)
  })
})

describe('an upload by ticket', () => {
  it('is in the bucket only when it may be', async () => {
    const { put, verdicts, forwarded } = setUp()
    const response = await put(known, { ticket: await ticketFor() })
    expect(response.status).toBe(451)
    expect(await response.json()).toMatchObject({ caseId: verdicts()[0]!.caseId })
    expect(await stored()).toEqual([])
    const unscannable = setUp({ policy: { onUnscannable: 'refuse' } })
    const damaged = unrelated.subarray(0, 400)
    expect((await unscannable.put(damaged, { ticket: await ticketFor() })).status).toBe(422)
    const failed = setUp({}, { store: brokenStore() })
    expect((await failed.put(unrelated, { ticket: await ticketFor() })).status).toBe(503)
    expect(await stored()).toEqual([])
    expect(forwarded).toEqual([])
  })

  it('is not in the bucket before its verdict, nor any of it when it is refused, if it is long', async () => {
    const vars = { upload: { maxBufferedBytes: 16_384 } }
    const filler = randomBytes(3_000_000, 5)
    const knownAtTheEnd = new Uint8Array([...filler, ...known])
    const grant = { type: 'application/octet-stream', maxBytes: 5_000_000 }
    const headers = { 'content-type': grant.type }
    const { put } = setUp(vars)
    expect((await put(knownAtTheEnd, { ticket: await ticketFor(grant), headers })).status).toBe(451)
    expect(await stored()).toEqual([])
    expect((await put(filler, { ticket: await ticketFor(grant), headers })).status).toBe(201)
    expect(await bytesOf(GRANT.key)).toEqual(filler)
  })

  it('is judged whatever the policy says of routes and shadow mode', async () => {
    for (const policy of [
      { mode: 'shadow' },
      { routes: [{ paths: ['/objects/*'], gated: false }] },
      { routes: [{ paths: ['/objects/*'], mode: 'shadow' }] },
    ]) {
      expect((await setUp({ policy }).put(known, { ticket: await ticketFor() })).status).toBe(451)
    }
    const { put } = setUp({ upload: { methods: ['POST'] } })
    expect((await put(known, { ticket: await ticketFor() })).status).toBe(451)
    expect(await stored()).toEqual([])
  })

  it('is of a format that its route accepts', async () => {
    const routes = [{ paths: ['/objects/*'], accept: ['jpeg'] }]
    const { put, verdicts } = setUp({ policy: { routes } })
    const gif = Buffer.from('R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=', 'base64')
    const zip = zipSync({ 'a.txt': Buffer.from('a text') })
    for (const body of [gif, zip, Uint8Array.from([...unrelated, ...zip]), Buffer.from('a text')])
      expect((await put(body, { ticket: await ticketFor() })).status).toBe(415)
    expect(new Set(verdicts().map(({ reason }) => reason))).toEqual(new Set(['unaccepted-format']))
    const both = Uint8Array.from([...known, ...zip])
    expect((await put(both, { ticket: await ticketFor() })).status).toBe(451)
    expect(await stored()).toEqual([])
    const ticket = await ticketFor()
    expect((await put(gif, { ticket })).status).toBe(415)
    expect((await put(unrelated, { ticket })).status).toBe(201)
    expect(await stored()).toEqual([GRANT.key])
  })

  it('is looked at as what is stored, whatever its headers say', async () => {
    const { put } = setUp()
    const chunked = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }
    expect((await put(known, { ticket: await ticketFor(), headers: chunked })).status).toBe(451)
    const encoded = { 'content-encoding': 'gzip' }
    expect((await put(known, { ticket: await ticketFor(), headers: encoded })).status).toBe(415)
  })

  it('requires a ticket of this gate that has not expired', async () => {
    const { put } = setUp()
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: 'hashgate', jti: crypto.randomUUID(), exp: now + 3600, max: 10 ** 6 }
    const whole = { ...claims, key: GRANT.key, type: GRANT.type }
    const good = await ticketFor()
    const tickets = [
      '',
      'x',
      'a.b.c',
      'x'.repeat(9000),
      await new TicketSigner([OTHER_KEY]).issue(GRANT, 60).then(({ ticket }) => ticket),
      await ticketFor({}, -1),
      await sign({ ...whole, iss: 'other' }, KEY, 'HS256'),
      await sign(whole, KEY, 'HS512'),
      await sign({ ...whole, exp: undefined } as never, KEY, 'HS256'),
      await sign({ ...whole, jti: 'x' }, KEY, 'HS256'),
      `${btoa('{"alg":"none"}')}.${good.split('.')[1]!}.`,
      withOtherEnd(good, 'A', 'Q'),
    ]
    for (const [i, ticket] of tickets.entries()) {
      const response = await put(unrelated, { ticket })
      expect([i, response.status]).toEqual([i, 401])
      expect(response.headers.get('www-authenticate')).toContain('Bearer')
    }
    expect(await stored()).toEqual([])
    const key = `${GRANT.key}?ticket=${good}`
    expect((await put(unrelated, { key, headers: { authorization: '' } })).status).toBe(201)
  })

  it('is what was granted: key, type and length', async () => {
    const { put } = setUp()
    const ticket = await ticketFor({ maxBytes: unrelated.length })
    const statuses: number[] = []
    for (const [body, options] of [
      [unrelated, { key: 'albums/7/dog.jpg' }],
      [unrelated, { key: 'albums/7/cat.jpg%2F' }],
      [unrelated, { key: '%E0%A4%A' }],
      [unrelated, { headers: { 'content-type': 'image/png' } }],
      [new Uint8Array([...unrelated, 0]), {}],
      [new Uint8Array(0), {}],
    ] as const) {
      statuses.push((await put(body, { ticket, ...options })).status)
    }
    expect(statuses).toEqual([403, 403, 403, 415, 413, 400])
    const unknown = new ReadableStream({
      type: 'bytes',
      start: (c) => {
        c.enqueue(unrelated.slice())
        c.close()
      },
    })
    expect((await put(unknown, { ticket })).status).toBe(411)
    expect(await stored()).toEqual([])
    const headers = { 'content-type': 'Image/JPEG' }
    expect((await put(unrelated, { ticket, key: 'albums%2F7/cat.jpg', headers })).status).toBe(201)
  })

  it('uses up its ticket, even if it matched', async () => {
    const { put } = setUp()
    const ticket = await ticketFor()
    expect((await put(unrelated, { ticket })).status).toBe(201)
    expect((await put(unrelated, { ticket })).status).toBe(409)
    await bucket.delete(GRANT.key)
    expect((await put(unrelated, { ticket })).status).toBe(409)
    const refused = await ticketFor()
    expect((await put(known, { ticket: refused })).status).toBe(451)
    expect((await put(unrelated, { ticket: refused })).status).toBe(409)
    expect(await stored()).toEqual([])
  })

  it('leaves its ticket unused if it failed', async () => {
    const ticket = await ticketFor()
    const broken = new Proxy(bucket, {
      get: (target, name) =>
        name === 'put'
          ? () => Promise.reject(new Error('put: internal error (10001)'))
          : Reflect.get(target, name),
    })
    const { put, events } = setUp({}, { bucket: broken })
    expect((await put(unrelated, { ticket })).status).toBe(502)
    expect(events).toContainEqual(expect.objectContaining({ event: 'origin-error' }))
    expect((await setUp({}, { store: brokenStore() }).put(unrelated, { ticket })).status).toBe(503)
    expect((await setUp().put(unrelated, { ticket })).status).toBe(201)
  })

  it('never replaces an object', async () => {
    await bucket.put(GRANT.key, 'there before')
    expect((await setUp().put(unrelated, { ticket: await ticketFor() })).status).toBe(409)
    expect(new TextDecoder().decode(await bytesOf(GRANT.key))).toBe('there before')
  })

  it('wins alone, if many come at once with one ticket', async () => {
    for (let round = 0; round < 5; round++) {
      const ticket = await ticketFor({ key: `race/${round}`, type: 'application/octet-stream' })
      const bodies = Array.from({ length: 12 }, (_, i) => randomBytes(50_000 + i, round * 100 + i))
      const headers = { 'content-type': 'application/octet-stream' }
      const answers = await Promise.all(
        bodies.map((body) => setUp().put(body, { ticket, key: `race/${round}`, headers })),
      )
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 201)).toHaveLength(1)
      expect(statuses.filter((status) => status === 409)).toHaveLength(11)
      expect(await bytesOf(`race/${round}`)).toEqual(bodies[statuses.indexOf(201)])
    }
  })

  it('wins alone, if many come at once with tickets for one object', async () => {
    const tickets = await Promise.all(Array.from({ length: 12 }, () => ticketFor()))
    const answers = await Promise.all(tickets.map((ticket) => setUp().put(unrelated, { ticket })))
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(statuses).toEqual([201, ...Array.from({ length: 11 }, () => 409)])
  })

  it('may come from pages that are listed', async () => {
    const { put } = setUp({
      tickets: { corsOrigins: ['https://app.example', 'https://b.example'] },
    })
    const origin = { origin: 'https://app.example' }
    const asked = await put(null, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'PUT' },
    })
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ])
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization')
    const stored201 = await put(unrelated, { ticket: await ticketFor(), headers: origin })
    expect(stored201.headers.get('access-control-allow-origin')).toBe('https://app.example')
    const refused = await put(known, { ticket: await ticketFor(), headers: origin })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      451,
      'https://app.example',
    ])
    const other = await put(unrelated, { headers: { origin: 'https://evil.example' } })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('is a PUT: all else goes on to the origin', async () => {
    const { put, forwarded } = setUp()
    expect((await put(null, { method: 'GET' })).status).toBe(201)
    expect((await put(unrelated, { method: 'POST' })).status).toBe(201)
    expect(forwarded).toHaveLength(2)
  })
})

describe('the use of a ticket', () => {
  it('is forgotten when the ticket is over', async () => {
    const stub = uses.getByName(crypto.randomUUID())
    // So late that the alarm does not ring by itself meanwhile.
    const over = Date.now() + 3_600_000
    expect(await stub.take(over)).toBe(true)
    expect(await stub.take(over)).toBe(false)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await stub.take(over)).toBe(true)
  })
})

describe('the settings of tickets', () => {
  const start = (more: object) => () =>
    workerParts(
      { HASH_LISTS: kvNamespace(), LIST_KEY: KEY, ...environmentOf(more) },
      modules,
      allFeatures(),
    )

  it('must be complete or absent', () => {
    expect(start({})().tickets).toBeUndefined()
    const all = { OBJECTS: bucket, TICKETS: uses, TICKET_KEY: `${KEY},${OTHER_KEY}` }
    expect(start(all)().tickets).toBeDefined()
    for (const name of Object.keys(all)) {
      const some = Object.fromEntries(Object.entries(all).filter(([other]) => other !== name))
      expect(start(some)).toThrow(name)
    }
    expect(start({ ...all, TICKET_KEY: 'short' })).toThrow('TICKET_KEY must be a key of 64')
    expect(start({ ...all, tickets: { path: 'objects' } })).toThrow('tickets.path must be a path')
  })

  it('may have a new key beside the old one', async () => {
    const { ticket } = await new TicketSigner([OTHER_KEY]).issue(GRANT, 60)
    expect(await new TicketSigner([KEY, OTHER_KEY]).read(ticket)).toMatchObject(GRANT)
    expect(await signer.read(ticket)).toBeUndefined()
  })
})

describe('isObjectKey', () => {
  it('takes what a path can name', () => {
    for (const key of ['a', 'a/b.c', '日本/é.jpg', 'a b?c#d%e', '...', 'x'.repeat(1024)])
      expect([key, isObjectKey(key)]).toEqual([key, true])
    for (const key of ['', '.', 'a/..', 'a\\b', '\ud800', 'x'.repeat(1025), 'a/', 'a\u0085'])
      expect([key, isObjectKey(key)]).toEqual([key, false])
  })
})
