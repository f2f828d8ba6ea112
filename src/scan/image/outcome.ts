import type { ScannedContent, UnscannableFile, UnscannableReason } from '../scanned.ts'

/** What an image turned out to be. */
export type ImageOutcome =
  | HashedImage
  | Pick<UnscannableFile, 'coverage' | 'reason' | 'width' | 'height'>

export type HashedImage = ImageSize &
  Pick<ScannedContent, 'coverage' | 'needles' | 'isPartial' | 'widen'>

/** Pixels. */
export interface ImageSize {
  width: number
  height: number
}

/** The outcome of an image without needles. Zeros stand for an unknown size. */
export function unscannableImage(reason: UnscannableReason, size?: ImageSize): ImageOutcome {
  const isKnown = size !== undefined && size.width > 0
  return {
    coverage: 'unscannable',
    reason,
    ...(isKnown && { width: size.width, height: size.height }),
  }
}
