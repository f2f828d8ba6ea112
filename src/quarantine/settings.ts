import * as v from 'valibot'
import { listOf, optionalGroup, wholeNumber } from '../util/settings.ts'
import { isRecipient, MAX_RECIPIENTS, RECIPIENT_WORDS } from './recipients.ts'

/** What is kept of quarantined uploads. */
export const QuarantineSettings = optionalGroup(
  {
    recipients: v.optional(
      v.pipe(
        listOf(
          v.pipe(v.string(RECIPIENT_WORDS), v.check(isRecipient, RECIPIENT_WORDS)),
          'Public keys of age that quarantined uploads are sealed to. Only the holders of their private keys can open them; the Worker cannot.',
        ),
        v.maxLength(MAX_RECIPIENTS, `must have at most ${MAX_RECIPIENTS} keys`),
      ),
      [],
    ),
    days: v.optional(wholeNumber(1, 400, 'Days for which a quarantined upload is kept.'), 30),
  },
  'Quarantine: docs/quarantine.md.',
)
export type QuarantineSettings = v.InferOutput<typeof QuarantineSettings>
