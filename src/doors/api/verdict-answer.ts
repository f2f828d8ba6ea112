import type { HappeningOf } from '../../events/schema.ts'
import type { Outcome } from '../../upload/outcome.ts'
import { statusOf } from '../status.ts'
import { jsonAnswer, problemAnswer } from '../respond.ts'

/** Seconds after which a caller whose file could not be judged may try again. */
const RETRY_AFTER_SECONDS = 30

/**
 * The answer that tells an outcome, by its event. What could not be judged has the status that an uploader gets, and here the reason,
 * too.
 * @param found what was asked about, with its matches
 */
export function verdictAnswer(
  outcome: Outcome,
  event: HappeningOf<'verdict'>,
  found: object,
): Response {
  const { caseId, reason, listVersion } = event
  const facts = { reason, ...(listVersion !== undefined && { listVersion }), ...found }
  const { status, title } = statusOf(outcome)
  if (outcome.action !== 'refuse')
    return jsonAnswer({ caseId, verdict: outcome.action, ...facts }, status)
  const headers = status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : undefined
  return problemAnswer({ title, status, verdict: 'refuse', caseId, ...facts }, headers)
}
