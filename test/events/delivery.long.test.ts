// The Worker as it is deployed, in workerd, with a real queue between it and a receiver on loopback.

import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GateEvent } from '../../src/events/schema.ts'
import { closed } from '../support/closed-schema.ts'
import { type GateHarness, startGateWith } from '../support/gate-harness.ts'
import { OriginServer } from '../support/origin-server.ts'
import { randomBytes } from '../support/random.ts'
import { sendUpload } from '../support/upload-client.ts'
import { type ReceiverAnswer, WebhookReceiver } from '../support/webhook-receiver.ts'
import type { Triggers } from '../support/workerd.ts'

const [OLD_SECRET, NEW_SECRET] = [24, 32].map(
  (bytes) => `whsec_${Buffer.from(randomBytes(bytes, bytes)).toString('base64')}`,
)
const SECRETS = [OLD_SECRET!, NEW_SECRET!]
const BINDINGS = {
  EVENT_QUEUE: { type: 'queue', name: 'events' },
  EVENT_ANALYTICS: { type: 'analytics-engine-dataset', name: 'verdicts' },
} as const
const WAIT = { timeout: 80_000, interval: 50 }

let origin: OriginServer
let receiver: WebhookReceiver
let worker: GateHarness

beforeEach(async () => {
  origin = await OriginServer.start()
  receiver = await WebhookReceiver.start()
})

afterEach(async () => {
  await worker.close()
  await receiver.stop()
  await origin.stop()
})

/** @param timeoutSeconds so long that no answer is late for want of a free processor; less where some never come */
async function start(triggers: Triggers, url = receiver.url, timeoutSeconds = 30) {
  const settings = {
    ORIGIN_URL: origin.url,
    WEBHOOK_SECRET: SECRETS.join(' '),
    events: {
      sinks: ['console', 'queue', 'analytics'],
      webhook: { url, timeoutSeconds, retrySeconds: 1 },
    },
  }
  worker = await startGateWith(settings, [], BINDINGS, triggers)
}

function consumer(name: string, more: object = {}): Triggers[number] {
  return { type: 'queue', name, maxBatchSize: 4, maxBatchTimeout: 0.1, maxRetries: 100, ...more }
}

/** Events in the log: those of uploads, and those of their delivery. */
function logged(): {
  sent: GateEvent[]
  failures: Extract<GateEvent, { event: 'delivery-error' }>[]
} {
  const events = worker.log.map((line) => JSON.parse(line) as GateEvent)
  return {
    sent: events.filter(({ event }) => event !== 'delivery-error'),
    failures: events.filter((one) => one.event === 'delivery-error'),
  }
}

async function upload(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const answer = await sendUpload(new URL(`/files/${i}`, worker.url), randomBytes(1000, i))
    expect(answer.status).toBe(201)
  }
}

const byText = (a: string, b: string) => (a < b ? -1 : 1)

/** Sees that each event in the log arrived once and unchanged, and that all attempts were signed. */
function expectDelivered(): void {
  const { sent } = logged()
  const lines = sent.map((event) => JSON.stringify(event))
  expect(receiver.accepted.map(({ body }) => body).toSorted(byText)).toEqual(lines.toSorted(byText))
  for (const { id, headers, body, path } of receiver.attempts) {
    expect(path).toBe('/events?from=hashgate')
    expect(headers['content-type']).toBe('application/json')
    for (const secret of SECRETS) {
      const verified = new Webhook(secret).verify(body, headers as Record<string, string>)
      expect((verified as GateEvent).id).toBe(id)
    }
  }
}

