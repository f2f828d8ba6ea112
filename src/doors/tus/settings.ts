import * as v from 'valibot'
import { corsOrigins, optionalGroup, pathOrEmpty } from '../../util/settings.ts'

/** Uploads by the tus protocol. */
export const TusSettings = optionalGroup(
  {
    path: v.optional(pathOrEmpty('Path under which uploads arrive. Empty for none.'), ''),
    originPath: v.optional(
      pathOrEmpty(
        'Path of the origin to which complete uploads are sent by POST. If empty, the same as `path`.',
      ),
      '',
    ),
    corsOrigins: v.optional(
      corsOrigins('Origins of pages on other hosts that may upload, or `*`.'),
      [],
    ),
  },
  'Uploads by the tus protocol: docs/resumable.md.',
)
export type TusSettings = v.InferOutput<typeof TusSettings>
