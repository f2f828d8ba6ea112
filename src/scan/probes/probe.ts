import type { Needle } from '../scanned.ts'
import { type Family, FIRST_FAMILIES, type Probed, WIDE_FAMILIES } from './families.ts'
import { FIRST_NAMES, type ProbeSet, WIDE_NAMES } from './sets.ts'
import { pointsOf } from './view.ts'

const FAMILIES = { ...FIRST_FAMILIES, ...WIDE_FAMILIES }

/** Needles of the pictures that one may have been made of, by all families of a stage that are on. */
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
      const { views, tolerance = 0 }: Family = FAMILIES[probe]
      return views(probed).map((view): Needle => {
        const points = pointsOf(probed.plane, view, probed.aspect)
        return Object.assign(probed.plane.hash(points), { probe, tolerance, frame })
      })
    })
}