describe('a webhook behind a queue', () => {
  it('gets each event once that it is there, signed with all secrets', async () => {
    await start([consumer('events')])
    await upload(9)
    await vi.waitFor(() => expect(receiver.accepted).toHaveLength(9), WAIT)
    expectDelivered()
    expect(logged().failures).toEqual([])
  })

  it('loses nothing while the receiver fails and hangs, and comes back', async () => {
    const failures: ReceiverAnswer[] = [500, 'hangs', 'resets', 302, 404, 429, 'hangs', 503, 401]
    receiver.answer = (attempt) => failures[attempt % failures.length]!
    await start([consumer('events')], receiver.url, 3)
    await upload(12)
    await vi.waitFor(() => expect(receiver.attempts.length).toBeGreaterThan(30), WAIT)
    expect(receiver.accepted).toEqual([])
    receiver.answer = () => 200
    await vi.waitFor(() => expect(receiver.accepted).toHaveLength(12), WAIT)

    expectDelivered()
    const ids = new Set(receiver.attempts.map(({ id }) => id))
    expect(ids).toEqual(new Set(logged().sent.map(({ id }) => id)))
    for (const id of ids) {
      const attempts = receiver.attempts.filter((attempt) => attempt.id === id)
      expect(attempts.length).toBeGreaterThan(1)
      expect(new Set(attempts.map(({ body }) => body)).size).toBe(1)
      const times = attempts.map(({ headers }) => Number(headers['webhook-timestamp']))
      for (const [i, time] of times.slice(1).entries()) {
        expect(time - times[i]!).toBeGreaterThanOrEqual(Math.round(2 ** i * 0.8))
      }
    }
    const told = new Set(logged().failures.map(({ status, error }) => status ?? error))
    expect(told).toEqual(
      new Set([
        500,
        302,
        404,
        429,
        503,
        401,
        'no-answer: the receiver did not answer within 3 seconds',
        'unreachable: the receiver could not be reached',
      ]),
    )
  })

  it('loses nothing when there is no server', async () => {
    await receiver.stop()
    receiver = await WebhookReceiver.startToStop()
    const { url } = receiver
    await receiver.stop()
    await start([consumer('events')], url)
    await upload(3)
    await vi.waitFor(() => expect(logged().failures.length).toBeGreaterThan(3), WAIT)
    receiver = await WebhookReceiver.start(Number(new URL(url).port))
    await vi.waitFor(() => expect(receiver.accepted).toHaveLength(3), WAIT)
    expectDelivered()
  })

  it('keeps what was tried too often in the dead-letter queue, from which it can be delivered', async () => {
    receiver.answer = (attempt) => (attempt < 7 ? 500 : 200)
    await start([
      consumer('events', { maxRetries: 1, deadLetterQueue: 'dead-events' }),
      consumer('dead-events'),
    ])
    await upload(2)
    await vi.waitFor(() => expect(receiver.accepted).toHaveLength(2), WAIT)
    expectDelivered()
    const attempts = logged().failures.map(({ attempt }) => attempt)
    expect(attempts.filter((attempt) => attempt === 1).length).toBe(4) // two events in two queues
  })

  it('tells all in the log as docs/schema/ says, and no secret', async () => {
    receiver.answer = (attempt) => (attempt < 2 ? 410 : 200)
    await start([consumer('events')])
    await upload(3)
    await vi.waitFor(() => expect(logged().failures).toHaveLength(2), WAIT)
    const schema = await readFile(
      new URL('../../docs/schema/events-v1.json', import.meta.url),
      'utf8',
    )
    const ajv = new Ajv2020({ strict: true })
    addFormats.default(ajv)
    const isEvent = ajv.compile(closed(JSON.parse(schema)) as object)
    for (const line of worker.log) {
      expect([isEvent(JSON.parse(line)), isEvent.errors]).toEqual([true, null])
      expect(line).not.toMatch(/whsec_|from=hashgate|127\.0\.0\.1/)
    }
    await vi.waitFor(() => expect(receiver.accepted).toHaveLength(1), WAIT)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(receiver.attempts).toHaveLength(3)
    expect(logged().failures).toMatchObject([
      { attempt: 1, status: 410, retrySeconds: 3000 },
      { attempt: 1, status: 410, retrySeconds: 3000 },
    ])
  })
})
