import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GateEvent } from '../../src/events/schema.ts'
import type { EventSettings, SinkName } from '../../src/events/settings.ts'
import { eventSinks, type SinkBindings } from '../../src/events/sinks.ts'
import { stampEvent } from '../../src/events/stamp.ts'
import { recordIn, STAMP } from '../support/event-recorder.ts'

let logged: GateEvent[]

beforeEach(() => {
  logged = []
  const record = recordIn(logged)
  vi.spyOn(console, 'log').mockImplementation((line: string) => record(JSON.parse(line)))
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

type Sinks = Pick<EventSettings, 'sinks' | 'queue'>

function settings(sinks: SinkName[], more: Partial<Sinks> = {}): Sinks {
  return { sinks, queue: 'all', ...more }
}

/** Tells events to sinks, and waits for what goes on behind the answer. */
async function tell(names: SinkName[], bindings: SinkBindings, ...events: GateEvent[]) {
  const behind: Promise<unknown>[] = []
  const onEvent = eventSinks(settings(names), bindings, (promise) => behind.push(promise))
  for (const event of events) onEvent(event)
  await Promise.all(behind)
}

function queueOf(send: (event: GateEvent) => Promise<unknown>): SinkBindings {
  return { EVENT_QUEUE: { send } as unknown as Queue<GateEvent> }
}

function analyticsOf(write: (point?: AnalyticsEngineDataPoint) => void): SinkBindings {
  return { EVENT_ANALYTICS: { writeDataPoint: write } }
}

function verdict(files: Extract<GateEvent, { event: 'verdict' }>['files']): GateEvent {
  return stampEvent({
    event: 'verdict',
    caseId: crypto.randomUUID(),
    action: files.length > 0 ? 'block' : 'allow',
    reason: files.length > 0 ? 'match' : 'no-match',
    method: 'PUT',
    path: '/private/path',
    files,
  })
}

const listError = () => stampEvent({ event: 'list-error', error: 'list-missing' })

const MATCH = { entry: 'e', harm: 'abuse', action: 'block', threshold: 31 } as const

describe('eventSinks', () => {
  it('writes one line of JSON an event to the log', async () => {
    const event = listError()
    await tell(['console'], {}, event)
    expect(logged).toEqual([event])
  })

  it('sends to the queue, and not to the log', async () => {
    const sent: GateEvent[] = []
    const event = listError()
    await tell(
      ['queue'],
      queueOf(async (one) => sent.push(one)),
      event,
    )
    expect([sent, logged]).toEqual([[event], []])
  })

  it('keeps events that are not notable out of the queue, if so configured', () => {
    const sent: GateEvent[] = []
    const onEvent = eventSinks(
      settings(['queue'], { queue: 'notable' }),
      queueOf(async (one) => sent.push(one)),
      () => undefined,
    )
    const match = {
      ...MATCH,
      bank: 'b',
      distance: 0,
      margin: 31,
      probe: 'md5',
    }
    const blocked = verdict([{ coverage: 'scanned', matches: [match] }])
    const unscannable = { ...verdict([]), id: crypto.randomUUID(), reason: 'unscannable' }
    const notable = [blocked, unscannable as GateEvent, listError()]
    for (const event of [verdict([]), ...notable]) onEvent(event)
    expect(sent).toEqual(notable)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('secret words'))],
    [
      'throws',
      () => {
        throw new TypeError('secret words')
      },
    ],
  ])('falls back to the log when the queue %s, and says so', async (_, send) => {
    const event = listError()
    await tell(['queue'], queueOf(send), event)
    const told = { ...STAMP, event: 'sink-error', sink: 'queue', eventId: event.id }
    expect(logged).toEqual([event, { ...told, error: expect.stringMatching(/^(Type)?Error$/) }])
  })

  it('gives up a queue that does not answer, after 10 seconds', async () => {
    vi.useFakeTimers()
    const event = listError()
    const telling = tell(
      ['queue'],
      queueOf(() => new Promise(() => {})),
      event,
    )
    await vi.advanceTimersByTimeAsync(9999)
    expect(logged).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await telling
    expect(logged[0]).toEqual(event)
    expect(logged[1]).toMatchObject({
      event: 'sink-error',
      error: 'sink-stalled: the sink did not accept the event within 10 seconds',
    })
  })

  it('does not log an event twice when the log is a sink itself', async () => {
    const event = listError()
    await tell(
      ['console', 'queue'],
      queueOf(() => Promise.reject(new Error('no'))),
      event,
    )
    expect(logged).toMatchObject([event, { event: 'sink-error' }])
  })

  it('neither waits nor throws, outside of a request either', async () => {
    let sent = 0
    const onEvent = eventSinks(
      settings(['queue']),
      queueOf(async () => sent++),
      () => {
        throw new Error('no request')
      },
    )
    expect(onEvent(listError())).toBeUndefined()
    expect(sent).toBe(1)
  })

  it('counts verdicts by action, reason, bank and probe, and tells nothing else', async () => {
    const points: unknown[] = []
    const match = { ...MATCH, source: 's', margin: 0 }
    const files = [
      {
        coverage: 'scanned' as const,
        matches: [
          { ...match, bank: 'wrong', probe: 'identity', distance: 1, isFlooded: true as const },
          { ...match, bank: 'far', probe: 'crops', distance: 20 },
          { ...match, bank: 'right', probe: 'identity', distance: 0, isExempt: true as const },
          { ...match, bank: 'mild', probe: 'identity', distance: 2, action: 'flag' as const },
        ],
      },
      {
        coverage: 'scanned' as const,
        matches: [{ ...match, bank: 'near', probe: 'mirrors', distance: 10 }],
      },
    ]
    await tell(
      ['console', 'analytics'],
      analyticsOf((point) => points.push(point)),
      verdict(files),
      verdict([]),
      listError(),
    )
    expect(points).toEqual([
      {
        indexes: ['block'],
        blobs: ['block', 'match', 'near', 'mirrors', 'abuse', 'enforce'],
        doubles: [1],
      },
      { indexes: ['allow'], blobs: ['allow', 'no-match', '', '', '', 'enforce'], doubles: [1] },
    ])
  })

  it('goes on when counting fails', async () => {
    const throws = () => {
      throw new TypeError('too many data points')
    }
    await tell(['console', 'analytics'], analyticsOf(throws), verdict([]))
    expect(logged).toMatchObject([{ event: 'verdict' }, { event: 'sink-error', sink: 'analytics' }])
  })

  it.each([
    ['queue', 'events.sinks has queue, but EVENT_QUEUE, a queue, is not bound'],
    ['analytics', 'events.sinks has analytics, but EVENT_ANALYTICS, a dataset, is not bound'],
  ] as const)('says at the start what %s lacks', (name, message) => {
    expect(() => eventSinks(settings(['console', name]), {})).toThrow(message)
  })
})
