import type { GateEvent } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import { describeError } from '../util/errors.ts'
import type { Quarantine } from './quarantine.ts'

/**
 * Deletes what has expired, and reports it. An error of R2 is reported, and thrown so that the
 * trigger counts as failed.
 */
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
