import { waitUntil as waitUntilHere } from 'cloudflare:workers'
import { within } from '../util/within.ts'
import type { WaitUntil } from '../util/wait-until.ts'
import { describeError } from '../util/errors.ts'
import { SinkStalledError } from './errors.ts'
import type { GateEvent, HappeningOf } from './schema.ts'
import { stampEvent } from './stamp.ts'

/** Milliseconds in which a sink must accept an event: work ends 30 seconds after the answer. */
const MAX_SEND_MS = 10_000

/**
 * Reports events to sinks, after the answer: it neither waits nor throws. If a sink does not accept
 * an event, the event is logged.
 * @param isLogged whether all events are logged
 */
export function reportTo(
  sinks: readonly NamedSink[],
  isLogged: boolean,
  waitUntil: WaitUntil = waitUntilHere,
): (event: GateEvent) => void {
  async function send([name, sink]: NamedSink, event: GateEvent) {
    try {
      await within(
        Promise.resolve(sink(event)),
        MAX_SEND_MS,
        () => new SinkStalledError(MAX_SEND_MS),
      )
    } catch (error) {
      if (!isLogged) logEvent(event)
      const failure = { sink: name, eventId: event.id, error: describeError(error) }
      logEvent(stampEvent({ event: 'sink-error', ...failure }))
    }
  }

  return (event) => {
    if (isLogged) logEvent(event)
    for (const sink of sinks) {
      const sending = send(sink, event)
      try {
        waitUntil(sending)
      } catch {
        // There is no request to keep alive.
      }
    }
  }
}

/** Takes events. Its errors are logged. */
export type Sink = (event: GateEvent) => unknown

/** A sink, and its name in events about its failures. */
export type NamedSink = readonly [HappeningOf<'sink-error'>['sink'], Sink]

export function logEvent(event: GateEvent): void {
  console.log(JSON.stringify(event))
}
