import { scene } from '../../../test/support/scene.ts'
import { type Edit, open, type Pixels, place, resizeTo, settle } from '../pixels.ts'
import { between, type Random } from '../seeded.ts'

/** White lines between the pictures, in pixels. */
const GAP = 4

/**
 * The picture, half as large, at a seeded place in a grid; the others are generated, of the same
 * size.
 */
export function collage(columns: number, rows: number): Edit {
  return async (pixels, random) => {
    const shown = await resizeTo(pixels, pixels.width / 2, pixels.height / 2)
    const { width, height } = shown
    const own = Math.floor(random() * columns * rows)
    const pictures = Array.from({ length: columns * rows }, async (_, i) => ({
      pixels: i === own ? shown : await madeUp(width, height, random),
      left: (i % columns) * (width + GAP),
      top: Math.floor(i / columns) * (height + GAP),
    }))
    const sheet = {
      width: columns * (width + GAP) - GAP,
      height: rows * (height + GAP) - GAP,
      background: 'white',
    }
    return place(sheet, await Promise.all(pictures))
  }
}

/** The picture, 55 to 75 % as wide, over another one that shows on all sides. */
export const inAnother: Edit = async (pixels, random) => {
  const { width, height } = pixels
  const behind = await madeUp(width, height, random)
  const share = between(random, 0.55, 0.75)
  const shown = await resizeTo(pixels, width * share, height * share)
  const left = between(random, 0.05, 0.95 - share) * width
  const top = between(random, 0.05, 0.95 - share) * height
  return place({ width, height, background: 'black' }, [
    { pixels: behind, left: 0, top: 0 },
    { pixels: shown, left, top },
  ])
}

/** Something like a photograph: a small scene, enlarged. */
function madeUp(width: number, height: number, random: Random): Promise<Pixels> {
  const seed = Math.floor(random() * 2 ** 31)
  const small = scene(Math.ceil(width / 4), Math.ceil(height / 4), 3, seed)
  return settle(open(small).resize(width, height, { fit: 'fill', kernel: 'cubic' }))
}
