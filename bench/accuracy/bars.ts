import type { SetName } from './needles.ts'
import type { Transform } from './transforms.ts'

/** What the project holds itself to: shares of clear photographs that are found, in per cent. */
export interface Bar {
  what: string
  set: SetName
  /** None: as measured. */
  least?: number
  aim: number
  /** Why it is missed, where it is. */
  reason?: string
  isOf(transform: Transform): boolean
}

/** Whether a transform that stands alone has one of the names. */
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
    least: 80,
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
]
