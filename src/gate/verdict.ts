import { TooManyCandidatesError } from '../match/match.ts'
import { type AskList, matchInStages } from '../match/stages.ts'
import { weigh, type WeighedMatch } from '../policy/banks.ts'
import { allFiles, problemOf, type ScannedFile } from '../scan/scanned.ts'
import type { Config } from './config.ts'

/** A file of an upload, or one within such a file, scanned and matched. */
export interface JudgedFile {
  scanned: ScannedFile
  matches: WeighedMatch[]
}

/**
 * The gate's answer for an upload. `allow` and `refuse` say why; `flag`, `quarantine` and `block` say that something known was found.
 */
export type Verdict = AllowVerdict | FlagVerdict | RefuseVerdict | BlockVerdict

export interface AllowVerdict {
  action: 'allow'
  reason: 'no-match' | 'unscannable' | 'failed'
  files: JudgedFile[]
  error?: unknown
}

/** Passed on, and to be looked at: all that it matches is flooded, or for people to decide. */
export interface FlagVerdict {
  action: 'flag'
  reason: 'match'
  files: JudgedFile[]
}

export interface RefuseVerdict {
  action: 'refuse'
  reason:
    | 'unscannable'
    | 'failed'
    | 'too-large'
    | 'length-required'
    | 'malformed'
    | 'unaccepted-format'
    | 'busy'
    | 'client-stalled'
    | 'client-gone'
    | 'origin-stalled'
  files: JudgedFile[]
  error?: unknown
}

/** Why an upload does not reach the origin. */
export type RefusalReason = (RefuseVerdict | BlockVerdict)['reason']

/** Something known. The body of what is quarantined is kept, sealed; its uploader is told the same. */
export interface BlockVerdict {
  action: 'block' | 'quarantine'
  reason: 'match'
  files: JudgedFile[]
}

/** Marks the matches of an upload whose entries match too much. */
export type MarkFlooded = (files: JudgedFile[]) => Promise<JudgedFile[]>

/** Whether an upload is passed on. */
export function isPassed(verdict: Verdict): verdict is AllowVerdict | FlagVerdict {
  return verdict.action === 'allow' || verdict.action === 'flag'
}

/** What is known of an upload beside its files. */
export interface UploadFacts {
  /** Whether something in it is of a format that its route does not accept. */
  hasUnaccepted?: boolean
}

/** Judges files of an upload, and what is within them, against the list. `askList` throws when there is none to judge by. */
export async function judge(
  files: readonly ScannedFile[],
  askList: AskList,
  config: Config,
  markFlooded: MarkFlooded = async (judged) => judged,
  { hasUnaccepted = false }: UploadFacts = {},
): Promise<Verdict> {
  const all = files.flatMap(allFiles)
  let judged: JudgedFile[] = all.map((scanned) => ({ scanned, matches: [] }))
  let failure: { error: unknown } | undefined
  try {
    const results = await matchInStages(all, askList)
    judged = await markFlooded(
      all.map((scanned, i) => ({
        scanned,
        matches: (results[i]?.matches ?? []).map((match) => weigh(match, config.policy)),
      })),
    )
    const open = results.find(
      ({ isComplete }, i) => !isComplete && !judged[i]?.matches.some(isCounted),
    )
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
  if (hasUnaccepted) verdicts.push({ action: 'refuse', reason: 'unaccepted-format', files: judged })
  for (const match of judged.flatMap(({ matches }) => matches).filter(isCounted)) {
    verdicts.push({ action: actionOf(match), reason: 'match', files: judged })
  }
  return { ...verdicts.reduce(worse), files: judged }
}

function isCounted({ isExempt }: WeighedMatch): boolean {
  return !isExempt
}

/** What a match leads to by its bank, unless its entry is taken for a mistake. */
export function actionOf({ action, isFlooded }: WeighedMatch): WeighedMatch['action'] {
  return isFlooded ? 'flag' : action
}

/** The kind of harm that a verdict is for: that of the nearest match that leads to it. */
export function harmOf({ action, files }: BlockVerdict): string | undefined {
  const matches = files.flatMap((file) => file.matches).filter(isCounted)
  const deciding = matches.filter((match) => actionOf(match) === action)
  return deciding.toSorted((a, b) => a.distance - b.distance)[0]?.harm
}

/**
 * What counts when several things are true of an upload: the last of these. What holds something that is to be blocked is not
 * kept for the sake of something else in it: to keep it may be a crime.
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

/** The verdict on an upload by those on two parts of it. */
export function worseOf(a: Verdict, b: Verdict): Verdict {
  return { ...worse(a, b), files: [...a.files, ...b.files] }
}
