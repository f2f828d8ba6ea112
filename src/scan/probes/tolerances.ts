// Made by `npm run bench -- false-matches --probes wide --distractors DIR --pieces PIECES --write`,
// from 12,518 pictures: do not edit.

/** SHA-256 of needles of made-up pictures (test/support/needles-digest.ts) at that time. */
export const MEASURED_NEEDLES = 'c64b4e848f5ebb51512cb7190259331e97cd0ee1505ff4f2106903a57bcc0d76'

/**
 * Most bits that a probe may add to a bank's threshold, for needles of quality 80 and more and for
 * others: with one more, an unrelated picture of the bench would match.
 */
export const MOST_TOLERANCES: Readonly<Record<string, readonly [clear: number, others: number]>> = {
  'full-size': [18, 26], // nearest: 50, 58
  mirrors: [4, 8], // nearest: 36, 40
  bars: [12, 14], // nearest: 44, 46
  edges: [20, 30], // nearest: 52, 62
  crops: [14, 24], // nearest: 46, 56
  shifts: [8, 18], // nearest: 40, 50
  turns: [12, 24], // nearest: 44, 56
  corners: [18, 24], // nearest: 50, 56
  covers: [20, 26], // nearest: 52, 58
  'larger-crops': [0, 0], // nearest: 26, 24
  'larger-shifts': [22, 24], // nearest: 54, 56
  'larger-turns': [16, 10], // nearest: 48, 42
  pages: [10, 18], // nearest: 42, 50
  pieces: [20, 16], // nearest: 52, 48
  'mirrored-crops': [18, 24], // nearest: 50, 56
  'mirrored-shifts': [18, 20], // nearest: 50, 52
  'inverted-mirrors': [12, 16], // nearest: 44, 48
  aspects: [8, 0], // nearest: 40, 26
  'mirrored-bars': [12, 16], // nearest: 44, 48
}

/** Quality from which a needle is clear. */
const CLEAR_QUALITY = 80

export function mostTolerance(probe: string, quality: number): number {
  return MOST_TOLERANCES[probe]?.[quality >= CLEAR_QUALITY ? 0 : 1] ?? 0
}
