// What wrangler deploys, and `hashgate/worker`: the gate with all its features, configured by the
// bindings and settings in wrangler.toml.

import { createWorker } from './worker/create-worker.ts'
import { allFeatures } from './worker/features.ts'
import type { GateWorker } from './worker/gate-worker.ts'

/**
 * The whole Worker, configured by the bindings and settings of its deployment.
 * @throws {BadConfigError} at startup: a setting is invalid, or a binding is missing
 * @example
 * ```ts
 * export { default, FloodCounter, ListPin, ListShard, StagedUpload, TicketUse } from 'hashgate/worker'
 * ```
 */
const worker: GateWorker = createWorker({ features: allFeatures() })

export { FloodCounter, ListPin, ListShard, StagedUpload, TicketUse } from './objects.ts'
export default worker
