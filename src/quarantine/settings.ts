import * as v from 'valibot'
import { listOf, optionalGroup, wholeNumber } from '../util/settings.ts'
import { isRecipient, MAX_RECIPIENTS } from './recipients.ts'

const RECIPIENT_WORDS = 'must be an age public key (age1…), and nothing else'

/** What is kept of quarantined uploads. */
export const QuarantineSettings = optionalGroup(
  {
    recipients: v.optional(
      v.pipe(
        listOf(
          v.pipe(v.string(RECIPIENT_WORDS), v.check(isRecipient, RECIPIENT_WORDS)),
          'Public keys of age that can open what is quarantined. The Worker cannot.',
        ),
        v.maxLength(MAX_RECIPIENTS, `must have ${MAX_RECIPIENTS} keys at most`),
      ),
      [],
    ),
    days: v.optional(wholeNumber(1, 400, 'Days for which a quarantined upload is kept.'), 30),
  },
  'Quarantine: docs/quarantine.md.',
)
export type QuarantineSettings = v.InferOutput<typeof QuarantineSettings>
