import { countOnes, type Hash256 } from '../util/hash.ts'
import { type Bank, DEFAULT_BANK_POLICY, MAX_THRESHOLD } from '../list/manifest.ts'
import { isPatterned, type Needle, type Probe } from '../scan/scanned.ts'

/**
 * Largest distance at which a limited needle matches, in bits. `npm run bench -- limited` measures what other distances would
 * find and what they would match by mistake; docs/accuracy.md has the tables.
 */
export const LIMITED_THRESHOLDS: Readonly<Record<Limit, number>> = {
  pattern: 16,
  'low-quality': 16,
  blank: 0,
}

/**
 * Most bits by which a hash may differ from 128 ones. A bit is 1 if its amplitude is above the median, so 128 are, unless
 * amplitudes are equal. In a picture in one colour most are equal: its hash has 59 to 80 ones in the bench.
 */
const MAX_IMBALANCE = 16

/**
 * Probes that hash a file as programs show or hash it. An unchanged copy of a listed picture lies at distance 0 from one of
 * them, so these are never left out. The other probes guess what was done to a picture.
 */
const AS_IS: ReadonlySet<Probe> = new Set<Probe>([
  'identity',
  'displayed',
  'over-white',
  'displayed-over-white',
  'over-black',
  'alpha',
  'other-reading',
  'toned',
  'thumbnail',
  'nth-pixel',
  'full-size',
])

/** Largest distance at which a needle matches entries of a bank; `undefined`: it never does. */
export function thresholdOf(
  needle: Needle,
  bank: Pick<Bank, 'threshold' | 'minQuality'>,
): number | undefined {
  const cap = capOf(needle, bank.minQuality)
  if (cap === undefined) return undefined
  const threshold = Math.min(bank.threshold + needle.tolerance, cap)
  return threshold < 0 ? undefined : threshold
}

/**
 * Why a needle matches only very near entries: its hash says little about the picture, or (`blank`) nothing, because the
 * picture has one colour.
 */
export type Limit = 'pattern' | 'low-quality' | 'blank'

/** Why a match must be nearer than its bank's threshold: because of its needle, or because a publisher lowered its entry. */
export type MatchLimit = Limit | 'entry'

/** Whether a needle is what programs show or hash, and not a guess at what was done to a picture. */
export function isAsIs({ probe }: Pick<Needle, 'probe'>): boolean {
  return AS_IS.has(probe)
}

/** What the hash of a picture says about it. */
type Qualities = Pick<Needle, 'hash' | 'quality' | 'stretchedQuality' | 'weakBits'>

/** What limits a needle; `undefined` if nothing does. */
export function limitOf(needle: Qualities, minQuality: number): Limit | undefined {
  if (needle.quality === 0 && isUnbalanced(needle.hash)) return 'blank'
  if (needle.stretchedQuality < minQuality) return 'low-quality'
  return isPatterned(needle) ? 'pattern' : undefined
}

function isUnbalanced(hash: Hash256): boolean {
  return Math.abs(countOnes(hash) - 128) > MAX_IMBALANCE
}

/** Largest distance at which a needle may match, whatever its bank's threshold; `undefined`: it never matches. */
export function capOf(needle: Needle, minQuality: number): number | undefined {
  const limit = limitOf(needle, minQuality)
  if (!limit) return MAX_THRESHOLD
  return isAsIs(needle) ? LIMITED_THRESHOLDS[limit] : undefined
}

/**
 * Largest distance, within `threshold`, at which a needle matches an entry that a publisher lowered; `undefined`: it never
 * does. An entry lowered to a pattern's threshold matches only files as they are, not guesses.
 */
export function loweredThreshold(
  threshold: number,
  cap: number,
  needle: Pick<Needle, 'probe'>,
): number | undefined {
  if (cap <= LIMITED_THRESHOLDS.pattern && !isAsIs(needle)) return undefined
  return Math.min(threshold, cap)
}

/** How much the hash of an image says about it, and how near it must therefore lie to match. */
export interface NeedleFacts {
  /** 0 to 100. */
  quality: number
  limited?: Limit
  /** Largest distance at which it matches, in bits. */
  limitedTo?: number
  isPatterned?: true
}

/** The facts of a needle, by the default quality of banks. */
export function describeNeedle(needle: Qualities): NeedleFacts {
  const limited = limitOf(needle, DEFAULT_BANK_POLICY.minQuality)
  return {
    quality: needle.quality,
    ...(limited && { limited, limitedTo: LIMITED_THRESHOLDS[limited] }),
    ...(isPatterned(needle) && { isPatterned: true }),
  }
}
