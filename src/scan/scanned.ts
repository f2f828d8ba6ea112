import type { DihedralName, Hash256 } from '../util/hash.ts'
import type { DecodeFailure } from '../core/image.ts'
import type { QualifiedHash } from '../core/plane.ts'
import type { FileDigests } from './digests.ts'
import type { FileFormat } from './format.ts'
import { PROBE_SETS, type ProbeFamily, SET_NAMES, type SetName } from './probes/sets.ts'

/**
 * Most bits of a needle, of 256, that may be no better than chance. Stripes, plaid and round
 * gradients have more, and lie near each other whatever their quality; so does one in a hundred
 * parts of photographs. docs/accuracy.md has the counts.
 */
export const MAX_WEAK_BITS = 80

/** What is known of a file that has passed through a scanner. */
export type ScannedFile = ScannedContent | UnscannableFile

/** How a needle was derived from an upload. */
export type Probe =
  | 'identity'
  | 'displayed-over-white'
  | Exclude<ProbeFamily, 'frames'>
  | Exclude<DihedralName, 'original'>

/** One query derived from an upload. */
export interface Needle extends QualifiedHash {
  probe: Probe
  /** Bits added to a bank's threshold; below 0 for outlines, and where only the sure bits count. */
  tolerance: number
  /**
   * Mask of the half of its bits that are surest, if part of the picture is guessed. Only these are
   * compared, and each counts twice.
   */
  sure?: Hash256
  /** Number of the hashed frame, from 0. */
  frame: number
}

/** Whether a needle describes a kind of pattern rather than a picture. */
export function isPatterned({ weakBits }: Pick<Needle, 'weakBits'>): boolean {
  return weakBits > MAX_WEAK_BITS
}

/** The smallest set of probes that includes a needle. */
export function smallestSetOf({ probe, frame }: Needle): SetName {
  const families = probe === 'displayed-over-white' ? ['displayed', 'over-white'] : [probe]
  if (frame > 0) families.push('frames')
  const others = families.filter((name) => name !== 'identity')
  const hasAll = (set: ReadonlySet<string>) => others.every((name) => set.has(name))
  return SET_NAMES.find((name) => hasAll(PROBE_SETS[name])) ?? 'wide'
}

/**
 * Why an archive could not be scanned completely. `ambiguous-archive`: two programs could extract
 * different files from it.
 */
export type ArchiveProblem =
  | 'ambiguous-archive'
  | 'over-limit'
  | 'encrypted-entry'
  | 'unsupported-entry'
  | 'damaged'

/**
 * Why a file could not be scanned. `long-picture`: a picture in a long body exceeds what can be
 * held, so its bytes passed before a verdict. `websocket`: data sent over a WebSocket connection.
 */
export type UnscannableReason =
  | DecodeFailure
  | ArchiveProblem
  | 'unknown-format'
  | 'unsupported-format'
  | 'over-pixel-budget'
  | 'unsupported-encoding'
  | 'long-picture'
  | 'websocket'

/**
 * Where a file was found: as an entry or the content of a container, by its signature in a PDF or
 * any other data, or written in a text, as in base64.
 */
export type Within = 'zip' | 'gzip' | 'zlib' | 'tar' | 'pdf' | 'embedded' | 'text'

interface AnyFile {
  bytes: number
  /** Absent if the file is empty or has no certain end, or if digests are not needed. */
  digests?: Partial<FileDigests>
  /** Absent if the file was not found within another. */
  within?: Within
  /** What was found within it, in order; first what one decoder shows of it, if it is out of range. */
  inner?: ScannedFile[]
  /** Whether it is declared to be a text, but does not begin like JSON or a form. */
  isForeign?: boolean
}

/** An image that has been hashed, or an archive that has been read to its end. */
export interface ScannedContent extends AnyFile {
  coverage: 'scanned'
  /** `undefined`: the file is empty. */
  format: FileFormat | undefined
  /** Pixels; absent if it is not an image. */
  width?: number
  height?: number
  /** Empty if it is not an image, or too small to have a hash. */
  needles: Needle[]
  /** Whether a limit left out frames or probes, or rows are missing or broken. */
  isPartial: boolean
  /** Makes the needles of the wide set, for an image that nothing else matched. */
  widen?: () => Needle[]
}

export interface UnscannableFile extends AnyFile {
  coverage: 'unscannable'
  reason: UnscannableReason
  format?: FileFormat
  width?: number
  height?: number
  /** Entries of an archive that were skipped. */
  unscannableEntries?: number
}

/** A finished file, or one whose image is still to be decoded. Decode one at a time. */
export type Finished = ScannedFile | (() => Promise<ScannedFile>)

/** Finishes a file. */
export async function settle(file: Finished): Promise<ScannedFile> {
  return typeof file === 'function' ? file() : file
}

/** The same if there may turn out to be no file. */
export type FinishedInner = Finished | (() => Promise<ScannedFile | undefined>)

/** Finishes files, one after another: each has a library's memory for itself. */
export async function settleAll(files: readonly FinishedInner[]): Promise<ScannedFile[]> {
  const settled: ScannedFile[] = []
  for (const file of files) {
    const one = typeof file === 'function' ? await file() : file
    if (one) settled.push(one)
  }
  return settled
}

/** A file and all that was found within it, at any depth, in order. */
export function allFiles(file: ScannedFile): ScannedFile[] {
  return [file, ...(file.inner ?? []).flatMap(allFiles)]
}

/**
 * Why a file, or something within it, could not be scanned; `undefined` if it could. An entry of an
 * unknown format does not count: nearly every archive and document holds texts.
 */
export function problemOf(file: ScannedFile): UnscannableReason | undefined {
  const reasons = allFiles(file).flatMap((one) =>
    one.coverage === 'unscannable' && (one === file || one.reason !== 'unknown-format')
      ? [one.reason]
      : [],
  )
  return reasons.find((reason) => reason === 'ambiguous-archive') ?? reasons[0]
}

/** Needles of a file; none if it could not be scanned. */
export function needlesOf(file: ScannedFile): Needle[] {
  return file.coverage === 'scanned' ? file.needles : []
}
