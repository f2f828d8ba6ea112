import * as v from 'valibot'
import { optionalGroup, wholeNumber } from '../../util/settings.ts'

/** When an entry matches so many uploads that it is probably wrong. */
export const FloodSettings = optionalGroup(
  {
    bound: v.optional(
      wholeNumber(
        0,
        10_000,
        'Distinct uploads that an entry may match in an hour before it counts as flooded. 0 for any number.',
      ),
      100,
    ),
    hours: v.optional(wholeNumber(1, 720, 'Hours for which the entry then counts as flooded.'), 24),
  },
  'When an entry matches so many uploads that it is probably wrong.',
)
export type FloodSettings = v.InferOutput<typeof FloodSettings>
