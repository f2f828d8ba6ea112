import { createExecutionContext } from 'cloudflare:test'
import { Hono } from 'hono'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { GateEvent, VerdictEvent } from '../src/events/schema.ts'
import type { FloodCounter } from '../src/gate/flood/counter.ts'
import type { ListShard } from '../src/match/list-shard.ts'
import { gate, type GateOptions } from '../src/library.ts'
import { createExchangeServer } from '../src/desk/fake/server.ts'
import { FAKE_SECRET, FAKE_USER } from '../src/desk/fake/state.ts'
import { quarantine, sweepQuarantine } from '../src/quarantine.ts'
import { askServicesAgain, remote } from '../src/remote.ts'
import { formatHash } from '../src/util/hash.ts'
import { fixture } from './support/fixtures.ts'
import { answerOf, hashOf, publish } from './support/gate.ts'
import { bucket, emptyBucket, keys, recipient } from './support/quarantine.ts'
import { randomBytes } from './support/random.ts'
import { KEY, kvNamespace } from './support/stores.ts'

const known = fixture('jpeg')
const other = fixture('otherJpeg')

interface Env {
  Bindings: { LISTS: KVNamespace; SECRET: string }
}

const env = { LISTS: kvNamespace(), SECRET: KEY }

beforeEach(async () => publish(await hashOf(known)))

/** An app that keeps what it gets, behind the gate. */
function appWith(options: Partial<GateOptions<Env>> = {}) {
  const kept: Uint8Array[] = []
  const failures: unknown[] = []
  const app = new Hono<Env>()
  const defaults = { hashLists: (e: Env['Bindings']) => e.LISTS, listKey: () => KEY }
  app.use(gate<Env>({ ...defaults, onEvent: () => {}, ...options }))
  app.all('*', async (c) => {
    c.header('x-app', 'yes')
    try {
      kept.push(new Uint8Array(await c.req.arrayBuffer()))
    } catch (error) {
      failures.push(error)
      return c.text('broken off', 500)
    }
    return c.text('kept', 201)
  })
  const send = (body: BodyInit | null, init: RequestInit = {}) =>
    answerOf(app, new Request('https://app.example/a', { method: 'POST', body, ...init }), env)
  return { send, kept, failures }
}

