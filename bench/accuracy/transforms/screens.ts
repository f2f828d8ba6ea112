import { readScreen } from '../../screens/files.ts'
import { type ScreenKind, SCREEN_KINDS, THEMES, type Theme } from '../../screens/layouts.ts'
import type { Transform } from '../recipe.ts'

/** Screenshots of pages with the picture in them. Those that `npm run bench -- screens` did not render are left out. */
export const SCREENS: readonly Transform[] = THEMES.flatMap((theme) =>
  SCREEN_KINDS.map((kind) => ({
    family: 'rendered',
    name: screenName(kind, theme),
    apply: ({ name }) => readScreen(name, kind, theme),
  })),
)

export function screenName(kind: ScreenKind, theme: Theme): string {
  return `screen, ${kind}, ${theme}`
}
