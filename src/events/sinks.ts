import type { WaitUntil } from '../util/wait-until.ts'
import { analyticsSink } from './analytics.ts'
import { SinkNotBoundError } from './errors.ts'
import type { GateEvent } from './schema.ts'
import type { EventSettings } from './settings.ts'
import { type NamedSink, reportTo } from './report.ts'

/**
 * Reports events to the configured sinks, after the answer: it neither waits nor throws.
 * @throws {SinkNotBoundError}
 */
export function eventSinks(
  { sinks: names, queue: queueEvents }: Pick<EventSettings, 'sinks' | 'queue'>,
  bindings: SinkBindings,
  waitUntil?: WaitUntil,
): (event: GateEvent) => void {
  const { EVENT_QUEUE: queue, EVENT_ANALYTICS: dataset } = bindings
  const sinks: NamedSink[] = []
  if (names.includes('queue')) {
    if (!queue) throw new SinkNotBoundError('queue', 'EVENT_QUEUE, a queue,')
    const isTaken = queueEvents === 'all' ? () => true : isNotable
    const send = (event: GateEvent) => queue.send(event, { contentType: 'json' })
    sinks.push(['queue', (event) => (isTaken(event) ? send(event) : undefined)])
  }
  if (names.includes('analytics')) {
    if (!dataset) throw new SinkNotBoundError('analytics', 'EVENT_ANALYTICS, a dataset,')
    sinks.push(['analytics', analyticsSink(dataset)])
  }
  return reportTo(sinks, names.includes('console'), waitUntil)
}

export interface SinkBindings {
  EVENT_QUEUE?: Queue<GateEvent>
  EVENT_ANALYTICS?: AnalyticsEngineDataset
}

function isNotable(event: GateEvent): boolean {
  return event.event !== 'verdict' || event.reason !== 'no-match'
}
