// What wrangler deploys: the gate, with the bindings and settings of wrangler.toml.

import { env } from 'cloudflare:workers'
import { modules } from './core/workerd.ts'
import { deliverEvents } from './events/deliver.ts'
import { createApp } from './worker/app.ts'
import { type Bindings, workerParts } from './worker/bindings.ts'
import { sweepQuarantine } from './worker/quarantine.ts'

// Made when the Worker starts, so that a bad setting fails its deployment and not its requests.
const parts = workerParts(env as unknown as Bindings, modules)
const gate = createApp(parts)

export { FloodCounter } from './gate/flood/counter.ts'
export { ListShard } from './match/list-shard.ts'
export { StagedUpload } from './upload/staging/staged-upload.ts'
export { TicketUse } from './doors/tickets/ticket-use.ts'
export default {
  fetch: gate.fetch,
  scheduled: () => sweepQuarantine(parts.quarantine, parts.onEvent),
  queue: (batch) => deliverEvents(batch, parts.config.webhook),
} satisfies ExportedHandler