describe('the middleware', () => {
  it('gives the app what is allowed, as it came', async () => {
    const { send, kept } = appWith()
    const response = await send(other)
    expect([response.status, response.headers.get('x-app')]).toEqual([201, 'yes'])
    expect(kept).toEqual([other])
    expect((await send(null, { method: 'GET' })).status).toBe(201)
  })

  it('refuses what is known before the app hears of it', async () => {
    const { send, kept } = appWith()
    const response = await send(known)
    expect([response.status, response.headers.get('x-app')]).toEqual([451, null])
    expect(await response.json()).toMatchObject({ status: 451 })
    expect(kept).toEqual([])
  })

  it('breaks a long body off, and answers for the app', async () => {
    const { send, kept, failures } = appWith({
      settings: { upload: { maxBufferedBytes: 100_000 } },
    })
    const form = new FormData()
    form.append('a', new File([randomBytes(400_000, 1)], 'a.bin'))
    form.append('b', new File([known], 'b.jpg'))
    const body = new Uint8Array(await new Response(form).arrayBuffer())
    const boundary = new TextDecoder().decode(body.subarray(2, body.indexOf(13)))
    const headers = {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(body.length),
    }
    const response = await send(body, { headers })
    expect([response.status, response.headers.get('x-app')]).toEqual([451, null])
    expect([kept.length, failures.length]).toEqual([0, 1])
  })

  it('keeps what is quarantined, until its time is over', async () => {
    await emptyBucket()
    const settings = {
      policy: { banks: { csam: { action: 'quarantine' as const } } },
      quarantine: { recipients: [recipient] },
    }
    const { send } = appWith({ settings, quarantine: quarantine(() => bucket) })
    expect((await send(known)).status).toBe(451)
    expect(await keys()).toHaveLength(1)
    const events: object[] = []
    await sweepQuarantine(bucket, (event) => events.push(event))
    expect(events).toMatchObject([{ event: 'quarantine-sweep', deleted: 0, left: 1 }])
    expect((await appWith({ settings }).send(known)).status).toBe(503) // it has nowhere to keep it
  })

  it('asks services about what the list does not have, and again where they gave no answer', async () => {
    const { app, providers } = createExchangeServer()
    providers.shield.put('1', [{ kind: 'pdq', value: formatHash(await hashOf(other)) }], 'csam')
    const fetching = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation(async (request) => app.fetch(request as Request))
    const url = 'http://127.0.0.1/shield/v1/pdq/'
    const arachnid = { service: 'arachnid' as const, user: FAKE_USER, url }
    const asking = { remote: remote(() => ({ ARACHNID_PASSWORD: FAKE_SECRET })) }
    const banks = (more = {}) => ({ remote: { banks: { arachnid: { ...arachnid, ...more } } } })
    const { send, kept } = appWith({ ...asking, settings: banks() })
    expect((await send(other)).status).toBe(451)
    providers.shield.faults.push({ type: 'status', status: 500 })
    expect((await send(other)).status).toBe(503)
    const loose = { ...asking, settings: banks({ onFailed: 'allow' }) }
    providers.shield.faults.push({ type: 'status', status: 500 })
    expect((await appWith(loose).send(other)).status).toBe(201)
    const events: GateEvent[] = []
    const defaults = { hashLists: (e: Env['Bindings']) => e.LISTS, listKey: () => KEY }
    await askServicesAgain<Env>({ ...defaults, ...loose, onEvent: (e) => events.push(e) }, env)
    expect(events).toMatchObject([
      { event: 'late-answer', bank: 'arachnid', matches: [{ classification: 'csam' }] },
    ])
    expect(kept).toEqual([])
    fetching.mockRestore()
  })

  it('refuses everything where settings name services, and the app none, or no password', async () => {
    const banks = { arachnid: { service: 'arachnid' as const, user: 'us' } }
    const verdicts: VerdictEvent[] = []
    const onVerdict = (verdict: VerdictEvent) => verdicts.push(verdict)
    const without = appWith({ settings: { remote: { banks } }, onVerdict })
    expect((await without.send(other)).status).toBe(503)
    const noPassword = { remote: remote(() => ({})), settings: { remote: { banks } } }
    expect((await appWith({ ...noPassword, onVerdict }).send(other)).status).toBe(503)
    expect(JSON.stringify(verdicts[0])).toContain('needs the option remote')
    expect(JSON.stringify(verdicts[1])).toContain('needs the secret ARACHNID_PASSWORD')
  })

  it('leaves requests alone that are to be skipped', async () => {
    const { send, kept } = appWith({ skip: (c) => c.req.header('x-internal') === 'yes' })
    expect((await send(known, { headers: { 'x-internal': 'yes' } })).status).toBe(201)
    expect((await send(known)).status).toBe(451)
    expect(kept).toEqual([known])
  })

  it('reports verdicts and everything else to the configured hooks', async () => {
    const verdicts: VerdictEvent[] = []
    const events: GateEvent[] = []
    const { send } = appWith({
      onVerdict: (verdict) => verdicts.push(verdict),
      onEvent: (event) => events.push(event),
    })
    await send(known)
    expect(verdicts).toMatchObject([{ action: 'block' }])
    expect(events).toEqual(verdicts)
  })

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('secret words')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('secret words'))],
  ])('judges as usual if a hook %s, and logs what it should have received', async (_, fails) => {
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    for (const [name, hooks] of [
      ['onEvent', { onEvent: fails }],
      ['onVerdict', { onVerdict: fails }],
    ] as const) {
      const { send, kept } = appWith(hooks)
      expect([(await send(other)).status, (await send(known)).status]).toEqual([201, 451])
      expect(kept).toEqual([other])
      const logged = lines.splice(0).map((line) => JSON.parse(line) as GateEvent)
      expect(logged).toMatchObject([
        { event: 'verdict', action: 'allow' },
        { event: 'sink-error', sink: name, eventId: logged[0]?.id, error: 'TypeError' },
        { event: 'verdict', action: 'block' },
        { event: 'sink-error', sink: name, eventId: logged[2]?.id, error: 'TypeError' },
      ])
    }
    log.mockRestore()
  })

  it('reads its options once, and has settings of the environment', async () => {
    let reads = 0
    const settings = ({ SECRET }: Env['Bindings']) => {
      reads++
      return { policy: { mode: SECRET === KEY ? ('shadow' as const) : ('enforce' as const) } }
    }
    const { send, kept } = appWith({ settings })
    expect((await send(known)).status).toBe(201)
    expect((await send(known)).status).toBe(201)
    expect([kept.length, reads]).toEqual([2, 1])
  })

  it('fails requests whose body was read before it', async () => {
    const app = new Hono<Env>()
    const errors: unknown[] = []
    app.onError((error, c) => {
      errors.push(error)
      return c.text('failed', 500)
    })
    app.use(async (c, next) => {
      await c.req.arrayBuffer()
      await next()
    })
    app.use(gate<Env>({ hashLists: (e) => e.LISTS, listKey: () => KEY }))
    let kept = 0
    app.all('*', (c) => {
      kept++
      return c.text('kept', 201)
    })
    const request = new Request('https://app.example/a', { method: 'POST', body: other })
    const response = await app.fetch(request, env, createExecutionContext())
    expect([response.status, kept]).toEqual([500, 0])
    expect(errors).toMatchObject([{ code: 'body-used' }])
  })

  it.each([
    [
      { settings: () => ({ body: { maxFiles: 0 } }) },
      'settings.body.maxFiles must be a whole number',
    ],
    [{ listKey: () => undefined }, 'LIST_KEY'],
    [{ hashLists: () => undefined as never }, 'hashLists does not return a KV namespace'],
    [
      { settings: { quarantine: { recipients: [recipient] } } },
      'quarantine.recipients needs the binding QUARANTINE',
    ],
  ] as [Partial<GateOptions<Env>>, string][])(
    'refuses with 503 and an event what its environment does not let it judge: %#',
    async (wrong, words) => {
      const events: GateEvent[] = []
      const { send, kept } = appWith({ ...wrong, onEvent: (event) => events.push(event) })
      const response = await send(other)
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30'])
      expect(kept).toEqual([])
      const { caseId } = await response.json<{ caseId: string }>()
      expect(events).toMatchObject([
        { event: 'verdict', action: 'refuse', reason: 'failed', caseId },
      ])
      expect((events[0] as VerdictEvent).error).toContain(words)
      expect((await appWith({ ...wrong, skip: () => true }).send(other)).status).toBe(201)
    },
  )

  it.each([
    [{ hashList: () => ({}) }, 'hashList is not an option; did you mean hashLists?'],
    [{ onevent: () => {} }, 'did you mean onEvent?'],
    [{ settings: { policy: { onUnscanable: 'refuse' } } }, 'did you mean onUnscannable?'],
    [{ settings: { body: { maxFiles: 0 } } }, 'settings.body.maxFiles must be a whole number'],
    [{ settings: { events: {} } }, 'settings.events is not a setting'],
    [
      { settings: { policy: { routes: [{}, { origin: 'https://a.example' }] } } },
      'settings.policy.routes.1.origin only works in a separate Worker',
    ],
  ])('throws at once for what is wrong in its options: %#', (wrong, words) => {
    expect(() => appWith(wrong as Partial<GateOptions<Env>>)).toThrow(words)
  })

  it('wants its list and key', () => {
    expect(() => gate({} as GateOptions<Env>)).toThrow('hashLists is missing; listKey is missing')
  })
})

