import type { SetName } from './needles.ts'
import { type ScreenKind, THEMES } from '../screens/layouts.ts'
import type { Transform } from './recipe.ts'
import { screenName } from './transforms/screens.ts'

/** A target of the project: the share of clear photographs to be found, in per cent. */
export interface Bar {
  what: string
  set: SetName
  /** Without it, the measured share is only reported. */
  least?: number
  aim: number
  isOf(transform: Transform): boolean
}

/** Whether a transform has this name. */
const only =
  (...names: readonly string[]) =>
  ({ name }: Transform) =>
    names.includes(name)

/** Whether a screenshot is of one of these kinds, dark or light. */
const screens =
  (...kinds: readonly ScreenKind[]) =>
  ({ name }: Transform) =>
    kinds.some((kind) => THEMES.some((theme) => name === screenName(kind, theme)))

/** Whether a transform that is not a combination has one of the names. */
const named =
  (...names: readonly RegExp[]) =>
  ({ family, name }: Transform) =>
    family !== 'combined' && names.some((pattern) => pattern.test(name))

export const BARS: readonly Bar[] = [
  {
    what: 'recompression to q 30, resize to 160 pixels, grey, stretch',
    set: 'default',
    least: 98,
    aim: 100,
    isOf: named(/^(JPEG|WebP|AVIF) q [3-9]/, /^resize to 160 pixels$/, /^grey$/, /^stretch /),
  },
  {
    what: 'brightness and contrast by a third',
    set: 'default',
    least: 95,
    aim: 99,
    isOf: named(/^(brightness|contrast) [+-] 1\/3$/),
  },
  {
    what: 'mirror, quarter and half turns',
    set: 'default',
    least: 100,
    aim: 100,
    isOf: ({ family }) => family === 'orientation',
  },
  {
    what: 'borders of any colour on any sides to 10 %, letterbox, pillarbox',
    set: 'default',
    least: 98,
    aim: 100,
    isOf: ({ family, name }) =>
      family === 'letterbox' || (family === 'border' && !name.includes('20 %')),
  },
  {
    what: 'caption bar with text, to 20 % of the height',
    set: 'default',
    least: 96,
    aim: 99,
    isOf: ({ family, name }) => family === 'caption' && !name.includes('40 %'),
  },
  {
    what: 'centred crop 5 %',
    set: 'default',
    least: 93,
    aim: 98,
    isOf: named(/^crop 5 % centred$/),
  },
  {
    what: 'centred crop 10 %',
    set: 'default',
    least: 60,
    aim: 80,
    isOf: named(/^crop 10 % centred$/),
  },
  {
    what: 'off-centre crop 5 %',
    set: 'default',
    least: 88,
    aim: 95,
    isOf: named(/^crop 5 % off-centre/),
  },
  {
    what: 'turn by up to 2 degrees',
    set: 'default',
    least: 92,
    aim: 98,
    isOf: named(/^turn (1|1\.5|2)°/),
  },
  { what: 'invert', set: 'default', least: 98, aim: 100, isOf: named(/^invert$/) },
  {
    what: 'corner logo of 2.5 % of the area',
    set: 'default',
    least: 55,
    aim: 80,
    isOf: named(/^logo 2\.5 %/),
  },
  { what: 'crop 20 %', set: 'wide', aim: 50, isOf: named(/^crop 20 % centred$/) },
  { what: 'turn 5 degrees', set: 'wide', aim: 50, isOf: named(/^turn 5°/) },
  {
    what: 'screenshot with surroundings',
    set: 'wide',
    aim: 50,
    isOf: ({ family }) => family === 'screenshot',
  },
  {
    what: 'chat screenshot',
    set: 'wide',
    least: 60,
    aim: 90,
    isOf: screens('chat'),
  },
  {
    what: 'feed screenshot',
    set: 'wide',
    least: 80,
    aim: 95,
    isOf: screens('feed'),
  },
  {
    what: 'screenshot of a card with round corners',
    set: 'wide',
    least: 70,
    aim: 95,
    isOf: screens('card'),
  },
  {
    what: 'story: the picture over its own blurred copy',
    set: 'wide',
    least: 60,
    aim: 90,
    isOf: screens('story'),
  },
  {
    what: 'photo of a screen, 3°',
    set: 'wide',
    least: 85,
    aim: 95,
    isOf: only('photo of a screen, 3°'),
  },
  {
    what: 'photo of a screen, 5°',
    set: 'wide',
    least: 65,
    aim: 85,
    isOf: only('photo of a screen, 5°'),
  },
  {
    what: 'photo of a screen, 8°',
    set: 'wide',
    least: 30,
    aim: 60,
    isOf: only('photo of a screen, 8°'),
  },
  {
    what: 'emoji over 5 %',
    set: 'wide',
    least: 60,
    aim: 80,
    isOf: only('emoji 5 %'),
  },
  {
    what: 'emoji over 10 %',
    set: 'wide',
    least: 25,
    aim: 50,
    isOf: only('emoji 10 %'),
  },
  {
    what: 'emoji over 15 %',
    set: 'wide',
    aim: 20,
    isOf: only('emoji 15 %'),
  },
  {
    what: 'bar over eyes',
    set: 'wide',
    least: 70,
    aim: 90,
    isOf: only('bar over eyes'),
  },
  {
    what: 'two bars over eyes',
    set: 'wide',
    least: 45,
    aim: 70,
    isOf: only('bars over eyes, two'),
  },
  {
    what: 'captions inside the picture',
    set: 'wide',
    least: 65,
    aim: 85,
    isOf: only('large text above and below'),
  },
  {
    what: 'very dark copy',
    set: 'default',
    least: 97,
    aim: 98,
    isOf: only('very dark, x 0.35'),
  },
  {
    what: 'crop of one side, 10 %',
    set: 'wide',
    least: 80,
    aim: 90,
    isOf: only('crop 10 % off one side only'),
  },
  {
    what: 'cropped to 4:5',
    set: 'wide',
    least: 25,
    aim: 50,
    isOf: only('crop to 4:5'),
  },
  {
    what: 'crop of one side, 5 %, and mirrored; inverted and mirrored',
    set: 'wide',
    least: 85,
    aim: 92,
    isOf: only('crop 5 % off one side only + mirror', 'invert + mirror'),
  },
  {
    what: 'picture in picture',
    set: 'wide',
    least: 60,
    aim: 80,
    isOf: only('picture in picture'),
  },
  {
    what: 'collage of four',
    set: 'wide',
    least: 75,
    aim: 90,
    isOf: only('four in a square'),
  },
]
