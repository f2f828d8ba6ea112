import { BadConfigError } from '../../util/errors.ts'
import { TicketSigner } from './ticket.ts'
import type { TicketSettings } from './settings.ts'
import type { TicketUse } from './ticket-use.ts'

/**
 * The bindings for tickets; `undefined` if tickets are off.
 * @throws {BadConfigError} a binding or the secret is missing or invalid
 */
export function ticketsOf(
  { path, corsOrigins }: TicketSettings,
  bindings: TicketBindings,
): TicketParts | undefined {
  const { OBJECTS: bucket, TICKETS: uses, TICKET_KEY: key } = bindings
  if (!bucket && !uses && key === undefined) return undefined
  if (!bucket || !uses)
    throw new BadConfigError(['OBJECTS and TICKETS must be bound for uploads by ticket'])
  return { bucket, uses, signer: new TicketSigner(parseTicketKeys(key)), path, corsOrigins }
}

export interface TicketBindings {
  OBJECTS?: R2Bucket
  /** Durable Objects of class TicketUse, which know the used tickets. */
  TICKETS?: DurableObjectNamespace<TicketUse>
  /** Secret: 64 hex digits that sign tickets. Several, separated by commas, while you change it. */
  TICKET_KEY?: string
}

/** What issuing and accepting tickets takes. */
export interface TicketParts {
  bucket: R2Bucket
  uses: DurableObjectNamespace<TicketUse>
  signer: TicketSigner
  path: string
  /** Origins of pages that may upload. */
  corsOrigins: readonly string[]
}

function parseTicketKeys(text = ''): [string, ...string[]] {
  const [first, ...others] = text.split(',').map((key) => key.trim().toLowerCase())
  if (first === undefined || ![first, ...others].every((key) => /^[0-9a-f]{64}$/.test(key))) {
    throw new BadConfigError([
      'TICKET_KEY must be a key of 64 hex digits, or several keys separated by commas; make one with `hashgate list key`',
    ])
  }
  return [first, ...others]
}
