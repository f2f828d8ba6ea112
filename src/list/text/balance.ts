import { countOnes } from '../../util/hash.ts'
import { UnclearKindError } from '../errors.ts'

/**
 * Set bits of a PDQ hash. It compares 256 numbers with their median, so that half of them are above; equal numbers, as in a
 * blank picture, make it fewer. Measured: 150 of 151 pictures have exactly 128, the other one has quality 0. SHA-256 values
 * have 128 in one case of twenty (10,003 of 200,000; standard deviation 8).
 */
const PDQ_BITS = 128
/** Share of balanced hashes from which a list counts as PDQ. */
const PDQ_SHARE = 0.8

/** Tells PDQ hashes from SHA-256 digests by their set bits: not one by one, but of a whole list. */
export class BitBalance {
  total = 0
  /** Hashes that do not look like PDQ. */
  unlike = 0
  /** Where the first of these stands. */
  firstUnlike: string | undefined

  add(hash: Uint8Array, where: string): void {
    this.total++
    if (countOnes(hash) === PDQ_BITS) return
    this.unlike++
    this.firstUnlike ??= where
  }

  /** Whether the whole looks like a list of PDQ hashes. */
  get isPdq(): boolean {
    return this.total - this.unlike >= this.total * PDQ_SHARE
  }
}

/**
 * Checks that hashes of 64 digits are of the assumed kind.
 * @param unnamed hashes of no stated kind, taken for PDQ
 * @param sums lines of sha256sum, taken for SHA-256
 * @throws {UnclearKindError}
 */
export function checkBalance(unnamed: BitBalance, sums: BitBalance): void {
  if (unnamed.total > 0 && !unnamed.isPdq) {
    const { total, unlike, firstUnlike = '' } = unnamed
    throw new UnclearKindError(
      `${unlike} of ${total} hashes with 64 digits do not look like PDQ (the first: ${firstUnlike}); they may be SHA-256`,
    )
  }
  if (sums.total > 0 && sums.isPdq) {
    throw new UnclearKindError(
      `the list looks like output of sha256sum, but its ${sums.total} hashes with 64 digits look like PDQ`,
    )
  }
}
