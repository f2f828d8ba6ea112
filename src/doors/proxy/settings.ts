import * as v from 'valibot'
import { optionalGroup, ServerUrl, textLike, wholeNumber } from '../../util/settings.ts'

/** The variable ORIGIN_URL. */
export const OriginUrl = ServerUrl

/** The server behind the gate. */
export const OriginSettings = optionalGroup(
  {
    timeoutSeconds: v.optional(
      wholeNumber(
        1,
        120,
        'Seconds that the origin may take to accept a request, and again to answer it. While it reads a body from the bucket, it is not late.',
      ),
      100,
    ),
  },
  'The server that allowed uploads go to. Its address is the variable `ORIGIN_URL`.',
)
export type OriginSettings = v.InferOutput<typeof OriginSettings>

/** The health check. */
export const HealthSettings = optionalGroup(
  {
    path: v.optional(
      textLike(
        /^(\/[^?#]*)?$/,
        'must be a path that begins with /, or empty',
        'Path where GET reports the state of the list, without any secret. Requests to it never reach the origin. Empty for none.',
      ),
      '/healthz',
    ),
  },
  'The health check.',
)
export type HealthSettings = v.InferOutput<typeof HealthSettings>
