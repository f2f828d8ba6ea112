import type { Hash256 } from '../../src/core/hash.ts'
import { readModules } from '../../src/core/node.ts'
import { DEFAULT_BANK_POLICY } from '../../src/list/manifest.ts'
import type { Needle, ScannedFile } from '../../src/scan/scanned.ts'
import { scanFile } from '../../src/scan/scanner.ts'

/** Each has the needles of those before it, and more. */
export const SETS = ['plain', 'default', 'wide'] as const
export type SetName = (typeof SETS)[number]

export interface SetNeedle {
  probe: string
  hash: Hash256
  quality: number
  /** The first set that has it. */
  set: SetName
  /** Largest distance of a match with an entry of a bank that is as banks are by default. */
  threshold: number
}

/** Largest distance of a match of the identity. */
export const THRESHOLD = DEFAULT_BANK_POLICY.threshold

const context = { modules: readModules(), withoutDigests: true }

/** What a list is asked about a file: nothing that is too vague to match. */
export interface Questions {
  needles: SetNeedle[]
  /** Makes the needles of the wide set, which are asked about where nothing matched. */
  widen?: () => SetNeedle[]
}

/** The product's questions about a file, by its sets up to one. */
export async function needlesOf(file: Uint8Array, largest: SetName): Promise<Questions> {
  const isWanted = ({ set, quality }: SetNeedle) =>
    quality >= DEFAULT_BANK_POLICY.minQuality && SETS.indexOf(set) <= SETS.indexOf(largest)
  return { needles: firstOf(await scanFile(context, file)).filter(isWanted) }
}

function firstOf(scanned: ScannedFile): SetNeedle[] {
  return scanned.coverage === 'scanned' ? scanned.needles.map(named) : []
}

function named({ probe, hash, quality, frame }: Needle): SetNeedle {
  const set = probe === 'identity' && frame === 0 ? 'plain' : 'default'
  return { probe, hash, quality, set, threshold: THRESHOLD }
}
