import * as v from 'valibot'
import { choice, listOf, oneOf, optionalGroup, wholeNumber } from '../util/settings.ts'
import {
  FAMILY_NAMES,
  PROBE_SETS,
  type ProbeFamily,
  type ProbeSet,
  SET_NAMES,
} from './probes/sets.ts'

/** How images are scanned. */
export const ScanSettings = optionalGroup(
  {
    probes: v.optional(
      choice(
        SET_NAMES,
        'Which hashes of an image are looked up: plain PDQ alone, what the file shows, the usual edits as well, or large edits too.',
      ),
      'default',
    ),
    addFamilies: v.optional(
      listOf(oneOf(FAMILY_NAMES), 'Families of probes to use in addition to those of `probes`.'),
      [],
    ),
    dropFamilies: v.optional(listOf(oneOf(FAMILY_NAMES), 'Families of probes not to use.'), []),
    workSeconds: v.optional(
      wholeNumber(
        1,
        300,
        'Seconds of decoding, unpacking and probing that one upload may cause. Beyond it, the rest is unscannable.',
      ),
      15,
    ),
  },
  'How files are scanned.',
)
export type ScanSettings = v.InferOutput<typeof ScanSettings>

export function probesOf({ probes, addFamilies, dropFamilies }: ScanSettings): ProbeSet {
  const families = new Set<ProbeFamily>([...PROBE_SETS[probes], ...addFamilies])
  for (const family of dropFamilies) families.delete(family)
  return families
}
