import { HashgateError } from '../errors.ts'
import {
  type Match,
  type MatchResult,
  type Query,
  queryOf,
  TooManyCandidatesError,
} from '../match/match.ts'
import { allFiles, problemOf, type ScannedFile } from '../scan/scanned.ts'
import type { Config } from './config.ts'

/** A file of an upload, or one within such a file, scanned and matched. */
export interface JudgedFile {
  scanned: ScannedFile
  matches: Match[]
}

/**
 * The gate's answer for an upload. `allow` and `refuse` say why; only `block` says that something known was found.
 */
export type Verdict = AllowVerdict | RefuseVerdict | BlockVerdict

export interface AllowVerdict {
  action: 'allow'
  reason: 'no-match' | 'unscannable' | 'failed'
  files: JudgedFile[]
  error?: unknown
}

export interface RefuseVerdict {
  action: 'refuse'
  reason: 'unscannable' | 'failed' | 'too-large' | 'malformed' | 'busy'
  files: JudgedFile[]
  error?: unknown
}

export interface BlockVerdict {
  action: 'block'
  reason: 'match'
  files: JudgedFile[]
}

/** Asks the list about files. Throws when there is no list to judge by. */
export type AskList = (queries: readonly Query[]) => Promise<MatchResult[]>

/** Judges the files of an upload, and what is within them, against the list. */
export async function judge(
  files: readonly ScannedFile[],
  askList: AskList,
  config: Config,
): Promise<Verdict> {
  const all = files.flatMap(allFiles)
  const judged: JudgedFile[] = all.map((scanned) => ({ scanned, matches: [] }))
  let failure: { error: unknown } | undefined
  try {
    // The list is asked even if nothing is to be matched: a gate without one must not look as if it worked.
    const results = await askList(all.map(queryOf))
    for (const [i, file] of judged.entries()) file.matches = results[i]?.matches ?? []
    const open = results.find(({ matches, isComplete }) => matches.length === 0 && !isComplete)
    if (open) failure = { error: open.error ?? new TooManyCandidatesError() }
  } catch (error) {
    failure = { error }
  }
  if (judged.some(({ matches }) => matches.length > 0))
    return { action: 'block', reason: 'match', files: judged }
  const problems = files.map(problemOf)
  if (problems.includes('ambiguous-archive'))
    return { action: 'refuse', reason: 'malformed', files: judged }
  if (failure) return { action: config.onFailed, reason: 'failed', files: judged, ...failure }
  if (problems.some((problem) => problem !== undefined)) {
    return { action: config.onUnscannable, reason: 'unscannable', files: judged }
  }
  return { action: 'allow', reason: 'no-match', files: judged }
}

/** An error in words that may be logged. Messages of other errors may hold anything, so only their class is told. */
export function describeError(error: unknown): string {
  if (error instanceof HashgateError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : 'unknown error'
}
