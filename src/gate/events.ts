import type { WeighedMatch } from '../policy/banks.ts'
import type { Route } from '../policy/routes.ts'
import type { Kept, Swept } from '../quarantine/record.ts'
import { isPatterned, type ScannedFile, type Within } from '../scan/scanned.ts'
import type { FloodEvent } from './flood/breaker.ts'
import { describeError, type JudgedFile, type Verdict } from './verdict.ts'

/** What is logged of a verdict: enough to answer for it, and never a hash. One JSON line each. */
export interface VerdictEvent {
  event: 'verdict'
  /** Names the verdict; a blocked uploader is told it too. */
  caseId: string
  action: Verdict['action']
  reason: Verdict['reason']
  method: string
  path: string
  /** Whether the uploader noticed nothing of it: it tells what would have happened. */
  isShadow?: true
  /** Whether what is uploaded there is for everybody or for some, as the route says. */
  label?: 'public' | 'private'
  /** Version of the list that was asked; absent if there was none. */
  listVersion?: number
  /** Milliseconds from the last byte of the body to the verdict, as far as the platform lets its clock go on meanwhile. */
  afterLastByteMs?: number
  /** Files of the upload, and what was found within them: not entries of unknown formats, and no more than MAX_FILE_EVENTS. */
  files: FileEvent[]
  /** Number of files that are left out here. */
  otherFiles?: number
  /** What became of the body, if it was to be kept. */
  quarantine?: Kept
  /** What failed, in words. */
  error?: string
}

/** What is told of the gate, one object each. */
export type GateEvent = VerdictEvent | FloodEvent | SweepEvent | ListErrorEvent | OriginErrorEvent

/** The list could not be read, or not for too long; what was read before stays in use. */
export interface ListErrorEvent {
  event: 'list-error'
  error: string
  listVersion?: number
}

/** The origin could not be reached. */
export interface OriginErrorEvent {
  event: 'origin-error'
  error: string
  method: string
  path: string
}

export interface FileEvent {
  /** What it was found in or by, if it is not itself a file of the upload. */
  within?: Within
  coverage: 'scanned' | 'unscannable'
  reason?: string
  format?: string
  width?: number
  height?: number
  /** Absent for an image that was found by its signature. */
  bytes?: number
  /** Entries of an archive that were passed over. */
  unscannableEntries?: number
  /** Of the image as it is stored, 0 to 100. */
  quality?: number
  /** Whether it is a pattern, which is matched by its digests alone. */
  isPatterned?: boolean
  isPartial?: boolean
  matches?: MatchEvent[]
}

export interface MatchEvent {
  bank: string
  /** Kind of harm. */
  harm: string
  /** What it leads to by its bank. */
  action: string
  entry: string
  source?: string
  /** Bits between the entry and the needle that was nearest; 0 for a digest. */
  distance: number
  /** Largest distance that matches: the bank's, and what the probe adds. */
  threshold: number
  /** Bits between them. */
  margin: number
  /** How the needle was derived, or the kind of digest. */
  probe: string
  /** Whether the entry only flags, since it matches more uploads than one that is right would. */
  isFlooded?: boolean
  /** Whether it lies in the bank's review band. */
  isReview?: boolean
  /** Whether its entry is exempt, so that it changes nothing. */
  isExempt?: boolean
}

/** What a sweep of the quarantine did. */
export interface SweepEvent extends Partial<Swept> {
  event: 'quarantine-sweep'
  error?: string
}

/** Files that an event tells: a line of the log is cut off at some length. If there are more, those that match come first. */
const MAX_FILE_EVENTS = 200

/** What else is known of a verdict. */
export interface VerdictFacts {
  listVersion?: number | undefined
  afterLastByteMs?: number | undefined
  route?: Pick<Route, 'isShadow' | 'label'>
  kept?: Kept | undefined
}

export function verdictEvent(
  caseId: string,
  request: Request,
  verdict: Verdict,
  { listVersion, afterLastByteMs, route, kept }: VerdictFacts = {},
): VerdictEvent {
  const told = filesToTell(verdict.files)
  const otherFiles = verdict.files.length - told.length
  return {
    event: 'verdict',
    caseId,
    action: verdict.action,
    reason: verdict.reason,
    method: request.method,
    path: new URL(request.url).pathname,
    ...(route?.isShadow && { isShadow: true }),
    ...(route?.label && { label: route.label }),
    ...(listVersion !== undefined && { listVersion }),
    ...(afterLastByteMs !== undefined && { afterLastByteMs: Math.round(afterLastByteMs) }),
    files: told.map(fileEvent),
    ...(otherFiles > 0 && { otherFiles }),
    ...(kept && { quarantine: kept }),
    ...('error' in verdict && { error: describeError(verdict.error) }),
  }
}

function filesToTell(files: readonly JudgedFile[]): JudgedFile[] {
  const telling = files.filter(isTelling)
  if (telling.length <= MAX_FILE_EVENTS) return telling
  const matchesFirst = (a: JudgedFile, b: JudgedFile) =>
    Math.sign(b.matches.length) - Math.sign(a.matches.length)
  return telling.toSorted(matchesFirst).slice(0, MAX_FILE_EVENTS)
}

/** Documents are archives of many texts, and forms have many fields: they tell nobody anything. */
function isTelling({ scanned, matches }: JudgedFile): boolean {
  if (matches.length > 0) return true
  if (scanned.coverage === 'scanned') return scanned.format !== undefined
  return !scanned.within || scanned.reason !== 'unknown-format'
}

function fileEvent({ scanned, matches }: JudgedFile): FileEvent {
  return {
    ...(scanned.within && { within: scanned.within }),
    coverage: scanned.coverage,
    ...describeFile(scanned),
    ...(scanned.bytes > 0 && { bytes: scanned.bytes }),
    ...(matches.length > 0 && {
      matches: matches.map(matchEvent),
    }),
  }
}

function matchEvent(match: WeighedMatch): MatchEvent {
  const { bank, harm, action, entry, labels, distance, threshold, probe } = match
  const { isFlooded, isReview, isExempt } = match
  return {
    bank,
    harm,
    action,
    entry,
    ...(labels['source'] !== undefined && { source: labels['source'] }),
    distance,
    threshold,
    margin: threshold - distance,
    probe,
    ...(isFlooded && { isFlooded }),
    ...(isReview && { isReview }),
    ...(isExempt && { isExempt }),
  }
}

function describeFile(file: ScannedFile): Partial<FileEvent> {
  const size = file.width === undefined ? {} : { width: file.width, height: file.height ?? 0 }
  const format = file.format === undefined ? {} : { format: file.format }
  if (file.coverage === 'unscannable') {
    const { reason, unscannableEntries } = file
    return { reason, ...format, ...size, ...(unscannableEntries && { unscannableEntries }) }
  }
  const identity = file.needles.find(({ probe }) => probe === 'identity')
  return {
    ...format,
    ...size,
    ...(identity && { quality: identity.quality }),
    ...(identity && isPatterned(identity) && { isPatterned: true }),
    ...(file.isPartial && { isPartial: true }),
  }
}
