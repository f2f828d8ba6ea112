import type { Frame } from '../../core/image.ts'
import type { Steps } from '../../util/steps.ts'
import type { UnscannableReason } from '../scanned.ts'

/** What is known of a picture of a file before it is decoded. */
export interface PageHead {
  width: number
  height: number
  orientation: number
  profile?: Uint8Array | undefined
}

export type PageEnd = { isPartial: boolean } | UnscannableReason

/** Pictures of a file, each to be decoded when it is asked for. */
export interface Pages {
  pages: (
    | UnscannableReason
    | { page: PageHead; decode: (onFrame: (frame: Frame) => void) => Steps<PageEnd> }
  )[]
  /** Whether there are more than are decoded. */
  isPartial: boolean
}