/** Never called: these are for the compiler. */
export function bindingsHaveTypes(bindings: {
  kv: KVNamespace
  r2: R2Bucket
  images: ImagesBinding
  shards: DurableObjectNamespace<ListShard>
  counters: DurableObjectNamespace<FloodCounter>
}): void {
  const listKey = () => KEY
  const hashLists = () => bindings.kv
  gate({
    hashLists,
    listKey,
    images: () => bindings.images,
    listShards: () => bindings.shards,
    floodCounters: () => bindings.counters,
    quarantine: quarantine(() => bindings.r2),
    remote: remote(() => ({ TCAP_PASSWORD: '' })),
  })
  // @ts-expect-error an R2 bucket is no KV namespace
  gate({ hashLists: () => bindings.r2, listKey })
  // @ts-expect-error a KV namespace is no R2 bucket
  gate({ hashLists, listKey, quarantine: quarantine(() => bindings.kv) })
  // @ts-expect-error a KV namespace is no R2 bucket
  void sweepQuarantine(bindings.kv)
  // @ts-expect-error objects of another class
  gate({ hashLists, listKey, listShards: () => bindings.counters })
  // @ts-expect-error objects of another class
  gate({ hashLists, listKey, floodCounters: () => bindings.shards })
  // @ts-expect-error not Cloudflare Images
  gate({ hashLists, listKey, images: () => bindings.kv })
  // @ts-expect-error no such option
  gate({ hashLists, listKey, image: () => bindings.images })
  // @ts-expect-error no such setting
  gate({ hashLists, listKey, settings: { policy: { onUnscanable: 'refuse' } } })
  // @ts-expect-error not for the library
  gate({ hashLists, listKey, settings: { events: { sinks: ['queue'] } } })
  // @ts-expect-error no such word
  gate({ hashLists, listKey, settings: { policy: { onFailed: 'pass' } } })
}
