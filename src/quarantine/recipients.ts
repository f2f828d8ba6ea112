import { bech32 } from '@scure/base'

/** Most keys that an object is sealed to: each is a key agreement for every object. */
const MAX_RECIPIENTS = 16

/** What QUARANTINE_RECIPIENTS must be, in words. */
export const RECIPIENTS_WORDS = `must list 1 to ${MAX_RECIPIENTS} age public keys (age1…) with commas between, and nothing else`

/**
 * Reads age recipients with commas between: X25519 (`age1…`), or post-quantum and hardware ones (`age1pq1…`, `age1tag1…`).
 * None for an empty text; `undefined` if there is anything else, above all an identity.
 */
export function parseRecipients(text: string): string[] | undefined {
  if (text.trim() === '') return []
  const recipients = [...new Set(text.split(',').map((part) => part.trim()))]
  if (recipients.length > MAX_RECIPIENTS || !recipients.every(isRecipient)) return undefined
  return recipients
}

/**
 * Whether a text is a public key by its form, kind and checksum. What seals to it sees the rest, and is not in bundles without a
 * quarantine.
 */
function isRecipient(text: string): boolean {
  const key = bech32.decodeUnsafe(text, false) // of some kinds, keys are longer than 90 characters
  return key !== undefined && /^age(1[a-z\d]+)?$/.test(key.prefix)
}

/** Whether a text holds a private key of age, which the Worker must never have. */
export function holdsIdentity(text: string): boolean {
  return /AGE-SECRET-KEY-|AGE-PLUGIN-/i.test(text)
}
