import type { ImageCore } from '../../../core/image-core.ts'
import { type Frame, ImageDecoder, type Tones } from '../../../core/image.ts'
import type { Steps } from '../../../util/steps.ts'
import type { ScanBudget } from '../../budget.ts'
import { libraryMs } from '../../work.ts'
import { type Display, readColourBox, readDisplay } from '../item-properties.ts'
import type { Area } from '../library-plan.ts'
import type { PageEnd, Pages } from '../pages.ts'
import type { HeicImage, HeicLibrary } from './library.ts'
import { MAX_PIXELS, MAX_TILE_PIXELS } from './limits.ts'

/** The images of a HEIC file (ISO/IEC 23008-12) that it shows by themselves. */
export function readHeic(context: HeicContext): Pages {
  context.budget.spend(libraryMs('heic', { width: 0, height: 0 }))
  const found = context.library.images(context.file)
  if (typeof found === 'string') return { pages: [found], isPartial: false }
  const pages = found.images.map((image) => {
    const display = readDisplay(context.file, image.id)
    const { width, height } = image
    const space = readColourBox(context.file, image.id)
    const page = { width, height, orientation: display.orientation, ...(space && { space }) }
    return {
      page,
      decode: (onFrame: (frame: Frame) => void, tones: Tones | undefined) =>
        decodeImage(context, { image, display, ...(tones && { tones }) }, onFrame),
    }
  })
  return { pages, isPartial: found.isPartial }
}

/** What is needed to decode images. */
interface HeicContext {
  core: ImageCore
  budget: ScanBudget
  library: HeicLibrary
  file: Uint8Array
}

interface ShownImage {
  image: HeicImage
  display: Display
  tones?: Tones
}

/**
 * Decodes an image by rows of tiles, each in an instance of the library. Other tasks run in
 * between.
 */
function* decodeImage(
  context: HeicContext,
  { image, display: { area }, tones }: ShownImage,
  onFrame: (frame: Frame) => void,
): Steps<PageEnd> {
  const { width, height, channels, tileWidth, tileHeight } = image
  if (tileWidth * tileHeight > MAX_TILE_PIXELS || width * height > MAX_PIXELS)
    return 'over-pixel-budget'
  const whole = ImageDecoder.forPixels(context.core, { width, height, channels })
  const part = area && partDecoder(context.core, area, channels)
  if (tones) whole.setTones(tones)
  try {
    let y = 0
    for (let row = 0; row * tileHeight < height; row++) {
      if (row > 0) yield
      if (context.budget.isExhausted) return 'over-limit'
      context.budget.spend(libraryMs('heic', { width, height: tileHeight }))
      const failure = context.library.rows(context.file, image, row, (pixels) => {
        whole.push(pixels, ++y === height, onFrame)
        part?.push(pixels, y)
      })
      if (failure ?? whole.failure) return failure ?? whole.failure ?? 'damaged'
    }
    part?.end(onFrame)
    return { isPartial: false }
  } finally {
    whole.release()
    part?.release()
  }
}

/** Decodes the part of an image that is displayed. */
function partDecoder(core: ImageCore, area: Area, channels: 3 | 4) {
  const { x, y: top, width, height } = area
  const decoder = ImageDecoder.forPixels(core, { width, height, channels })
  let shown: Frame | undefined
  return {
    /** Takes the row with this number, from 1. */
    push(pixels: Uint8Array, y: number): void {
      const row = pixels.subarray(x * channels, (x + width) * channels)
      if (y > top && y <= top + height) decoder.push(row, false, (frame) => (shown = frame))
    },
    end(onFrame: (frame: Frame) => void): void {
      if (shown) onFrame(shown)
    },
    release: () => decoder.release(),
  }
}
