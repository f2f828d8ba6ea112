import { quarantinedBank } from '../policy/banks.ts'
import type { Policy } from '../policy/schema.ts'
import { BadConfigError } from '../util/errors.ts'
import { Quarantine } from './quarantine.ts'
import { holdsIdentity, RECIPIENTS_WORDS } from './recipients.ts'

/** Bindings of the quarantine. */
export interface QuarantineBindings {
  /** A bucket for nothing else, that only the operator reads. */
  QUARANTINE?: R2Bucket
}

/** How bodies are kept. */
export interface QuarantineSettings {
  /** Public keys of age. */
  quarantineRecipients: readonly string[]
  quarantineDays: number
  policy: Pick<Policy, 'banks'>
}

/**
 * The quarantine of a Worker with these bindings, if it has one.
 * @throws {BadConfigError} it has half of one, or a key that it must not have
 */
export function quarantineOf(
  { quarantineRecipients: recipients, quarantineDays: days, policy }: QuarantineSettings,
  bindings: QuarantineBindings,
): Quarantine | undefined {
  const betrayed = Object.entries(bindings).filter(
    ([, value]) => typeof value === 'string' && holdsIdentity(value),
  )
  if (betrayed.length > 0) {
    const names = betrayed.map(([name]) => name).join(', ')
    throw new BadConfigError([`${names} holds a private key of age, which no Worker may have`])
  }
  const bucket = bindings.QUARANTINE
  if (bucket && recipients.length === 0) {
    throw new BadConfigError(['QUARANTINE_RECIPIENTS must be set, since QUARANTINE is bound'])
  }
  if (!bucket && recipients.length > 0) {
    throw new BadConfigError([
      'QUARANTINE_RECIPIENTS is set, and QUARANTINE, an R2 bucket, is not bound',
    ])
  }
  const bank = quarantinedBank(policy)
  if (!bucket && bank !== undefined) {
    throw new BadConfigError([
      `POLICY banks.${bank} is to be quarantined, and QUARANTINE, an R2 bucket, is not bound`,
    ])
  }
  if (!bucket) return undefined
  try {
    return new Quarantine({ bucket, recipients, days })
  } catch {
    // What it says may repeat the text.
    throw new BadConfigError([`QUARANTINE_RECIPIENTS ${RECIPIENTS_WORDS}`])
  }
}
