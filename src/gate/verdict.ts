import { HashgateError } from '../errors.ts'
import { type Match, TooManyCandidatesError } from '../match/match.ts'
import { type AskList, matchInStages } from '../match/stages.ts'
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
  reason:
    | 'unscannable'
    | 'failed'
    | 'too-large'
    | 'length-required'
    | 'malformed'
    | 'busy'
    | 'client-stalled'
    | 'client-gone'
    | 'origin-stalled'
  files: JudgedFile[]
  error?: unknown
}

/** Why an upload does not reach the origin. */
export type RefusalReason = (RefuseVerdict | BlockVerdict)['reason']

export interface BlockVerdict {
  action: 'block'
  reason: 'match'
  files: JudgedFile[]
}

/** Judges files of an upload, and what is within them, against the list. `askList` throws when there is none to judge by. */
export async function judge(
  files: readonly ScannedFile[],
  askList: AskList,
  config: Config,
): Promise<Verdict> {
  const all = files.flatMap(allFiles)
  const judged: JudgedFile[] = all.map((scanned) => ({ scanned, matches: [] }))
  let failure: { error: unknown } | undefined
  try {
    const results = await matchInStages(all, askList)
    for (const [i, file] of judged.entries()) file.matches = results[i]?.matches ?? []
    const open = results.find(({ matches, isComplete }) => matches.length === 0 && !isComplete)
    if (open) failure = { error: open.error ?? new TooManyCandidatesError() }
  } catch (error) {
    failure = { error }
  }
  const problems = files.map(problemOf)
  const verdicts: Verdict[] = [{ action: 'allow', reason: 'no-match', files: judged }]
  if (problems.some((problem) => problem !== undefined)) {
    verdicts.push({ action: config.onUnscannable, reason: 'unscannable', files: judged })
  }
  if (failure) {
    verdicts.push({ action: config.onFailed, reason: 'failed', files: judged, ...failure })
  }
  if (problems.includes('ambiguous-archive')) {
    verdicts.push({ action: 'refuse', reason: 'malformed', files: judged })
  }
  if (judged.some(({ matches }) => matches.length > 0)) {
    verdicts.push({ action: 'block', reason: 'match', files: judged })
  }
  return { ...verdicts.reduce(worse), files: judged }
}

/** What counts when several things are true of an upload: the last of these. */
const ACTIONS: readonly Verdict['action'][] = ['allow', 'refuse', 'block']
const REASONS: readonly Verdict['reason'][] = ['no-match', 'unscannable', 'failed', 'malformed']

function worse(a: Verdict, b: Verdict): Verdict {
  const byAction = ACTIONS.indexOf(b.action) - ACTIONS.indexOf(a.action)
  const byReason = REASONS.indexOf(b.reason) - REASONS.indexOf(a.reason)
  return byAction > 0 || (byAction === 0 && byReason > 0) ? b : a
}

/** The verdict on an upload by those on two parts of it. */
export function worseOf(a: Verdict, b: Verdict): Verdict {
  return { ...worse(a, b), files: [...a.files, ...b.files] }
}

/** An error in words that may be logged. Messages of other errors may hold anything, so only their class is told. */
export function describeError(error: unknown): string {
  if (error instanceof HashgateError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : 'unknown error'
}
