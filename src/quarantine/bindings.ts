import { BadConfigError } from '../util/errors.ts'
import type { QuarantineBucket } from './bucket.ts'
import { Quarantine } from './quarantine.ts'
import { holdsIdentity, RECIPIENT_WORDS } from './recipients.ts'
import type { QuarantineSettings } from './settings.ts'

/**
 * The quarantine of a Worker with these bindings, if it has one.
 * @throws {BadConfigError} a recipient is invalid, or a private key is among the bindings
 */
export function quarantineOf(
  { recipients, days }: QuarantineSettings,
  bindings: QuarantineBindings,
): Quarantine | undefined {
  const betrayed = Object.entries(bindings).filter(
    ([, value]) => typeof value === 'string' && holdsIdentity(value),
  )
  if (betrayed.length > 0) {
    const names = betrayed.map(([name]) => name).join(', ')
    throw new BadConfigError([
      `${names} contains a private key of age, which the Worker must never have`,
    ])
  }
  const bucket = bindings.QUARANTINE
  if (!bucket) return undefined
  try {
    return new Quarantine({ bucket, recipients, days })
  } catch {
    // The error's message may repeat the text.
    throw new BadConfigError([`quarantine.recipients ${RECIPIENT_WORDS}`])
  }
}

export interface QuarantineBindings {
  /** A bucket for nothing else, that only the operator reads. */
  QUARANTINE?: QuarantineBucket
}
