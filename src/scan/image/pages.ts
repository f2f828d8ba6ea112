import type { Frame } from '../../core/image.ts'
import type { Steps } from '../../util/steps.ts'
import type { UnscannableReason } from '../scanned.ts'

/** What is known about a picture of a file before decoding it. */
export interface PageHead {
  width: number
  height: number
  orientation: number
  profile?: Uint8Array | undefined
}

export type PageEnd = { isPartial: boolean } | UnscannableReason

/** Decodes a picture. Channels go through its profile's curve, if it is given. */
export type PageDecode = (
  onFrame: (frame: Frame) => void,
  curve: Float32Array | undefined,
) => Steps<PageEnd>

/** Pictures of a file, each decoded on request. */
export interface Pages {
  pages: (UnscannableReason | { page: PageHead; decode: PageDecode })[]
  /** Whether the file has more than are decoded. */
  isPartial: boolean
}
