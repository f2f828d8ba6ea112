import * as v from 'valibot'
import { choice, described } from '../../util/settings.ts'
import { BadAnswerError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { SettingsOf } from './https/settings.ts'

/** Settings of Project VIC or CAID files, which a person imports. */
export const VicsSettingsSchema = {
  kind: v.literal('vics'),
  categories: described(
    v.record(v.pipe(v.string(), v.regex(/^\d{1,3}$/, 'must be a number')), v.string()),
    'The classification for each category number. Other categories are left out: their meaning differs by country.',
  ),
  mode: v.optional(
    choice(
      ['replace', 'append'],
      'Whether a file is the whole list, so that entries missing from it are removed.',
    ),
    'replace',
  ),
}

export type VicsSettings = SettingsOf<typeof VicsSettingsSchema>

/** A source that only the command line can read, from a file of gigabytes. */
export const IMPORTED: Exchange = {
  whoAmI: async () => ({ name: 'a file', can: ['read'] }),
  // oxlint-disable-next-line require-yield
  async *pages() {
    throw new BadAnswerError('the source', 'is a file: hashgate exchange import NAME FILE')
  },
}
