import type { Frame, Tones } from '../../core/image.ts'
import type { Steps } from '../../util/steps.ts'
import type { UnscannableReason } from '../scanned.ts'
import type { ColourSpace } from './colour-space.ts'

/** What is known about a picture of a file before decoding it. */
export interface PageHead {
  width: number
  height: number
  orientation: number
  space?: ColourSpace | undefined
}

export type PageEnd = { isPartial: boolean } | UnscannableReason

/** Decodes a picture, and what programs show for its values, if that is given. */
export type PageDecode = (
  onFrame: (frame: Frame) => void,
  tones: Tones | undefined,
) => Steps<PageEnd>

/** Pictures of a file, each decoded on request. */
export interface Pages {
  pages: (UnscannableReason | { page: PageHead; decode: PageDecode })[]
  /** Whether the file has more than are decoded. */
  isPartial: boolean
}
