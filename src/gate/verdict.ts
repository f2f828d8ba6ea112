import { type MatchResult, nearestMatches, TooManyCandidatesError } from '../match/match.ts'
import type { RemoteFailure } from '../match/remote/remote-bank.ts'
import type { RemoteAnswers } from '../match/remote/remote-banks.ts'
import { type AskList, matchInStages } from '../match/stages.ts'
import { weigh, type WeighedMatch } from '../policy/banks.ts'
import { allFiles, problemOf, type ScannedFile } from '../scan/scanned.ts'
import type { Policy } from '../policy/schema.ts'

/**
 * The gate's answer for files. `allow` and `refuse` say why; `flag`, `quarantine` and `block` say that something known was found.
 */
export type Verdict = AllowVerdict | FlagVerdict | RefuseVerdict | BlockVerdict

/** A file of an upload, or one within such a file, scanned and matched. */
export interface JudgedFile {
  scanned: ScannedFile
  matches: WeighedMatch[]
}

/** What is known about an upload, whatever the verdict. */
interface Judged {
  files: JudgedFile[]
  /** Version of the list that was asked; absent if there was none. */
  listVersion?: number | undefined
  /** Whether these are all the matches that the list has. */
  isComplete: boolean
}

export interface AllowVerdict extends Judged {
  action: 'allow'
  reason: 'no-match' | 'unscannable' | 'failed'
  error?: unknown
}

/** Passed on, for people to review: every match is flooded, or its bank only flags. */
export interface FlagVerdict extends Judged {
  action: 'flag'
  reason: 'match'
}

/** `malformed`: two programs could read different files out of it. `unaccepted-format`: its route does not take such files. */
export interface RefuseVerdict extends Judged {
  action: 'refuse'
  reason: 'unscannable' | 'failed' | 'malformed' | 'unaccepted-format'
  error?: unknown
}

/**
 * Something known was found. The body of a quarantined upload is kept, sealed; its uploader gets
 * the same answer.
 */
export interface BlockVerdict extends Judged {
  action: 'block' | 'quarantine'
  reason: 'match'
}

/** What happens to what matches, and to what could not be judged. */
export interface JudgeSettings {
  policy: Pick<Policy, 'banks' | 'exempt' | 'onUnscannable' | 'onFailed'>
}

/** Marks matches whose entries match too much. */
export type MarkFlooded = (files: JudgedFile[]) => Promise<JudgedFile[]>

/** Whether files may pass. */
export function isPassed(verdict: Verdict): verdict is AllowVerdict | FlagVerdict {
  return verdict.action === 'allow' || verdict.action === 'flag'
}

/** What judging takes beside the list. */
export interface JudgeHelpers {
  markFlooded?: MarkFlooded
  /** Asks services about files that match nothing on the list. */
  askRemote?: (files: readonly ScannedFile[]) => Promise<RemoteAnswers>
  /** Called for each service that gave no answer, with whether the upload passes anyway. */
  onUnanswered?: (failure: RemoteFailure, isPassed: boolean) => void
}

