// What wrangler deploys: the gate, with the bindings and settings of wrangler.toml.

import { env } from 'cloudflare:workers'
import { modules } from './core/workerd.ts'
import { deliverEvents } from './events/deliver.ts'
import { createGate } from './gate/app.ts'
import { type Bindings, gateParts } from './gate/bindings.ts'

// Made when the Worker starts, so that a bad setting fails its deployment and not its requests.
const parts = gateParts(env as unknown as Bindings, modules)
const gate = createGate(parts)

export { FloodCounter } from './gate/flood/counter.ts'
export { ListShard } from './match/list-shard.ts'
export default {
  fetch: gate.fetch,
  queue: (batch) => deliverEvents(batch, parts.config.webhook),
} satisfies ExportedHandler
