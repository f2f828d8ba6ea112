import { createHash } from 'node:crypto'
import type { Match } from '../../../match/match.ts'

/** A match as HMA tells it: the distance is text. */
export interface BankMatch {
  bank_content_id: number
  distance: string
}

export type MatchesByBank = Record<string, BankMatch[]>

export function bankMatch(match: Match): BankMatch {
  return { bank_content_id: contentIdOf(match), distance: String(match.distance) }
}

export function byBank(matches: readonly Match[]): MatchesByBank {
  const banks = Map.groupBy(matches, ({ bank }) => bank)
  return Object.fromEntries([...banks].map(([bank, some]) => [bank, some.map(bankMatch)]))
}

/**
 * HMA names content by whole numbers: an entry's own name if it is one, of 15 digits at most; else one that is made from it and
 * its bank, and always the same, 2^52 to 2^53 - 1.
 */
export function contentIdOf({ bank, entry }: Pick<Match, 'bank' | 'entry'>): number {
  if (/^(0|[1-9]\d{0,14})$/.test(entry)) return Number(entry)
  const digest = createHash('sha256')
    .update(JSON.stringify([bank, entry]))
    .digest()
  return 2 ** 52 + (digest.readUIntBE(0, 6) * 16 + (digest.readUInt8(6) >> 4))
}
