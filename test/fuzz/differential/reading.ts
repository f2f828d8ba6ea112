import { lumaFromRgb } from '../../reference/pdq.ts'
import { areaAverage } from '../../support/area-average.ts'
import { hashPlane, type QualifiedPlane } from '../../support/hash-luma.ts'

/** What a program shows of a file: RGBA, not premultiplied, row-major. */
export interface Shown {
  width: number
  height: number
  pixels: Uint8Array
}

/** A program that shows files. */
export interface Reader {
  program: string
  /** What it shows of a file, at first; `undefined`: nothing. */
  read: (file: Uint8Array) => Promise<Shown | undefined>
}

/** Backgrounds that a picture is shown on. */
export type Background = 'white' | 'black'

/** Largest side of a plane that is hashed, in pixels. */
const MAX_SIDE = 512

export function isOpaque({ pixels }: Shown): boolean {
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 255) return false
  return true
}

/** Hash and quality of what a program shows on a background. */
export function readingOf(
  { width, height, pixels }: Shown,
  background: Background,
): QualifiedPlane {
  const under = background === 'white' ? 255 : 0
  const flat = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const share = (pixels[i * 4 + 3] ?? 0) / 255
    for (let c = 0; c < 3; c++) {
      flat[i * 3 + c] = Math.round(under + ((pixels[i * 4 + c] ?? 0) - under) * share)
    }
  }
  const luma = lumaFromRgb(flat, 3)
  if (width <= MAX_SIDE && height <= MAX_SIDE) return hashPlane(luma, width, height)
  return hashPlane(areaAverage(luma, [width, height]), MAX_SIDE, MAX_SIDE)
}
