/** Part of a picture, in pixels. */
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** How a frame is put on the canvas of an animation. */
export interface Placed {
  area: Area
  canvas: { width: number; height: number }
  /** Whether it is blended with the canvas, by its alpha. */
  blends: boolean
  /** Whether its area is cleared behind it. */
  isCleared: boolean
}

/** A picture that a viewer may show of a file. */
export interface LibraryPicture {
  /** A file of which the library decodes it. */
  file: () => Uint8Array
  /** The part that is displayed. */
  area?: Area
  placed?: Placed
}

/** What a library is to decode of a file, in order. */
export interface LibraryPlan {
  /** Largest size that anything in the file claims, in pixels: what a decoder may need memory for. */
  width: number
  height: number
  /** Exif orientation of the first picture. */
  orientation: number
  pictures: LibraryPicture[]
  profile?: Uint8Array
  /** Whether there are pictures that are not in the plan. */
  isPartial: boolean
}
