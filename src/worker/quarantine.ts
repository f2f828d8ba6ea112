import { Quarantine } from '../quarantine/quarantine.ts'
import { holdsIdentity } from '../quarantine/recipients.ts'
import type { Kept, QuarantineFacts } from '../quarantine/record.ts'
import type { HeldPieces } from '../quarantine/seal.ts'
import { BadConfigError, type Config } from '../config/config.ts'
import type { GateEvent, HappeningOf } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import { describeError } from '../util/errors.ts'

/** Bindings of the quarantine. */
export interface QuarantineBindings {
  /** A bucket for nothing else, that only the operator reads. */
  QUARANTINE?: R2Bucket
}

/**
 * The quarantine of a Worker with these bindings, if it has one.
 * @throws {BadConfigError} it has half of one, or a key that it must not have
 */
export function chooseQuarantine(
  { quarantineRecipients: recipients, quarantineDays: days, policy }: Config,
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
  const wanting = Object.entries(policy.banks).find(
    ([, { action, review }]) => action === 'quarantine' || review?.action === 'quarantine',
  )
  if (!bucket && wanting) {
    throw new BadConfigError([
      `POLICY banks.${wanting[0]} is to be quarantined, and QUARANTINE, an R2 bucket, is not bound`,
    ])
  }
  return bucket && new Quarantine({ bucket, recipients, days })
}

/** Keeps the body of an upload with what is known of it. Never throws. */
export async function keepUpload(
  quarantine: Quarantine | undefined,
  request: Request,
  verdict: HappeningOf<'verdict'>,
  body: HeldPieces,
): Promise<Kept> {
  if (!quarantine) return { kept: false, reason: 'not-configured' }
  return quarantine.keep(factsOf(request, verdict), body)
}

function factsOf({ url, headers }: Request, verdict: HappeningOf<'verdict'>): QuarantineFacts {
  const { caseId, method, path, listVersion, files } = verdict
  const contentType = headers.get('content-type')
  const contentEncoding = headers.get('content-encoding')
  return {
    caseId,
    method,
    host: new URL(url).host,
    path,
    ...(contentType !== null && { contentType }),
    ...(contentEncoding !== null && { contentEncoding }),
    ...(listVersion !== undefined && { listVersion }),
    files,
  }
}

/** Deletes what has expired, and tells. What R2 fails by is told, and thrown so that the trigger counts as failed. */
export async function sweepQuarantine(
  quarantine: Quarantine | undefined,
  onEvent: (event: GateEvent) => void,
): Promise<void> {
  if (!quarantine) return
  try {
    onEvent(stampEvent({ event: 'quarantine-sweep', ...(await quarantine.deleteExpired()) }))
  } catch (error) {
    onEvent(stampEvent({ event: 'quarantine-sweep', error: describeError(error) }))
    throw error
  }
}
