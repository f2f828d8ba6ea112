import type { Plane, QualifiedHash } from '../../core/plane.ts'
import type { Needle } from '../scanned.ts'
import { type Family, FIRST_FAMILIES, type Probed, WIDE_FAMILIES } from './families.ts'
import { FIRST_NAMES, type ProbeSet, WIDE_NAMES } from './sets.ts'
import { sureBits } from './sure-bits.ts'
import { mostTolerance } from './tolerances.ts'
import { pointsOf, TRANSPOSES, type View } from './view.ts'

const FAMILIES = { ...FIRST_FAMILIES, ...WIDE_FAMILIES }

/**
 * Needles of the pictures that a picture may have been made from, by all active families of a
 * stage.
 */
export function probeViews(
  probed: Probed,
  stage: 'first' | 'wide',
  set: ProbeSet,
  frame: number,
): Needle[] {
  const names = stage === 'first' ? FIRST_NAMES : WIDE_NAMES
  return names
    .filter((probe) => set.has(probe))
    .flatMap((probe) => {
      const { views, tolerance = 0, isInverted = false }: Family = FAMILIES[probe]
      return views(probed).map((view): Needle => {
        const points = pointsOf(probed.plane, view, probed.aspect)
        const found = probed.plane.hash(points)
        const hash = isInverted ? complementOf(found) : found
        return Object.assign(hash, {
          probe,
          tolerance: Math.min(view.tolerance ?? tolerance, mostTolerance(probe, hash.quality)),
          frame,
          ...sureBitsOf(probed.plane, view),
        })
      })
    })
}

/** The bits of the view that was just hashed that count, if part of it is guessed. */
function sureBitsOf(plane: Plane, { guessed, dihedral = 0 }: View): Pick<Needle, 'sure'> {
  if (!guessed) return {}
  const { columns, rows } = guessed
  const turned = dihedral & TRANSPOSES ? { columns: rows, rows: columns } : guessed
  return { sure: sureBits(plane.amplitudes(), turned) }
}

/**
 * Hash of the picture with black and white swapped: its amplitudes are negated, so each bit is
 * inverted.
 */
export function complementOf({ hash, ...rest }: QualifiedHash): QualifiedHash {
  return { hash: hash.map((byte) => ~byte), ...rest }
}
