// What wrangler deploys, and `hashgate/worker`: the gate with all its features, by the bindings and settings of its wrangler.toml.

import { createWorker } from './worker/create-worker.ts'
import { allFeatures } from './worker/features.ts'
import type { GateWorker } from './worker/gate-worker.ts'

/**
 * The whole Worker, by the bindings and settings that it is deployed with.
 * @throws {BadConfigError} when it starts: a setting cannot be used, or a binding is missing
 * @example
 * ```ts
 * export { default, FloodCounter, ListPin, ListShard, StagedUpload, TicketUse } from 'hashgate/worker'
 * ```
 */
const worker: GateWorker = createWorker({ features: allFeatures() })

export { FloodCounter, ListPin, ListShard, StagedUpload, TicketUse } from './objects.ts'
export default worker
