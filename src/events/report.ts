import { waitUntil as waitUntilHere } from 'cloudflare:workers'
import { within } from '../util/within.ts'
import type { WaitUntil } from '../util/wait-until.ts'
import { describeError } from '../util/errors.ts'
import { SinkStalledError } from './errors.ts'
import type { GateEvent, HappeningOf } from './schema.ts'
import { stampEvent } from './stamp.ts'

/** Takes events. What it fails by is in the log. */
export type Sink = (event: GateEvent) => unknown

/** Sinks, by what they are called when they fail. */
export type NamedSink = readonly [HappeningOf<'sink-error'>['sink'], Sink]

/** Milliseconds in which a sink must take an event: the platform ends work that lasts 30 seconds beyond an answer. */
const MAX_SEND_MS = 10_000

/**
 * Reports events to sinks, behind the answer: it neither waits nor throws. What a sink does not take is in the log.
 * @param isLogged all events are in the log
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
        // It is not within a request, which would be what is kept alive.
      }
    }
  }
}

export function logEvent(event: GateEvent): void {
  console.log(JSON.stringify(event))
}
