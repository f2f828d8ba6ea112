// Made by `npm run bench -- false-matches --probes wide --distractors DIR --write`, from 356
// pictures: do not edit.

/** SHA-256 of needles of made-up pictures (test/support/needles-digest.ts) at that time. */
export const MEASURED_NEEDLES = 'c64b4e848f5ebb51512cb7190259331e97cd0ee1505ff4f2106903a57bcc0d76'

/**
 * Most bits that a probe may add to a bank's threshold, for needles of quality 80 and more and for
 * others: with one more, an unrelated picture of the bench would match.
 */
export const MOST_TOLERANCES: Readonly<Record<string, readonly [clear: number, others: number]>> = {
  'full-size': [42, 54], // nearest: 74, 86
  mirrors: [50, 54], // nearest: 82, 86
  bars: [46, 42], // nearest: 78, 74
  edges: [42, 58], // nearest: 74, 90
  crops: [44, 54], // nearest: 76, 86
  shifts: [28, 34], // nearest: 60, 66
  turns: [46, 54], // nearest: 78, 86
  corners: [42, 54], // nearest: 74, 86
  covers: [40, 54], // nearest: 72, 86
  'larger-crops': [26, 40], // nearest: 58, 72
  'larger-shifts': [46, 46], // nearest: 78, 78
  'larger-turns': [46, 56], // nearest: 78, 88
  pages: [46, 56], // nearest: 78, 88
  pieces: [46, 52], // nearest: 78, 84
  'mirrored-crops': [56, 58], // nearest: 88, 90
  'mirrored-shifts': [46, 58], // nearest: 78, 90
  'inverted-mirrors': [52, 52], // nearest: 84, 84
  aspects: [30, 36], // nearest: 62, 68
  'mirrored-bars': [48, 42], // nearest: 80, 74
}

/** Quality from which a needle is clear. */
const CLEAR_QUALITY = 80

export function mostTolerance(probe: string, quality: number): number {
  return MOST_TOLERANCES[probe]?.[quality >= CLEAR_QUALITY ? 0 : 1] ?? 0
}
