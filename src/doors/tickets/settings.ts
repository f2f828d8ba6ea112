import * as v from 'valibot'
import { corsOrigins, optionalGroup, textLike } from '../../util/settings.ts'

/** Uploads by ticket. */
export const TicketSettings = optionalGroup(
  {
    path: v.optional(
      textLike(
        /^(\/[\w.-]+)+$/,
        'must be a path such as /objects, without a slash at its end',
        'Path under which objects are uploaded.',
      ),
      '/objects',
    ),
    corsOrigins: v.optional(
      corsOrigins('Origins of pages on other hosts that may upload, or `*`.'),
      [],
    ),
  },
  'Uploads by ticket: docs/tickets.md.',
)
export type TicketSettings = v.InferOutput<typeof TicketSettings>
