import * as v from 'valibot'
import { MAX_LIST_ENTRIES } from '../list/manifest.ts'
import { choice, optionalGroup, wholeNumber } from '../util/settings.ts'

/** How the published list is kept in memory and up to date. */
export const ListSettings = optionalGroup(
  {
    refreshSeconds: v.optional(
      wholeNumber(
        1,
        86_400,
        'Seconds after which the Worker looks for a new version of the list. KV may answer with a copy that is up to 30 seconds old.',
      ),
      60,
    ),
    maxAgeSeconds: v.optional(
      wholeNumber(
        60,
        86_400,
        'Seconds after which a list that has not been confirmed as the latest is stale.',
      ),
      3600,
    ),
    onStale: v.optional(
      choice(
        ['use', 'fail'],
        'What to do with a stale list: use it and report it, or treat it as missing.',
      ),
      'use',
    ),
    onMissing: v.optional(
      choice(
        ['fail', 'remote'],
        'What to do before a list is published: fail, or judge by `remote.banks` alone. Set it back to `fail` when you publish the first list.',
      ),
      'fail',
    ),
    maxEntries: v.optional(
      wholeNumber(
        1,
        5 << 20,
        'Most perceptual hashes that an isolate holds, 16 bytes each. For longer lists, bind `LIST_SHARDS`.',
      ),
      MAX_LIST_ENTRIES,
    ),
    maxTableEntries: v.optional(
      wholeNumber(
        0,
        5 << 18,
        'Longest list, in perceptual hashes, for which tables are built. They make searches faster and take 46 more bytes a hash. 0 for no tables.',
      ),
      1 << 20,
    ),
  },
  'How the published list is held and refreshed.',
)
export type ListSettings = v.InferOutput<typeof ListSettings>

/** Conflicts between settings of the list. */
export function listProblems({ maxAgeSeconds, refreshSeconds }: ListSettings): string[] {
  return maxAgeSeconds < refreshSeconds
    ? ['list.maxAgeSeconds must be at least list.refreshSeconds']
    : []
}