/** Judges the files of an upload, and those within them, against the list. `askList` throws if there is no list. */
export async function judge(
  files: readonly ScannedFile[],
  askList: AskList,
  settings: JudgeSettings,
  helpers: JudgeHelpers = {},
): Promise<Verdict> {
  const { markFlooded = async (judged: JudgedFile[]) => judged } = helpers
  const all = files.flatMap(allFiles)
  let judged: JudgedFile[] = all.map((scanned) => ({ scanned, matches: [] }))
  let failure: { error: unknown } | undefined
  let results: MatchResult[] = all.map(() => ({ matches: [], isComplete: false }))
  let unanswered: RemoteFailure[] = []
  try {
    results = await matchInStages(all, askList)
  } catch (error) {
    failure = { error }
  }
  if (helpers.askRemote) {
    const remote = await askAboutOthers(all, results, helpers.askRemote)
    results = remote.results
    unanswered = remote.failures
  }
  try {
    judged = await markFlooded(
      all.map((scanned, i) => ({
        scanned,
        matches: (results[i]?.matches ?? []).map((match) => weigh(match, settings.policy)),
      })),
    )
    const open = results.find(
      (result, i) => !result.isComplete && !judged[i]?.matches.some(isCounted),
    )
    if (open) failure ??= { error: open.error ?? new TooManyCandidatesError() }
  } catch (error) {
    failure ??= { error }
  }
  const known = { files: judged, isComplete: results.every((one) => one.isComplete) }
  const problems = files.map(problemOf)
  const verdicts: Verdict[] = [{ action: 'allow', reason: 'no-match', ...known }]
  if (problems.some((problem) => problem !== undefined)) {
    verdicts.push({ action: settings.policy.onUnscannable, reason: 'unscannable', ...known })
  }
  if (failure) {
    verdicts.push({ action: settings.policy.onFailed, reason: 'failed', ...known, ...failure })
  }
  for (const { onFailed, error } of unanswered) {
    verdicts.push({ action: onFailed, reason: 'failed', ...known, error })
  }
  if (problems.includes('ambiguous-archive')) {
    verdicts.push({ action: 'refuse', reason: 'malformed', ...known })
  }
  for (const match of judged.flatMap(({ matches }) => matches).filter(isCounted)) {
    verdicts.push({ action: actionOf(match), reason: 'match', ...known })
  }
  const verdict = verdicts.reduce(worse)
  for (const one of unanswered) helpers.onUnanswered?.(one, isPassed(verdict))
  return verdict
}

/** Adds the answers of services about files that match nothing on the list. */
async function askAboutOthers(
  files: readonly ScannedFile[],
  results: readonly MatchResult[],
  askRemote: NonNullable<JudgeHelpers['askRemote']>,
): Promise<{ results: MatchResult[]; failures: RemoteFailure[] }> {
  const others = files.flatMap((file, i) => (results[i]?.matches.length ? [] : [{ file, i }]))
  const { matches, failures } = await askRemote(others.map(({ file }) => file))
  const found = new Map(others.map(({ i }, at) => [i, matches[at] ?? []]))
  const added = results.map((result, i) => ({
    ...result,
    matches: nearestMatches([...result.matches, ...(found.get(i) ?? [])]),
  }))
  return { results: added, failures }
}

function isCounted({ isExempt }: WeighedMatch): boolean {
  return !isExempt
}

/** What a match leads to: its bank's action, unless its entry is flooded and so probably wrong. */
export function actionOf({ action, isFlooded }: WeighedMatch): WeighedMatch['action'] {
  return isFlooded ? 'flag' : action
}

/** The kind of harm behind a verdict: that of the nearest match that leads to it. */
export function harmOf({ action, files }: BlockVerdict): string | undefined {
  const matches = files.flatMap((file) => file.matches).filter(isCounted)
  const deciding = matches.filter((match) => actionOf(match) === action)
  return deciding.toSorted((a, b) => a.distance - b.distance)[0]?.harm
}

/**
 * If several actions apply to an upload, the last of these counts. An upload with something to
 * block is not quarantined for something else in it: keeping it may be a crime.
 */
const ACTIONS: readonly Verdict['action'][] = ['allow', 'flag', 'refuse', 'quarantine', 'block']
const REASONS: readonly Verdict['reason'][] = [
  'no-match',
  'unscannable',
  'failed',
  'malformed',
  'unaccepted-format',
]

function worse(a: Verdict, b: Verdict): Verdict {
  const byAction = ACTIONS.indexOf(b.action) - ACTIONS.indexOf(a.action)
  const byReason = REASONS.indexOf(b.reason) - REASONS.indexOf(a.reason)
  return byAction > 0 || (byAction === 0 && byReason > 0) ? b : a
}

/** The verdict on an upload, from those on two parts of it. */
export function worseOf(a: Verdict, b: Verdict): Verdict {
  return {
    ...worse(a, b),
    files: [...a.files, ...b.files],
    listVersion: b.listVersion ?? a.listVersion,
    isComplete: a.isComplete && b.isComplete,
  }
}
