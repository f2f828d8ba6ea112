import { type Encode, jpeg } from './encode.ts'
import type { Edit } from './pixels.ts'

/** The edits of a picture, in order, and how the file is written. */
export interface Recipe {
  edits: readonly Edit[]
  encode: Encode
}

/** Recipes by family and name. */
export type Families = Readonly<Record<string, Readonly<Record<string, Recipe>>>>

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
