import type { Findings } from './archive/findings.ts'
import type { FileFormat } from './format.ts'
import type { ImageOutcome } from './image/outcome.ts'
import { isEqual } from '../util/bytes.ts'
import { type Finished, type ScannedFile, settleAll } from './scanned.ts'

/** A file without anything to scan: an empty one, or a text. */
export const EMPTY = {
  coverage: 'scanned',
  format: undefined,
  bytes: 0,
  needles: [],
  isPartial: false,
} as const satisfies ScannedFile

/** A file has more in it than the limits allow to scan. */
export const OVER_LIMIT: ScannedFile = {
  coverage: 'unscannable',
  reason: 'over-limit',
  bytes: 0,
  within: 'embedded',
}

/** The outcome of an archive. The caller adds its bytes and the files in it. */
export function describeArchive(
  format: FileFormat,
  { problem, unscannableEntries }: Findings,
): ScannedFile {
  if (!problem) return { ...EMPTY, format }
  return {
    coverage: 'unscannable',
    reason: problem,
    format,
    bytes: 0,
    ...(unscannableEntries > 0 && { unscannableEntries }),
  }
}

/** An archive that a file also contains, besides what it begins as. */
export function archiveWithin(format: 'zip' | 'tar', findings: Findings): Finished {
  const archive = { ...describeArchive(format, findings), within: 'embedded' as const }
  if (findings.inner.length === 0) return archive
  return async () => ({ ...archive, inner: await settleAll(findings.inner) })
}

/** Whether an embedded image is the thumbnail of the image around it, and was hashed with it. */
export function isThumbnail(file: ScannedFile, image: ImageOutcome | undefined): boolean {
  if (image?.coverage !== 'scanned' || file.coverage !== 'scanned') return false
  const known = image.needles.find(({ probe }) => probe === 'thumbnail')?.hash
  const [needle] = file.needles
  return (
    file.within === 'embedded' &&
    known !== undefined &&
    needle !== undefined &&
    isEqual(known, needle.hash)
  )
}

/** Whether this is a TIFF that was found within a file and decoded. */
export function isReadTiff({ coverage, format, within }: ScannedFile): boolean {
  return coverage === 'scanned' && format === 'tiff' && within === 'embedded'
}

/**
 * Whether this may be part of a decoded TIFF: JPEG strips are incomplete files, since their tables
 * are elsewhere.
 */
export function isStrip(file: ScannedFile): boolean {
  const isBroken =
    file.coverage === 'unscannable' && (file.reason === 'damaged' || file.reason === 'truncated')
  return file.within === 'embedded' && file.format === 'jpeg' && isBroken
}
