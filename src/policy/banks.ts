import { HashgateError } from '../util/errors.ts'
import type { Bank, Manifest } from '../list/manifest.ts'
import type { Match } from '../match/match.ts'
import type { BankPolicy, MatchAction, Policy } from './schema.ts'

/** The list as it is searched: without disabled banks, and as far as review bands reach. */
export function adjustBanks(manifest: Manifest, { banks }: Pick<Policy, 'banks'>): Manifest {
  const enabled = manifest.banks.filter(({ id }) => banks[id]?.enabled !== false)
  return { ...manifest, banks: enabled.map((bank) => adjustBank(bank, banks[bank.id])) }
}

/** A match, and what the policy of its bank makes of it. */
export interface WeighedMatch extends Match {
  action: MatchAction
  harm: string
  /** Whether it lies in the bank's review band. */
  isReview?: true
}

/** The policy names banks that do not exist: a name may be misspelt. */
export class UnknownBankError extends HashgateError {
  readonly code = 'unknown-bank'

  constructor(names: readonly string[]) {
    super(`the policy names banks that are not in the list: ${names.join(', ')}`)
  }
}

/** The error for banks that a policy names, but that do not exist; `undefined` if all do. */
export function unknownBanks(
  { banks }: Manifest,
  policy: Pick<Policy, 'banks' | 'exempt'>,
  remote: readonly string[] = [],
): UnknownBankError | undefined {
  const known = new Set([...banks.map(({ id }) => id), ...remote])
  const named = [...Object.keys(policy.banks), ...policy.exempt.map((entry) => entry.split('/')[0])]
  const unknown = new Set(named.filter((name) => name !== undefined && !known.has(name)))
  return unknown.size > 0 ? new UnknownBankError([...unknown] as string[]) : undefined
}

function adjustBank(bank: Bank, policy: BankPolicy | undefined): Bank {
  const threshold = policy?.review?.threshold ?? policy?.threshold ?? bank.threshold
  return { ...bank, threshold, minQuality: policy?.minQuality ?? bank.minQuality }
}

/** What a match leads to. If its bank has a review band, its threshold becomes that of the band it lies in. */
export function weigh(
  match: Match,
  { banks, exempt }: Pick<Policy, 'banks' | 'exempt'>,
): WeighedMatch {
  const { bank, entry, distance, tolerance, limited } = match
  const { action: chosen = 'block', review, threshold, harm = bank } = banks[bank] ?? {}
  // All pictures of a single colour have hashes like this. The entry is a mistake, and must not
  // block blank pages.
  const action = limited === 'blank' ? 'flag' : chosen
  const isExempt = (match.isExempt || exempt.includes(`${bank}/${entry}`)) && {
    isExempt: true as const,
  }
  const weighed = { ...match, action, harm, ...isExempt }
  if (!review || threshold === undefined) return weighed
  if (distance > threshold + tolerance) return { ...weighed, action: review.action, isReview: true }
  return { ...weighed, threshold: Math.min(match.threshold, threshold + tolerance) }
}
