import { waitUntil } from 'cloudflare:workers'
import { within } from '../core/within.ts'
import { describeError } from '../errors.ts'
import { analyticsSink } from './analytics.ts'
import { SinkNotBoundError, SinkStalledError } from './errors.ts'
import type { GateEvent } from './schema.ts'
import type { SinkName, SinkSettings } from './settings.ts'
import { stampEvent } from './stamp.ts'

/** Bindings that sinks need. */
export interface SinkBindings {
  EVENT_QUEUE?: Queue<GateEvent>
  EVENT_ANALYTICS?: AnalyticsEngineDataset
}

/** Takes events. What it fails by is told in the log. */
type Sink = (event: GateEvent) => Promise<unknown> | void

/** Milliseconds in which a sink must take an event: the platform ends what goes on 30 seconds after an answer. */
const MAX_SEND_MS = 10_000

/**
 * Tells events to the sinks that are chosen, behind the answer: it neither waits nor throws.
 * @throws {SinkNotBoundError}
 */
export function eventSinks(
  { eventSinks: names, queueEvents }: SinkSettings,
  bindings: SinkBindings,
  keepAlive: (promise: Promise<unknown>) => void = waitUntil,
): (event: GateEvent) => void {
  const { EVENT_QUEUE: queue, EVENT_ANALYTICS: dataset } = bindings
  const sinks: [Exclude<SinkName, 'console'>, Sink][] = []
  if (names.has('queue')) {
    if (!queue) throw new SinkNotBoundError('queue', 'EVENT_QUEUE, a queue,')
    const isTaken = queueEvents === 'all' ? () => true : isNotable
    const send = (event: GateEvent) => queue.send(event, { contentType: 'json' })
    sinks.push(['queue', (event) => (isTaken(event) ? send(event) : undefined)])
  }
  if (names.has('analytics')) {
    if (!dataset) throw new SinkNotBoundError('analytics', 'EVENT_ANALYTICS, a dataset,')
    sinks.push(['analytics', analyticsSink(dataset)])
  }

  const isLogged = names.has('console')
  async function tell(name: Exclude<SinkName, 'console'>, sink: Sink, event: GateEvent) {
    try {
      const sending = Promise.resolve(sink(event))
      await within(sending, MAX_SEND_MS, () => new SinkStalledError(MAX_SEND_MS))
    } catch (error) {
      if (!isLogged) logEvent(event)
      const told = { sink: name, eventId: event.id, error: describeError(error) }
      logEvent(stampEvent({ event: 'sink-error', ...told }))
    }
  }

  return (event) => {
    if (isLogged) logEvent(event)
    for (const [name, sink] of sinks) {
      const telling = tell(name, sink, event)
      try {
        keepAlive(telling)
      } catch {
        // It is not within a request, which would be what is kept alive.
      }
    }
  }
}

function isNotable(event: GateEvent): boolean {
  return event.event !== 'verdict' || event.reason !== 'no-match'
}

/** Writes an event to the log, as one line. */
export function logEvent(event: GateEvent): void {
  console.log(JSON.stringify(event))
}
