import { HashgateError } from '../util/errors.ts'
import type { DigestKind } from '../list/entry.ts'
import type { FileDigests } from '../scan/digests.ts'
import type { Needle, Probe, ScannedFile } from '../scan/scanned.ts'
import type { MatchLimit } from './thresholds.ts'

/** An entry that a file matches: within its bank's threshold of a needle, or the same byte for byte. */
export interface Match {
  bank: string
  entry: string
  labels: Record<string, string>
  /** Bits, 0 to the threshold; 0 for a digest. */
  distance: number
  /** The bank's threshold plus what the probe adds; 0 for a digest. */
  threshold: number
  /** Bits that the probe adds to the bank's threshold; 0 for a digest. */
  tolerance: number
  /** How the nearest needle was derived, or which digest it is. */
  probe: Probe | DigestKind
  /** What lowered the threshold, if anything did. */
  limited?: MatchLimit
  /** Whether it only flags: its entry matches too many uploads to be right, and its bank has `onFlood: flag`. */
  isFlooded?: boolean
  /** Whether the list exempts its entry: matches change nothing. */
  isExempt?: true
  /** How the service classifies the entry, for a remote bank. */
  classification?: string
  /** Whether the entry is for tests: its matches are handled like any other, but never reported to an authority. */
  isTest?: true
}

/** The query for one file. */
export interface Query {
  needles: readonly Needle[]
  /** Known digests; absent for an empty file. */
  digests?: Partial<FileDigests>
}

/** The query for a file: its needles if it could be scanned, and its digests in any case. */
export function queryOf(file: ScannedFile): Query {
  return {
    needles: file.coverage === 'scanned' ? file.needles : [],
    ...(file.digests && { digests: file.digests }),
  }
}

/** What a list knows about one file. */
export interface MatchResult {
  /** Each entry once, nearest first, at most MAX_MATCHES. */
  matches: Match[]
  /** Whether this is everything: false if there was more to look up than a query may. */
  isComplete: boolean
  /** Why part of it could not be looked up, if so. */
  error?: unknown
}

/** A file has more candidates than may be looked up, and none of those that were is a match. */
export class TooManyCandidatesError extends HashgateError {
  readonly code = 'too-many-candidates'

  constructor() {
    super('more entries are near this file than one query can read')
  }
}

/** Most matches of a file that are reported. The nearest come first, and the first decides. */
export const MAX_MATCHES = 16

/** A list that can be queried. */
export interface Matcher {
  /** Answers for each query, in order. */
  match(queries: readonly Query[]): Promise<MatchResult[]>
}

/** Sorts matches, nearest first, then by name, and drops those beyond MAX_MATCHES. */
export function nearestMatches(matches: readonly Match[]): Match[] {
  const byName = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)
  return matches
    .toSorted(
      (a, b) => a.distance - b.distance || byName(a.bank, b.bank) || byName(a.entry, b.entry),
    )
    .slice(0, MAX_MATCHES)
}
