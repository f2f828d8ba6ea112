import type { ScannedFile } from '../scan/scanner.ts'
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
  /** Version of the list that was asked; absent if there was none. */
  listVersion?: number
  files: FileEvent[]
  /** What failed, in words. */
  error?: string
}

export interface FileEvent {
  coverage: 'scanned' | 'unscannable'
  reason?: string
  format?: string
  width?: number
  height?: number
  bytes: number
  /** Of the image as it is stored, 0 to 100. */
  quality?: number
  isPartial?: boolean
  matches?: MatchEvent[]
}

export interface MatchEvent {
  bank: string
  entry: string
  source?: string
  /** Bits between the entry and the needle that was nearest; 0 for a digest. */
  distance: number
  threshold: number
  /** How the needle was derived, or the kind of digest. */
  probe: string
}

export function verdictEvent(
  caseId: string,
  request: Request,
  verdict: Verdict,
  listVersion: number | undefined,
): VerdictEvent {
  return {
    event: 'verdict',
    caseId,
    action: verdict.action,
    reason: verdict.reason,
    method: request.method,
    path: new URL(request.url).pathname,
    ...(listVersion !== undefined && { listVersion }),
    files: verdict.files.map(fileEvent),
    ...('error' in verdict && { error: describeError(verdict.error) }),
  }
}

function fileEvent({ scanned, matches }: JudgedFile): FileEvent {
  return {
    coverage: scanned.coverage,
    ...describeFile(scanned),
    bytes: scanned.bytes,
    ...(matches.length > 0 && {
      matches: matches.map(({ bank, entry, labels, distance, threshold, probe }) => ({
        bank,
        entry,
        ...(labels['source'] !== undefined && { source: labels['source'] }),
        distance,
        threshold,
        probe,
      })),
    }),
  }
}

function describeFile(file: ScannedFile): Partial<FileEvent> {
  const size = file.width === undefined ? {} : { width: file.width, height: file.height ?? 0 }
  const format = file.format === undefined ? {} : { format: file.format }
  if (file.coverage === 'unscannable') return { reason: file.reason, ...format, ...size }
  const quality = file.needles.find(({ probe }) => probe === 'identity')?.quality
  return {
    ...format,
    ...size,
    ...(quality !== undefined && { quality }),
    ...(file.isPartial && { isPartial: true }),
  }
}
