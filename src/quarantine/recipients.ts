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

/** Whether a text looks like a public key. That it is one, the quarantine sees: what knows keys is not in bundles without it. */
function isRecipient(text: string): boolean {
  return /^age1[a-z\d]{50,}$/i.test(text)
}

/** Whether a text holds a private key of age, which the Worker must never have. */
export function holdsIdentity(text: string): boolean {
  return /AGE-SECRET-KEY-|AGE-PLUGIN-/i.test(text)
}
