import { readModules } from '../../../src/core/node.ts'
import type { ScanContext } from '../../../src/scan/context.ts'
import { PROBE_SETS } from '../../../src/scan/probes/sets.ts'
import { needlesOf, allFiles, problemOf, type ScannedFile } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { distance } from '../../../src/util/hash.ts'
import type { QualifiedPlane } from '../../support/hash-luma.ts'
import { isOpaque, readingOf, type Shown } from './reading.ts'

/** Bits that readings of one picture may differ by. */
const SAME_BITS = 10
/** Quality from which on what a program shows counts as a picture. */
const MIN_QUALITY = 50

/**
 * What came of comparing a file with what a program shows: nothing to compare; near; a named reason of why it is not known; a
 * picture of which something is left out; or another picture, by how many bits.
 */
export type Comparison =
  | { kind: 'not-shown' | 'no-picture' | 'near' | 'partial' }
  | { kind: 'unscannable'; reason: string }
  | { kind: 'differs'; bits: number }

// Nothing is searched for texts: what is compared are the file's own pictures, and the search takes longer than they do.
const context: ScanContext = {
  ...{ modules: readModules(), probes: PROBE_SETS['as-is'], digestKinds: [] },
  limits: { encodings: 0 },
}

export function scan(file: Uint8Array): Promise<ScannedFile> {
  return scanFile(context, file)
}

/** Compares what was scanned with what a program shows. */
export function compare(scanned: ScannedFile, shown: Shown | undefined): Comparison {
  if (!shown) return { kind: 'not-shown' }
  const backgrounds = isOpaque(shown) ? (['white'] as const) : (['white', 'black'] as const)
  const readings = backgrounds.map((background) => readingOf(shown, background))
  const pictures = readings.filter(({ quality }) => quality >= MIN_QUALITY)
  if (pictures.length === 0) return { kind: 'no-picture' }
  const reason = problemOf(scanned)
  const bits = Math.max(...pictures.map((picture) => bitsFrom(scanned, picture)))
  if (bits <= SAME_BITS) return { kind: 'near' }
  if (reason) return { kind: 'unscannable', reason }
  const isPartial = allFiles(scanned).some((one) => one.coverage === 'scanned' && one.isPartial)
  return isPartial ? { kind: 'partial' } : { kind: 'differs', bits }
}

/** Bits from a picture to the nearest needle. */
function bitsFrom(scanned: ScannedFile, { hash }: QualifiedPlane): number {
  const needles = allFiles(scanned).flatMap((one) => needlesOf(one))
  return Math.min(256, ...needles.map((needle) => distance(needle.hash, hash)))
}
