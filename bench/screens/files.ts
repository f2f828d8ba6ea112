import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { isOf } from '../accuracy/files.ts'
import { fnv1a } from '../accuracy/seeded.ts'
import { type Layout, type ScreenKind, type Theme, VARIANTS } from './layouts.ts'

/**
 * Where screenshots are kept: outside the repository, since they show other people's photographs.
 */
export const SCREENS_FOLDER =
  process.env['HASHGATE_SCREENS'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hashgate-screens')

/** The variant that shows a photograph: one of those for its half of the corpus. */
export function layoutFor(name: string, kind: ScreenKind, theme: Theme): Layout {
  const half = isOf('tune', name) ? 0 : 1
  const variant = 2 * (fnv1a(`${name}\n${kind}\n${theme}`) % (VARIANTS / 2)) + half
  return { kind, theme, variant }
}

/** Path of the screenshot of a photograph. */
export function screenPath(name: string, { kind, theme, variant }: Layout): string {
  return join(SCREENS_FOLDER, basename(name), `${kind}-${theme}-${variant}.jpg`)
}

/** The screenshot of a photograph; `undefined` if it was not rendered. */
export async function readScreen(
  name: string,
  kind: ScreenKind,
  theme: Theme,
): Promise<Uint8Array | undefined> {
  try {
    return await readFile(screenPath(name, layoutFor(name, kind, theme)))
  } catch {
    return undefined
  }
}
