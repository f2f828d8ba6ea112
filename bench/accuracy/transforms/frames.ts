import * as frame from '../edits/frame.ts'
import { edited, type Families, forEach, type Recipe } from '../recipe.ts'

const COLOURS = ['white', 'black', 'red', 'grey'] as const
const SOME_SIDES = ['one', 'adjacent', 'opposite', 'three'] as const

function bordersAround(share: number): Record<string, Recipe> {
  return forEach(COLOURS, (colour) => [
    `border ${share} %, ${colour}`,
    edited(frame.border(share / 100, colour)),
  ])
}

function bordersOnSome(share: number, colour: frame.Colour): Record<string, Recipe> {
  return forEach(SOME_SIDES, (sides) => [
    `border ${share} %, ${colour}, ${NAMES[sides]}`,
    edited(frame.border(share / 100, colour, sides)),
  ])
}

const NAMES = {
  one: 'one side',
  adjacent: 'two sides that meet',
  opposite: 'two opposite sides',
  three: 'three sides',
} as const

/** Aspect ratios of screens and of posts. */
const ASPECTS = { '1:1': 1, '4:3': 4 / 3, '4:5': 4 / 5, '16:9': 16 / 9, '9:16': 9 / 16 }

function captions(share: number, where: frame.CaptionPlace): Record<string, Recipe> {
  return forEach(['white', 'black'] as const, (paper) => [
    `caption ${share} % ${where === 'both' ? 'above and below together' : where}, ${paper}`,
    edited(frame.caption(share / 100, where, paper)),
  ])
}

const PLACES = ['above', 'below', 'both'] as const

/** Something is added around the picture. */
export const FRAMES: Families = {
  border: {
    ...Object.assign({}, ...[2, 5, 7, 10, 20].map(bordersAround)),
    ...forEach([5, 10], (share) => [
      `border ${share} %, any colour`,
      edited(frame.border(share / 100, 'any')),
    ]),
    ...bordersOnSome(5, 'white'),
    ...bordersOnSome(5, 'any'),
    ...bordersOnSome(10, 'black'),
    ...bordersOnSome(10, 'any'),
  },
  letterbox: {
    'letterbox 18 %': edited(frame.letterbox(0.18, 'black')),
    'letterbox 30 %, white': edited(frame.letterbox(0.3, 'white')),
    'pillarbox 18 %': edited(frame.pillarbox(0.18, 'black')),
    'pillarbox 30 %, white': edited(frame.pillarbox(0.3, 'white')),
    ...forEach(Object.entries(ASPECTS), ([name, aspect]) => [
      `bars to ${name}`,
      edited(frame.bars(aspect, 'black')),
    ]),
  },
  'blurred bars': forEach(['1:1', '16:9', '9:16'] as const, (name) => [
    `blurred bars to ${name}`,
    edited(frame.blurredBars(ASPECTS[name])),
  ]),
  caption: Object.assign(
    {},
    ...[10, 13, 20].flatMap((share) => PLACES.map((where) => captions(share, where))),
    captions(40, 'both'),
  ),
}
