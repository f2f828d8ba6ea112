import { bech32 } from '@scure/base'

/** Most keys that an object is sealed to: each takes a key agreement for every object. */
export const MAX_RECIPIENTS = 16

/** What a recipient must be, in words. */
export const RECIPIENT_WORDS = 'must be an age public key (age1…), and nothing else'

/**
 * Whether a text has the form, kind and checksum of a public key. Sealing checks the rest, but its
 * code is not in bundles without a quarantine.
 */
export function isRecipient(text: string): boolean {
  const key = bech32.decodeUnsafe(text, false) // some kinds of keys are longer than 90 characters
  return key !== undefined && /^age(1[a-z\d]+)?$/.test(key.prefix)
}

/** Whether a text holds a private key of age, which the Worker must never have. */
export function holdsIdentity(text: string): boolean {
  return /AGE-SECRET-KEY-|AGE-PLUGIN-/i.test(text)
}
