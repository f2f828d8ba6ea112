import { toHex } from '../util/bytes.ts'
import { describeError } from '../util/errors.ts'
import type { FileEvent, HappeningOf, MatchEvent } from '../events/schema.ts'
import type { WeighedMatch } from '../policy/banks.ts'
import type { ChosenRoute } from '../policy/routes.ts'
import type { Kept } from '../quarantine/record.ts'
import { describeNeedle } from '../match/thresholds.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import type { JudgedFile } from '../gate/verdict.ts'
import type { Outcome } from './outcome.ts'

/** Most files in an event. If there are more, or their JSON is too long, matches come first. */
const MAX_FILE_EVENTS = 200
/** A queue message has 128,000 bytes. A path and the rest of the event need some of them. */
const MAX_FILE_BYTES = 96_000
/** Longest path, and longest name that a list gives an entry, in characters. */
const MAX_PATH_LENGTH = 2048
const MAX_NAME_LENGTH = 256

/** What is reported about an upload: enough to answer for it, and never a hash. */
export function verdictEvent(
  caseId: string,
  request: { method: string; url: string },
  outcome: Outcome,
  { afterLastByteMs, route, kept, caller }: VerdictFacts = {},
): HappeningOf<'verdict'> {
  const judged = 'files' in outcome ? outcome.files : []
  const files = filesToReport(judged.filter(isReported))
  const otherFiles = judged.length - files.length
  const { action, reason, listVersion } = outcome
  return {
    event: 'verdict',
    caseId,
    action,
    reason,
    method: request.method,
    path: pathOf(request.url, judged),
    ...(caller !== undefined && { caller }),
    ...(route?.isShadow && { isShadow: true as const }),
    ...(route?.label && { label: route.label }),
    ...(listVersion !== undefined && { listVersion }),
    ...(afterLastByteMs !== undefined && { afterLastByteMs: Math.round(afterLastByteMs) }),
    files,
    ...(otherFiles > 0 && { otherFiles }),
    ...(kept && { quarantine: kept }),
    ...('error' in outcome && { error: describeError(outcome.error) }),
  }
}

/** What else is known about an upload. */
export interface VerdictFacts {
  afterLastByteMs?: number | undefined
  route?: Pick<ChosenRoute, 'isShadow' | 'label'>
  kept?: Kept | undefined
  /** The caller that asked for the verdict without an upload to the origin. */
  caller?: string
}

/** As much of a path as an event has room for. */
export function clipPath(path: string): string {
  return path.slice(0, MAX_PATH_LENGTH)
}

/** The path of a request without listed digests and hashes, which may be names of uploads. */
function pathOf(url: string, files: readonly JudgedFile[]): string {
  const path = new URL(url).pathname.slice(0, MAX_PATH_LENGTH + 64) // a hash may begin before the cut
  if (!/[\da-f]{32}/i.test(path)) return clipPath(path)
  const same = files.filter(({ matches }) => matches.some(({ distance }) => distance === 0))
  const hashes = same.flatMap(({ scanned }) => {
    const needles = scanned.coverage === 'scanned' ? scanned.needles : []
    return Object.values(scanned.digests ?? {}).concat(needles.map(({ hash }) => hash))
  })
  if (hashes.length === 0) return clipPath(path)
  const isHash = new RegExp([...new Set(hashes.map(toHex))].join('|'), 'gi')
  return clipPath(path.replaceAll(isHash, '-'))
}

function filesToReport(files: readonly JudgedFile[]): FileEvent[] {
  const inOrder = fitting(files)
  if (inOrder.length === files.length) return inOrder
  const matchesFirst = (a: JudgedFile, b: JudgedFile) =>
    Math.sign(b.matches.length) - Math.sign(a.matches.length)
  return fitting(files.toSorted(matchesFirst))
}

/** As many of the first files as an event has room for. */
function fitting(files: readonly JudgedFile[]): FileEvent[] {
  const events: FileEvent[] = []
  let bytes = 0
  for (const file of files.slice(0, MAX_FILE_EVENTS)) {
    const event = fileEvent(file)
    bytes += Buffer.byteLength(JSON.stringify(event)) + 1
    if (bytes > MAX_FILE_BYTES) break
    events.push(event)
  }
  return events
}

/**
 * Whether an event reports a file. Documents have many texts, and forms many fields, that say
 * nothing.
 */
function isReported({ scanned, matches }: JudgedFile): boolean {
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

export function matchEvent(match: WeighedMatch): MatchEvent {
  const { bank, harm, action, entry, labels, distance, threshold, probe } = match
  const { limited, isFlooded, isReview, isExempt, classification, isTest } = match
  const { source } = labels
  return {
    bank: clipName(bank),
    harm: clipName(harm),
    action,
    entry: clipName(entry),
    ...(source !== undefined && { source: clipName(source) }),
    distance,
    threshold,
    margin: threshold - distance,
    probe,
    ...(limited && { limited }),
    ...(isFlooded && { isFlooded }),
    ...(isReview && { isReview }),
    ...(isExempt && { isExempt }),
    ...(classification !== undefined && { classification: clipName(classification) }),
    ...(isTest && { isTest }),
  }
}

function clipName(name: string): string {
  return name.slice(0, MAX_NAME_LENGTH).toWellFormed()
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
    ...(identity && describeNeedle(identity)),
    ...(file.isPartial && { isPartial: true }),
  }
}
