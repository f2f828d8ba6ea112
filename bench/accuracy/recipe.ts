import { type Encode, jpeg } from './encode.ts'
import type { Edit, SourceImage } from './pixels.ts'
import type { Random } from './seeded.ts'

/** What is done to a picture, in order, and how the file is written. */
export interface Recipe {
  edits: readonly Edit[]
  encode: Encode
}

/** Recipes by family and by name. */
export type Families = Readonly<Record<string, Readonly<Record<string, Recipe>>>>

/** What is done to a picture between one upload and the next. */
export interface Transform {
  name: string
  family: string
  /** Gives the file that is uploaded; `undefined` if it has to be rendered, and was not. */
  apply(image: SourceImage, random: Random): Promise<Uint8Array | undefined>
}

/** Edits, and a JPEG as services make it. */
export function edited(...edits: readonly Edit[]): Recipe {
  return { edits, encode: jpeg(85) }
}

export function encoded(encode: Encode, ...edits: readonly Edit[]): Recipe {
  return { edits, encode }
}

/** Recipes for each of some values. */
export function forEach<T>(
  values: readonly T[],
  recipe: (value: T) => readonly [name: string, recipe: Recipe],
): Record<string, Recipe> {
  return Object.fromEntries(values.map(recipe))
}
