import { scene } from '../../../test/support/scene.ts'
import { type Edit, open, type Pixels, place, resizeTo, settle } from '../pixels.ts'
import type { Random } from '../seeded.ts'

/** White lines between the pictures, in pixels. */
const GAP = 4

/** The picture, half as large, in a grid at a seeded place; the others are made up, of the same size. */
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

/** Something like a photograph: a small scene, enlarged. */
function madeUp(width: number, height: number, random: Random): Promise<Pixels> {
  const seed = Math.floor(random() * 2 ** 31)
  const small = scene(Math.ceil(width / 4), Math.ceil(height / 4), 3, seed)
  return settle(open(small).resize(width, height, { fit: 'fill', kernel: 'cubic' }))
}
