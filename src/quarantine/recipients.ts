/** Most keys that an object is sealed to: each is a key agreement for every object. */
export const MAX_RECIPIENTS = 16

/** What a recipient must be, in words. */
export const RECIPIENT_WORDS = 'must be an age public key (age1…), and nothing else'

/** Whether a text looks like a public key. That it is one, the quarantine sees: what knows keys is not in bundles without it. */
export function isRecipient(text: string): boolean {
  return /^age1[a-z\d]{50,}$/i.test(text)
}

/** Whether a text holds a private key of age, which the Worker must never have. */
export function holdsIdentity(text: string): boolean {
  return /AGE-SECRET-KEY-|AGE-PLUGIN-/i.test(text)
}
