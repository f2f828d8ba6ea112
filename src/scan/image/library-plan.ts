import type { ColourSpace } from './colour-space.ts'

/** Part of a picture, in pixels. */
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** How a frame is drawn on the canvas of an animation. */
export interface Placed {
  area: Area
  canvas: { width: number; height: number }
  /** Whether its alpha blends it with the canvas. */
  blends: boolean
  /** Whether its area is cleared afterwards. */
  isCleared: boolean
}

/** A picture that a viewer may show of a file. */
export interface LibraryPicture {
  /** A file from which the library decodes it. */
  file: () => Uint8Array
  /** Its frame of VP8, if it is a lossy WebP. */
  vp8?: Uint8Array
  /** The part that is displayed. */
  area?: Area
  placed?: Placed
}

/** What a library should decode from a file, in order. */
export interface LibraryPlan {
  /** Largest size claimed anywhere in the file, in pixels: a decoder may need memory for it. */
  width: number
  height: number
  /** Exif orientation of the first picture. */
  orientation: number
  pictures: LibraryPicture[]
  space?: ColourSpace
  /** Whether the file has pictures that are not in the plan. */
  isPartial: boolean
}
