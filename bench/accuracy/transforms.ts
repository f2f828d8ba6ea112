// What happens to a picture between one upload and the next. Each transform gives a file: a JPEG of
// quality 85, unless it is about the format. Shares of borders and crops refer to the width and the
// height, opposite sides together: a border of 10 % adds 5 % on each of its sides, a crop of 10 %
// takes 5 % off each. Random choices (directions, words, colours) come from the given generator.

import type { SourceImage } from './pixels.ts'
import type { Families, Recipe, Transform } from './recipe.ts'
import type { Random } from './seeded.ts'
import { COMBINED } from './transforms/combined.ts'
import { FRAMES } from './transforms/frames.ts'
import { GEOMETRY } from './transforms/geometry.ts'
import { OVERLAYS } from './transforms/overlays.ts'
import { QUALITY } from './transforms/quality.ts'
import { SCREENS } from './transforms/screens.ts'

const ALL: Families = { ...QUALITY, ...GEOMETRY, ...FRAMES, ...OVERLAYS, ...COMBINED }

const MADE: readonly Transform[] = Object.entries(ALL).flatMap(([family, recipes]) =>
  Object.entries(recipes).map(([name, recipe]) => ({
    name,
    family,
    apply: (image: SourceImage, random: Random) => follow(recipe, image, random),
  })),
)

/** Family by family; names are unique. */
export const TRANSFORMS: readonly Transform[] = [...MADE, ...SCREENS]

async function follow(
  { edits, encode }: Recipe,
  { pixels }: SourceImage,
  random: Random,
): Promise<Uint8Array> {
  let now = pixels
  for (const edit of edits) now = await edit(now, random)
  return encode(now)
}
