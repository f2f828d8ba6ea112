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
        'Seconds in which the origin must take what it is sent, and then answer.',
      ),
      100,
    ),
  },
  'The server that allowed uploads go to. Its address is the variable `ORIGIN_URL`.',
)
export type OriginSettings = v.InferOutput<typeof OriginSettings>

/** What tells how the gate is. */
export const HealthSettings = optionalGroup(
  {
    path: v.optional(
      textLike(
        /^(\/[^?#]*)?$/,
        'must be a path that begins with /, or empty',
        'Path at which GET tells how the list stands, without any secret. The origin is not reached there. Empty for none.',
      ),
      '/healthz',
    ),
  },
  'The health check.',
)
export type HealthSettings = v.InferOutput<typeof HealthSettings>
