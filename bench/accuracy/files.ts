import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Split } from './options.ts'
import { fnv1a } from './seeded.ts'

/** Folder of the photographs that reports take by default. */
export const CORPUS = new URL('../../../shared/corpus/photos', import.meta.url).pathname

const IMAGE = /\.(jpe?g|png|gif|webp|avif|bmp)$/i

/** Sorted paths of the images in a folder and its subfolders. */
export function imagesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => IMAGE.test(name))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .toSorted()
}

/**
 * Whether a file belongs to a half of the corpus: by a hash of its name, so that it stays there
 * when others are added.
 */
export function isOf(split: Split, path: string): boolean {
  if (split === 'all') return true
  return (fnv1a(basename(path)) % 2 === 0) === (split === 'tune')
}
