import { toHex } from '../../util/bytes.ts'
import type { Bank } from '../../list/manifest.ts'
import type { Needle, ScannedFile } from '../../scan/scanned.ts'
import { isAsIs, limitOf, thresholdOf } from '../thresholds.ts'

/** Most needles of an image that a service is asked about. */
export const MAX_ASKED_NEEDLES = 8

/**
 * The needles of an image that a service is asked about, the most telling first: as stored, as programs show it, then what it
 * may have been made from, in the order of the scan. A picture in one colour has no such needles: all of them share a hash.
 */
export function needlesToAsk(
  file: ScannedFile,
  bank: Pick<Bank, 'threshold' | 'minQuality'>,
): Needle[] {
  if (file.coverage !== 'scanned') return []
  const useful = file.needles.filter(
    (needle) =>
      thresholdOf(needle, bank) !== undefined && limitOf(needle, bank.minQuality) !== 'blank',
  )
  const inOrder = useful.toSorted((a, b) => rankOf(a) - rankOf(b))
  const byHash = new Map(inOrder.toReversed().map((needle) => [toHex(needle.hash), needle]))
  return inOrder
    .filter((needle) => byHash.get(toHex(needle.hash)) === needle)
    .slice(0, MAX_ASKED_NEEDLES)
}

function rankOf(needle: Needle): number {
  if (needle.probe === 'identity' && needle.frame === 0) return 0
  return isAsIs(needle) ? 1 : 2
}

/**
 * As many needles of each image as fit into one call: the first of all images, then the second of all, and so on. An image
 * without a needle in the call is not asked about.
 */
export function fitInOneCall(images: readonly (readonly Needle[])[], max: number): Needle[][] {
  const fitting: Needle[][] = images.map(() => [])
  let left = max
  for (let turn = 0; turn < MAX_ASKED_NEEDLES; turn++) {
    for (const [i, needles] of images.entries()) {
      const needle = needles[turn]
      if (needle && left-- > 0) fitting[i]?.push(needle)
    }
  }
  return fitting
}
