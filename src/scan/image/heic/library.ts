import type { UnscannableReason } from '../../scanned.ts'

/** An image of a HEIC file as stored: in tiles, or in one that covers all of it. */
export interface HeicImage {
  /** Number of its item. */
  id: number
  isPrimary: boolean
  width: number
  height: number
  tileWidth: number
  tileHeight: number
  /** RGB, or RGBA. */
  channels: 3 | 4
}

/** A decoder of HEIC. It keeps no memory between calls, so only one instance exists at a time. */
export interface HeicLibrary {
  /** Images that the file shows by themselves, the primary one first. `isPartial`: it has more, or a sequence. */
  images(file: Uint8Array): { images: HeicImage[]; isPartial: boolean } | UnscannableReason
  /**
   * Decodes a row of tiles. Passes on each row of pixels, valid until the next one. Returns why it
   * failed, if it did.
   */
  rows(
    file: Uint8Array,
    image: HeicImage,
    row: number,
    onRow: (pixels: Uint8Array) => void,
  ): UnscannableReason | undefined
}

/** `heic()` of `hashgate/heic`. */
export interface HeicFeature {
  readonly name: 'heic'
  readonly library: HeicLibrary
}
