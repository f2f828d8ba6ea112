import { env } from 'cloudflare:workers'
import { modules } from '../core/workerd.ts'
import { deliverEvents } from '../events/deliver.ts'
import { sweepQuarantine } from '../quarantine/sweep.ts'
import { createApp } from './app.ts'
import { workerParts } from './bindings.ts'
import type { Feature } from './features.ts'
import type { GateWorker } from './gate-worker.ts'
import type { Bindings } from './parts.ts'

/**
 * The Worker with these features, by the bindings and settings that it is deployed with.
 * @throws {BadConfigError | BadListKeyError | SinkNotBoundError} when it starts, so that a bad setting fails its deployment and not
 * its requests
 */
export function createWorker({ features }: { features: readonly Feature[] }): GateWorker {
  const parts = workerParts(env as unknown as Bindings, modules, features)
  return {
    fetch: createApp(parts, features).fetch,
    scheduled: () => sweepQuarantine(parts.quarantine, parts.onEvent),
    queue: (batch) => deliverEvents(batch, parts.webhook),
  }
}
