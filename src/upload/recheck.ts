import type { GateEvent } from '../events/schema.ts'
import { stampEvent } from '../events/stamp.ts'
import type { RemoteBanks } from '../match/remote/remote-banks.ts'
import { weigh } from '../policy/banks.ts'
import type { Policy } from '../policy/schema.ts'
import { matchEvent } from './verdict-event.ts'

/** Asks services again about uploads that passed without their answer, and reports the answers. */
export async function askAgain(
  remote: RemoteBanks | undefined,
  {
    config: { policy },
    onEvent,
  }: { config: { policy: Pick<Policy, 'banks' | 'exempt'> }; onEvent: (event: GateEvent) => void },
): Promise<void> {
  for (const { caseId, bank, matches, isGivenUp } of (await remote?.askAgain()) ?? []) {
    const found = matches.map((match) => matchEvent(weigh(match, policy)))
    const givenUp = isGivenUp && { isGivenUp: true as const }
    onEvent(stampEvent({ event: 'late-answer', caseId, bank, ...givenUp, matches: found }))
  }
}
