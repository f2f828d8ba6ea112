import { type Encode, jpeg } from './encode.ts'
import type { Edit, SourceImage } from './pixels.ts'
import type { Random } from './seeded.ts'

/** The edits of a picture, in order, and how the file is written. */
export interface Recipe {
  edits: readonly Edit[]
  encode: Encode
}

/** Recipes by family and name. */
export type Families = Readonly<Record<string, Readonly<Record<string, Recipe>>>>

/** What happens to a picture between one upload and the next. */
export interface Transform {
  name: string
  family: string
  /** Returns the file to upload; `undefined` if it must be rendered first, and was not. */
  apply(image: SourceImage, random: Random): Promise<Uint8Array | undefined>
}

/** Edits, and a JPEG as services write it. */
export function edited(...edits: readonly Edit[]): Recipe {
  return { edits, encode: jpeg(85) }
}

export function encoded(encode: Encode, ...edits: readonly Edit[]): Recipe {
  return { edits, encode }
}

/** A recipe for each of several values. */
export function forEach<T>(
  values: readonly T[],
  recipe: (value: T) => readonly [name: string, recipe: Recipe],
): Record<string, Recipe> {
  return Object.fromEntries(values.map(recipe))
}
