import type { HappeningOf } from '../../events/schema.ts'
import { REFUSALS } from '../refusal.ts'
import type { RefusalReason, Verdict } from '../../gate/verdict.ts'
import { jsonAnswer, problemAnswer } from '../problem.ts'

/** Seconds after which a caller whose file could not be judged may try again. */
const RETRY_AFTER_SECONDS = 30

/**
 * The answer that tells a verdict, by its event.
 * @param found what was asked about, with its matches
 */
export function verdictAnswer(
  verdict: Verdict,
  event: HappeningOf<'verdict'>,
  found: object,
): Response {
  const { caseId, reason, listVersion } = event
  const facts = { reason, ...(listVersion !== undefined && { listVersion }), ...found }
  if (verdict.action === 'refuse') return refusalAnswer(verdict.reason, { caseId, ...facts })
  return jsonAnswer({ caseId, verdict: verdict.action, ...facts }, statusOf(verdict.action))
}

/** What only flags is not refused, but for people to look at. */
function statusOf(action: Exclude<Verdict['action'], 'refuse'>): number {
  switch (action) {
    case 'allow':
      return 200
    case 'flag':
      return 202
    case 'quarantine':
    case 'block':
      return 451
  }
}

/** What could not be judged has the status that the gate gives an uploader, and here the reason too. */
function refusalAnswer(because: RefusalReason, facts: object): Response {
  const { status, title } = REFUSALS[because]
  const headers = status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : undefined
  return problemAnswer({ title, status, verdict: 'refuse', ...facts }, headers)
}
