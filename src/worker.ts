// What wrangler deploys, and `hashgate/worker`: the gate with all its features, by the bindings and settings of its wrangler.toml.

import { createWorker } from './worker/create-worker.ts'
import { allFeatures } from './worker/features.ts'
import type { GateWorker } from './worker/gate-worker.ts'

const worker: GateWorker = createWorker({ features: allFeatures() })

export { FloodCounter, ListPin, ListShard, StagedUpload, TicketUse } from './objects.ts'
export default worker
