// Made by `npm run bench -- false-matches --probes wide --distractors DIR --write`, from 6,083
// pictures: do not edit.

/** SHA-256 of needles of made-up pictures (test/support/needles-digest.ts) at that time. */
export const MEASURED_NEEDLES = 'c64b4e848f5ebb51512cb7190259331e97cd0ee1505ff4f2106903a57bcc0d76'

/**
 * Most bits that a probe may add to a bank's threshold, for needles of quality 80 and more and for
 * others: with one more, an unrelated picture of the bench would match.
 */
export const MOST_TOLERANCES: Readonly<Record<string, readonly [clear: number, others: number]>> = {
  'full-size': [18, 18], // nearest: 50, 50
  mirrors: [4, 14], // nearest: 36, 46
  bars: [14, 14], // nearest: 46, 46
  edges: [8, 32], // nearest: 40, 64
  crops: [12, 12], // nearest: 44, 44
  shifts: [8, 14], // nearest: 40, 46
  turns: [12, 12], // nearest: 44, 44
  corners: [18, 24], // nearest: 50, 56
  covers: [14, 24], // nearest: 46, 56
  'larger-crops': [0, 0], // nearest: 24, 21
  'larger-shifts': [16, 14], // nearest: 48, 46
  'larger-turns': [16, 8], // nearest: 48, 40
  pages: [12, 16], // nearest: 44, 48
  pieces: [14, 14], // nearest: 46, 46
  'mirrored-crops': [18, 28], // nearest: 50, 60
  'mirrored-shifts': [14, 20], // nearest: 46, 52
  'inverted-mirrors': [14, 16], // nearest: 46, 48
  aspects: [0, 4], // nearest: 31, 36
  'mirrored-bars': [12, 14], // nearest: 44, 46
}

/** Quality from which a needle is clear. */
const CLEAR_QUALITY = 80

export function mostTolerance(probe: string, quality: number): number {
  return MOST_TOLERANCES[probe]?.[quality >= CLEAR_QUALITY ? 0 : 1] ?? 0
}
