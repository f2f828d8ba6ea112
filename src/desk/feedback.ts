import { describeError } from '../util/errors.ts'
import { type Desk, exchangeOf } from './desk.ts'
import type { Ask } from './exchanges/exchange.ts'
import { ask } from './exchanges/http.ts'
import { hashOfEntry, noteOpinion, type QueuedOpinion, waitingOpinions } from './ledger/opinions.ts'

/** Maximum opinions sent in one run. */
const MAX_A_RUN = 100

/** What would be sent to a provider now. */
export async function planFeedback(desk: Desk, name: string): Promise<PlannedFeedback[]> {
  const exchange = exchangeOf(desk, name)
  const planned: PlannedFeedback[] = []
  for (const opinion of await waitingOpinions(desk.ledger.db, name, MAX_A_RUN)) {
    const hash = await hashOfEntry(desk.ledger, opinion.entry)
    planned.push({ opinion, ask: exchange.feedback?.({ ...opinion, hash }) })
  }
  return planned
}

/** Feedback for a provider. */
export interface PlannedFeedback {
  opinion: QueuedOpinion
  /** `undefined` if this provider does not accept such an opinion. */
  ask: Ask | undefined
}

/** Sends opinions to their provider. A failed one is retried in the next run. */
export async function sendFeedback(
  desk: Desk,
  name: string,
): Promise<{ sent: number; failed: number; unaccepted: number }> {
  const done = { sent: 0, failed: 0, unaccepted: 0 }
  const { db } = desk.ledger
  for (const { opinion, ask: wanted } of await planFeedback(desk, name)) {
    try {
      if (wanted) await (await ask(desk.world, wanted)).body?.cancel()
      await noteOpinion(db, opinion, { sentAt: desk.world.now() })
      if (wanted) done.sent++
      else done.unaccepted++
    } catch (error) {
      await noteOpinion(db, opinion, { error: describeError(error) })
      done.failed++
    }
  }
  return done
}
