import { waitUntil } from 'cloudflare:workers'
import { within } from '../util/within.ts'
import { describeError } from '../util/errors.ts'
import { SinkStalledError } from './errors.ts'
import type { GateEvent, HappeningOf } from './schema.ts'
import { stampEvent } from './stamp.ts'

/** Takes events. What it fails by is told in the log. */
export type Sink = (event: GateEvent) => unknown

/** Sinks, by what they are called when they fail. */
export type NamedSink = readonly [HappeningOf<'sink-error'>['sink'], Sink]

/** Milliseconds in which a sink must take an event: the platform ends what goes on 30 seconds after an answer. */
const MAX_SEND_MS = 10_000

/**
 * Tells events to sinks, behind the answer: it neither waits nor throws. What a sink does not take is in the log.
 * @param isLogged all events are in the log
 */
export function tellAll(
  sinks: readonly NamedSink[],
  isLogged: boolean,
  keepAlive: (promise: Promise<unknown>) => void = waitUntil,
): (event: GateEvent) => void {
  async function tell([name, sink]: NamedSink, event: GateEvent) {
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
    for (const sink of sinks) {
      const telling = tell(sink, event)
      try {
        keepAlive(telling)
      } catch {
        // It is not within a request, which would be what is kept alive.
      }
    }
  }
}

/** Writes an event to the log, as one line. */
export function logEvent(event: GateEvent): void {
  console.log(JSON.stringify(event))
}
