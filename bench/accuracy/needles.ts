import type { Hash256 } from '../../src/util/hash.ts'
import { readModules } from '../../src/core/node.ts'
import { DEFAULT_BANK_POLICY } from '../../src/list/manifest.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { capOf } from '../../src/match/thresholds.ts'
import type { Needle } from '../../src/scan/scanned.ts'
import { scanFile } from '../../src/scan/scanner.ts'

/** Each set has the needles of those before it, and more. */
export const SETS = ['plain', 'default', 'wide'] as const
export type SetName = (typeof SETS)[number]

export interface SetNeedle {
  probe: string
  hash: Hash256
  /** Bits that count, if not all do. */
  sure?: Hash256
  quality: number
  /** The first set that includes it. */
  set: SetName
  /** Largest distance at which it matches an entry of a bank with default settings. */
  threshold: number
}

/** Largest distance at which the identity matches. */
export const THRESHOLD = DEFAULT_BANK_POLICY.threshold

const modules = readModules()

/** Needles that a list is queried with for a file, without those too vague to match. */
export interface Questions {
  needles: SetNeedle[]
  /** Makes the needles of the wide set, which are used if nothing matched. */
  widen?: () => SetNeedle[]
}

/** The product's needles for a file, by set, up to a given one. */
export async function needlesOf(file: Uint8Array, largest: SetName): Promise<Questions> {
  const context = { modules, digestKinds: [], probes: PROBE_SETS[largest] }
  const scanned = await scanFile(context, file)
  if (scanned.coverage !== 'scanned') return { needles: [] }
  const { needles, widen } = scanned
  return {
    needles: needles.flatMap((needle) => named(needle, firstSet(needle))),
    ...(widen && { widen: () => wideOf(widen()) }),
  }
}

function wideOf(needles: readonly Needle[]): SetNeedle[] {
  return needles.flatMap((needle) => named(needle, 'wide'))
}

function firstSet({ probe, frame }: Needle): SetName {
  return probe === 'identity' && frame === 0 ? 'plain' : 'default'
}

/** A needle as it is queried; empty if it never matches. */
function named(needle: Needle, set: SetName): SetNeedle[] {
  const { probe, hash, sure, quality, tolerance } = needle
  const cap = capOf(needle, DEFAULT_BANK_POLICY.minQuality)
  if (cap === undefined) return []
  const threshold = Math.min(THRESHOLD + tolerance, cap)
  return [{ probe, hash, ...(sure && { sure }), quality, set, threshold }]
}
