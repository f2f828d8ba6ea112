import { env } from 'cloudflare:workers'
import { modules } from '../core/workerd.ts'
import { deliverEvents } from '../events/deliver.ts'
import { sweepQuarantine } from '../quarantine/sweep.ts'
import { askAgain } from '../upload/recheck.ts'
import { createApp } from './app.ts'
import { workerParts } from './bindings.ts'
import type { Feature } from './features.ts'
import type { GateWorker } from './gate-worker.ts'
import type { Bindings } from './parts.ts'

const UNPINNED =
  'hashgate: LIST_PIN is not bound, so a fresh isolate accepts any version of the list as the latest. See docs/threat-model.md'

/**
 * The Worker with these features, configured by the bindings and settings of its deployment.
 * @throws {BadConfigError | BadListKeyError | SinkNotBoundError} at startup, so that a bad setting
 * fails its deployment and not its requests
 */
export function createWorker({ features }: { features: readonly Feature[] }): GateWorker {
  const bindings = env as unknown as Bindings
  const parts = workerParts(bindings, modules, features)
  if (!bindings.LIST_PIN) console.warn(UNPINNED)
  return {
    fetch: createApp(parts, features).fetch,
    scheduled: async () => {
      await askAgain(parts.remote, parts)
      await sweepQuarantine(parts.quarantine, parts.onEvent)
    },
    queue: (batch) => deliverEvents(batch, parts.webhook),
  }
}
