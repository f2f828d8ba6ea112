import * as v from 'valibot'
import { optionalGroup, textLike } from '../../util/settings.ts'

/** S3 uploads. */
export const S3Settings = optionalGroup(
  {
    region: v.optional(
      textLike(
        /^[a-z\d-]{1,32}$/,
        'must be a region such as eu-central-1, or auto',
        'Region that requests to the origin are signed for.',
      ),
      'auto',
    ),
  },
  'S3 uploads, which the secret `S3_CLIENT_KEYS` turns on: docs/resumable.md.',
)
export type S3Settings = v.InferOutput<typeof S3Settings>
