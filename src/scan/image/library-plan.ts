import type { PageHead } from './pages.ts'

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
  /** Whether its colours count as multiplied with its alpha, whatever the format says. */
  isPremultiplied?: true
}

/** All items, or every n-th of them, as many as fit. The first is always there. */
export function thinnedOut<T>(items: readonly T[], fits: (some: readonly T[]) => boolean): T[] {
  for (let step = 1; step < items.length; step++) {
    const some = items.filter((_, i) => i % step === 0)
    if (fits(some)) return some
  }
  return items.slice(0, 1)
}

/**
 * What a library should decode from a file, in order. Its size is the largest one claimed anywhere in the file: a decoder may need memory for it. Its
 * orientation is that of the first picture.
 */
export interface LibraryPlan extends PageHead {
  pictures: LibraryPicture[]
  /** Whether the file has pictures that are not in the plan. */
  isPartial: boolean
}
