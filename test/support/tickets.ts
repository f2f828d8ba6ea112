import { env } from 'cloudflare:workers'
import type { Config } from '../../src/config/schema.ts'
import type { TicketParts } from '../../src/doors/tickets/bindings.ts'
import { TicketSigner } from '../../src/doors/tickets/ticket.ts'
import type { TicketUse } from '../../src/doors/tickets/ticket-use.ts'
import { KEY } from './stores.ts'

const bindings = env as unknown as {
  OBJECTS_BUCKET: R2Bucket
  TICKET_USES: DurableObjectNamespace<TicketUse>
}

/** The local bucket for objects, and the Durable Objects for tickets. */
export const objects = bindings.OBJECTS_BUCKET
export const ticketUses = bindings.TICKET_USES

export const signer = new TicketSigner([KEY])

/** Uploads by ticket, with these settings. */
export function ticketParts(config: Config, bucket = objects): TicketParts {
  const { path, corsOrigins } = config.tickets
  return { bucket, uses: ticketUses, signer, path, corsOrigins }
}
