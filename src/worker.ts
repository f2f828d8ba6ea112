// What wrangler deploys: the gate, with the bindings and settings of wrangler.toml.

import { env } from 'cloudflare:workers'
import { modules } from './core/workerd.ts'
import { createGate } from './gate/app.ts'
import { type Bindings, workerParts } from './gate/bindings.ts'

// Made when the Worker starts, so that a bad setting fails its deployment and not its requests.
const gate = createGate(workerParts(env as unknown as Bindings, modules))

export { FloodCounter } from './gate/flood/counter.ts'
export { ListShard } from './match/list-shard.ts'
export { StagedUpload } from './resumable/staged-upload.ts'
export default { fetch: gate.fetch } satisfies ExportedHandler
