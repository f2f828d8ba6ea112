import type { HappeningOf } from '../../events/schema.ts'
import type { Outcome } from '../../upload/outcome.ts'
import { RETRY_AFTER_SECONDS, statusOf } from '../status.ts'
import { jsonAnswer, problemAnswer } from '../respond.ts'

/**
 * The answer for an outcome. If the body could not be judged, it has the status that an uploader
 * gets, and also the reason.
 * @param found the files or hashes, with their matches
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
