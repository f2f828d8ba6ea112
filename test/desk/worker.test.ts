import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
} from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as v from 'valibot'
import desk, { type DeskBindings, type SyncMessage } from '../../src/desk/worker.ts'
import { EventSchema } from '../../src/events/schema.ts'
import { FAKE_SECRET, FAKE_USER } from '../../src/desk/fake/state.ts'
import { toHex } from '../../src/util/bytes.ts'
import { randomBytes } from '../support/random.ts'
import { KEY, kvNamespace, kvStore } from '../support/stores.ts'
import {
  DESK_KEY,
  emptyDesk,
  ledgerDatabase,
  livePublished,
  liveAt,
  type Trial,
  trial,
} from './desk.ts'

const TOKEN = 't'.repeat(32)
let bindings: DeskBindings
let sent: SyncMessage[]
let events: Record<string, unknown>[]
let made: Trial

beforeEach(async () => {
  await emptyDesk()
  made = trial()
  sent = []
  events = []
  vi.useFakeTimers({ toFake: ['Date'], now: made.server.clock.now() })
  vi.stubGlobal('fetch', (request: Request) => made.server.app.fetch(request))
  vi.spyOn(console, 'log').mockImplementation((line: string) =>
    events.push(v.parse(EventSchema, JSON.parse(line))),
  )
  bindings = {
    LEDGER: ledgerDatabase(),
    HASH_LISTS: kvNamespace(),
    SYNC_QUEUE: { send: async (message: SyncMessage) => void sent.push(message) } as never,
    LIST_KEY: KEY,
    DESK_KEY,
    DESK_TOKEN: TOKEN,
    NCMEC_PASSWORD: FAKE_SECRET,
    DESK: JSON.stringify({
      exchanges: {
        ncmec: { kind: 'ncmec', base: 'http://127.0.0.1:9/ncmec', user: FAKE_USER, bank: 'csam' },
      },
    }),
  } as DeskBindings
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

function advance(ms: number): void {
  made.server.clock.advance(ms)
  vi.setSystemTime(made.server.clock.now())
}

function fill(count: number): void {
  for (let i = 0; i < count; i++) {
    made.server.providers.ncmec.put(`42-${i}`, [{ kind: 'md5', value: toHex(randomBytes(16, i)) }])
  }
  advance(10_000)
}

async function cron(): Promise<void> {
  await desk.scheduled(
    createScheduledController({ scheduledTime: new Date(made.server.clock.now()) }),
    bindings,
  )
}

/** Consumes what was sent, until nothing is left. Returns how messages ended. */
async function consume(): Promise<string[]> {
  const ends: string[] = []
  for (let message = sent.shift(); message; message = sent.shift()) {
    const batch = createMessageBatch<SyncMessage>('hashgate-sync', [
      { id: 'm', timestamp: new Date(), attempts: 1, body: message },
    ])
    const context = createExecutionContext()
    await desk.queue(batch, bindings)
    const { explicitAcks, retryMessages } = await getQueueResult(batch, context)
    ends.push(...explicitAcks.map(() => 'ack'), ...retryMessages.map(() => 'retry'))
  }
  return ends
}

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const request = new Request(`https://desk.example${path}`, { headers })
  return Promise.resolve(desk.fetch(request as never, bindings, createExecutionContext()))
}

describe('the desk', () => {
  it('reads what is due by cron and queue, and publishes it', async () => {
    fill(30)
    await cron()
    expect(sent).toEqual([{ exchange: 'ncmec' }])
    expect(await consume()).toEqual(['ack'])
    expect(await livePublished(kvStore())).toEqual(liveAt(made, 'ncmec'))
    expect(events).toMatchObject([
      { event: 'exchange-sync', exchange: 'ncmec', state: 'complete', records: 30, listVersion: 1 },
    ])
    advance(5 * 60_000)
    await cron()
    expect(sent).toEqual([])
    advance(55 * 60_000)
    await cron()
    expect(sent).toHaveLength(1)
  })

  it('continues with another message if one is not enough', async () => {
    made.server.providers.ncmec.pageSize = 1
    fill(130)
    await cron()
    expect(await consume()).toEqual(['ack', 'ack'])
    expect(await livePublished(kvStore())).toHaveLength(130)
  })

  it('reports a source that is out of date, and is then unhealthy', async () => {
    fill(5)
    await cron()
    await consume()
    expect((await get('/health')).status).toBe(200)
    made.server.providers.ncmec.faults.push({ type: 'status', status: 401 })
    advance(27 * 3_600_000)
    await cron()
    await consume()
    advance(60_000)
    events = []
    await cron()
    expect(events).toMatchObject([
      {
        event: 'exchange-stale',
        exchange: 'ncmec',
        maxAgeHours: 26,
        error: expect.stringContaining('401'),
      },
    ])
    expect((await get('/health')).status).toBe(503)
    expect(await (await get('/health')).json()).toEqual({ ok: false })
    // The provider said no: not again before an hour.
    expect(sent).toEqual([])
    advance(3_600_000)
    await cron()
    await consume()
    expect((await get('/health')).status).toBe(200)
  })

  it('shows the state of sources to those who have the token', async () => {
    fill(5)
    await cron()
    await consume()
    expect((await get('/status')).status).toBe(401)
    expect((await get('/status', { authorization: `Bearer ${'x'.repeat(32)}` })).status).toBe(401)
    const response = await get('/status', { authorization: `Bearer ${TOKEN}` })
    expect(await response.json()).toMatchObject({
      sources: [
        {
          name: 'ncmec',
          kind: 'ncmec',
          bank: 'csam',
          health: 'green',
          problems: [],
          pending: 0,
          tally: { records: 5, matchable: 5, kinds: { md5: 5 } },
        },
      ],
    })
    bindings.DESK_TOKEN = 'short'
    expect((await get('/status', { authorization: 'Bearer short' })).status).toBe(401)
  })

  it('does not retry failures caused by a setting', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    sent.push({ exchange: 'other' })
    expect(await consume()).toEqual(['ack'])
    expect(error.mock.calls[0]?.[0]).toContain('expected one of ncmec')
    delete (bindings as Record<string, unknown>)['NCMEC_PASSWORD']
    sent.push({ exchange: 'ncmec' })
    expect(await consume()).toEqual(['ack'])
    expect(error.mock.calls[1]?.[0]).toContain('NCMEC_PASSWORD is not set')
  })

  it.each([
    ['DSEK', 'DESK'],
    ['EVENTS_QUEUE', 'EVENT_QUEUE'],
    ['DESK_TOKN', 'DESK_TOKEN'],
  ])('stops at a name that is nearly one of its own: %s', async (name, right) => {
    Object.assign(bindings, { [name]: {}, A_NAME_OF_YOURS: '', NCMEC_PASSWORD2: '' })
    const problem = await cron().catch((error: Error) => error.message)
    expect(problem).toContain(`${name} is not read; did you mean ${right}?`)
    expect(problem).not.toMatch(/YOURS|NCMEC/)
  })

  it('reads messages of a version that adds to them', async () => {
    fill(3)
    sent.push({ exchange: 'ncmec', later: 1 } as SyncMessage)
    expect(await consume()).toEqual(['ack'])
    expect(await livePublished(kvStore())).toHaveLength(3)
  })

  it('tells what is wrong with its settings, without their values', async () => {
    const secret = 'https://user:hunter2@example.org/'
    bindings.DESK = { exchanges: { a: { kind: 'https', url: secret, format: 'csv', bank: 'b' } } }
    const problem = await cron().catch((error: Error) => error.message)
    expect(problem).toContain('DESK.exchanges.a.url must be an https address')
    expect(problem).not.toContain('hunter2')
  })
})
