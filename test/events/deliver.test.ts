import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deliverEvents, secondsUntilRetry } from '../../src/events/deliver.ts'
import { NotAcceptedError, NotAnEventError, UnreachableError } from '../../src/events/errors.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import type { Webhook } from '../../src/events/webhook.ts'
import { recordIn } from '../support/event-recorder.ts'

const WEBHOOK: Webhook = {
  url: 'http://127.0.0.1:1/',
  secrets: [Buffer.alloc(24)],
  timeoutMs: 1000,
  retrySeconds: 5,
}

/** A whole second, as HTTP dates are. */
const NOW = Date.UTC(2026, 0, 1)

function answered(status: number, retryAfter?: string): NotAcceptedError {
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
  return new NotAcceptedError(new Response(null, { status, headers }))
}

describe('secondsUntilRetry', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('doubles with each attempt, to 50 minutes', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const waits = [1, 2, 3, 10, 11, 99, 2000].map((attempts) =>
      secondsUntilRetry(answered(500), attempts, 5),
    )
    expect(waits).toEqual([5, 10, 20, 2560, 3000, 3000, 3000])
  })

  it('is spread by a fifth, and never nothing', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999)
    expect(secondsUntilRetry(answered(500), 11, 5)).toBe(2401)
    expect(secondsUntilRetry(answered(500), 1, 1)).toBe(1)
  })

  it('lets 100 attempts end before the 4 days that a queue keeps events', () => {
    const longest = { timeout: 30, batch: 60 }
    let seconds = 0
    for (let attempt = 1; attempt <= 100; attempt++) {
      const wait = secondsUntilRetry(answered(429, '99999999'), attempt, 3000)
      seconds += wait + longest.timeout + longest.batch
    }
    expect(seconds).toBeLessThan(4 * 86_400)
  })

  it.each([
    ['120', 120],
    ['0', 5],
    ['-1', 5],
    ['1e9', 5],
    ['999999999999', 3000],
    ['soon', 5],
    ['', 5],
    [new Date(NOW + 600_000).toUTCString(), 600],
    [new Date(0).toUTCString(), 5],
  ])('heeds a Retry-After of %s', (retryAfter, seconds) => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    vi.useFakeTimers({ toFake: ['Date'], now: NOW })
    try {
      expect(secondsUntilRetry(answered(503, retryAfter), 1, 5)).toBe(seconds)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is the longest from the first where nothing will change soon', () => {
    expect(secondsUntilRetry(answered(410), 1, 5)).toBe(3000)
    expect(secondsUntilRetry(new NotAnEventError(), 1, 5)).toBe(3000)
    expect(secondsUntilRetry(new UnreachableError({}), 1, 5)).toBeLessThanOrEqual(5)
  })
})

describe('deliverEvents', () => {
  let logged: GateEvent[]

  beforeEach(() => {
    logged = []
    const record = recordIn(logged)
    vi.spyOn(console, 'log').mockImplementation((line: string) => record(JSON.parse(line)))
  })

  afterEach(() => {
    vi.restoreAllMocks()
  })

  async function deliver(bodies: unknown[], webhook?: Webhook) {
    const messages = bodies.map((body, i) => ({
      id: `m${i}`,
      timestamp: new Date(),
      attempts: 1,
      body,
    }))
    const batch = createMessageBatch('events', messages)
    await deliverEvents(batch, webhook)
    return getQueueResult(batch, createExecutionContext())
  }

  it('keeps what is no event, and says so', async () => {
    const bodies = [null, 'text', 7, {}, { id: 7 }, { id: 'a\r\nb' }, [], new Date()]
    const { explicitAcks, retryMessages } = await deliver(bodies, WEBHOOK)
    expect(explicitAcks).toEqual([])
    expect(retryMessages).toEqual(bodies.map((_, i) => ({ msgId: `m${i}` })))
    const told = {
      event: 'delivery-error',
      retrySeconds: 3000,
      error: 'not-an-event: the message has no event id',
    }
    expect(logged).toMatchObject(bodies.map(() => told))
    expect(logged.every((event) => !('eventId' in event))).toBe(true)
  })

  it('keeps events where there is no webhook, and says so', async () => {
    const id = crypto.randomUUID()
    const { explicitAcks, retryMessages } = await deliver([{ id }])
    expect([explicitAcks, retryMessages]).toEqual([[], [{ msgId: 'm0' }]])
    expect(logged).toMatchObject([
      { eventId: id, retrySeconds: 3000, error: 'no-webhook: events.webhook.url is not set' },
    ])
  })
})
