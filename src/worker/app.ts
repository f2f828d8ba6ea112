import { Hono } from 'hono'
import { createApi } from '../doors/api/app.ts'
import { Gate, type GateParts } from '../gate/gate.ts'
import type { Origin } from '../doors/proxy/origin.ts'
import { resumableUploads } from '../doors/staged.ts'
import type { ResumableParts } from '../doors/s3/bindings.ts'
import type { TicketParts } from '../doors/tickets/bindings.ts'
import { objectUploads } from '../doors/tickets/objects.ts'

/** What the Worker is made of. */
export interface WorkerParts extends GateParts {
  origin: Origin
  /** Uploads by ticket. */
  tickets?: TicketParts
  /** Where uploads wait that come in parts. */
  staging?: ResumableParts
}

/** The Worker: a gate before one origin, and what else asks that gate. What none of these takes goes on to the origin. */
export function createApp({ origin, tickets, staging, ...parts }: WorkerParts): Hono {
  const gate = new Gate(parts)
  const app = new Hono()
  if (parts.config.api) app.route('/', createApi(parts.config.api, gate, tickets))
  if (tickets) app.route('/', objectUploads(gate, tickets))
  if (staging) app.route('/', resumableUploads(gate, origin, staging, parts.config))
  app.all('*', (c) => gate.answer(c, origin))
  return app
}
