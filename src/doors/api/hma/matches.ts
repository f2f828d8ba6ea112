import { createHash } from 'node:crypto'
import type { Match } from '../../../match/match.ts'

/** A match as HMA reports it: the distance is text. */
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
 * HMA identifies content by whole numbers. If an entry's own id is one, of at most 15 digits, it is
 * used. Otherwise a number from 2^52 to 2^53 - 1 is made from the entry and its bank, always the
 * same.
 */
export function contentIdOf({ bank, entry }: Pick<Match, 'bank' | 'entry'>): number {
  if (/^(0|[1-9]\d{0,14})$/.test(entry)) return Number(entry)
  const digest = createHash('sha256')
    .update(JSON.stringify([bank, entry]))
    .digest()
  return 2 ** 52 + (digest.readUIntBE(0, 6) * 16 + (digest.readUInt8(6) >> 4))
}
