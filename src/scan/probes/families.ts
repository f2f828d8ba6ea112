import { type Covered, type Part, type Plane, POINTS } from '../../core/plane.ts'
import { partsWithoutBars } from './bars.ts'
import { CORNERS, coveredCorners } from './corners.ts'
import { coversOf } from './covers.ts'
import { partsBetweenBars } from './edges.ts'
import { picturesOnPage } from './pages.ts'
import { type Dihedral, MIRRORS_X, MIRRORS_Y, TRANSPOSES, type View, wholeOf } from './view.ts'

export interface Probed {
  plane: Plane
  /** Width of the image over its height. */
  aspect: number
  /** How it is displayed; 0 if as stored. */
  displayed: Dihedral
}

/** A kind of change that probes can undo. */
export interface Family {
  /** The pictures that the probed one may have been made from by such a change. */
  views: (probed: Probed) => View[]
  /**
   * Bits added to a bank's threshold, since part of these pictures is guessed; `tolerances.ts` may
   * allow fewer. Below 0 if only the sure bits are compared: unrelated pictures come nearer by these.
   */
  tolerance?: number
  /** Whether black and white are swapped. */
  isInverted?: boolean
}

/** Families queried first. docs/accuracy.md shows what each finds and costs. */
export const FIRST_FAMILIES = {
  /**
   * For lists made by programs that filter pictures of any size without reducing them, as the
   * Python binding does.
   */
  'full-size': {
    views: ({ plane, displayed }) => [
      { part: wholeOf(plane), dihedral: displayed, isFullSize: true },
    ],
  },
  mirrors: {
    views: ({ plane, displayed }) =>
      otherDihedral(wholeOf(plane), displayed).filter(({ dihedral }) => dihedral !== 0),
  },
  bars: { views: ({ plane, displayed }) => framed(partsWithoutBars(plane), displayed) },
  edges: { views: ({ plane, displayed }) => framed(partsBetweenBars(plane), displayed) },
  crops: {
    views: ({ plane, displayed }) =>
      [2, 4.5, 7.25, 10.5].map((share) => uncropped(wholeOf(plane), displayed, share, EVEN)),
    tolerance: 3,
  },
  shifts: {
    views: ({ plane, displayed }) =>
      SHIFTS.map(([percent, sides]) => uncropped(wholeOf(plane), displayed, percent, sides)),
    tolerance: 3,
  },
  turns: {
    views: (probed) => [-1.75, 1.75].flatMap((degrees) => turnedBack(probed, degrees)),
    tolerance: 3,
  },
  corners: {
    views: ({ plane, displayed, aspect }) =>
      CORNERS.map((corner) => ({
        part: wholeOf(plane),
        dihedral: displayed,
        covered: logoIn(corner, aspect),
      })),
  },
} as const satisfies Record<string, Family>

/** Families queried if nothing matched before. */
export const WIDE_FAMILIES = {
  covers: {
    views: ({ plane, displayed }) =>
      coversOf(plane).map((covered) => ({ part: wholeOf(plane), dihedral: displayed, covered })),
    tolerance: 3,
  },
  'larger-crops': {
    views: ({ plane, displayed }) =>
      [12.5, 14, 16, 17.5, 19.5, 21.5].map((share) => {
        const guessed = guessedOf(1 / (1 - share / 100))
        return Object.assign(uncropped(wholeOf(plane), displayed, share, EVEN), {
          guessed: { columns: guessed, rows: guessed },
        })
      }),
    tolerance: -4,
  },
  'larger-shifts': {
    views: ({ plane, displayed }) => {
      const shifted = (sides: Sides, tolerance: number) =>
        Object.assign(uncropped(wholeOf(plane), displayed, 10, sides), { tolerance })
      return [
        ...[...ONE_SIDE, ...ACROSS].map((sides) => shifted(sides, 5)),
        ...[...CORNER_SIDES, ...UNEVEN].map((sides) => shifted(sides, 3)),
      ]
    },
  },
  'larger-turns': {
    views: (probed) => [-5, -3.5, 3.5, 5].flatMap((degrees) => turnedBack(probed, degrees)),
    tolerance: 5,
  },
  pages: {
    views: ({ plane, aspect, displayed }) =>
      picturesOnPage(plane, aspect).map((shown) => Object.assign(shown, { dihedral: displayed })),
    tolerance: 3,
  },
  pieces: {
    views: ({ plane, displayed }) =>
      piecesOf(wholeOf(plane)).map((part) => ({ part, dihedral: displayed })),
    tolerance: 3,
  },
  'mirrored-crops': {
    views: ({ plane, displayed }) =>
      [5, 10].map((share) => uncropped(wholeOf(plane), flopped(displayed), share, EVEN)),
    tolerance: 3,
  },
  'mirrored-shifts': {
    views: ({ plane, displayed }) =>
      MIRRORED_SHIFTS.map(([percent, sides]) =>
        uncropped(wholeOf(plane), flopped(displayed), percent, sides),
      ),
    tolerance: 3,
  },
  'inverted-mirrors': {
    views: ({ plane, displayed }) => otherDihedral(wholeOf(plane), displayed),
    isInverted: true,
  },
  aspects: {
    views: ({ plane, displayed, aspect }) =>
      widerOrHigher(aspect).map(({ x, y }) => ({
        part: centred(plane, x, y),
        dihedral: displayed,
        guessed: { columns: guessedOf(x), rows: guessedOf(y) },
      })),
    tolerance: -4,
  },
  'mirrored-bars': {
    views: ({ plane, displayed }) =>
      partsWithoutBars(plane)
        .slice(1, 5)
        .flatMap((part) => otherDihedral(part, displayed)),
  },
} as const satisfies Record<string, Family>

/** Shares of a crop on each side: left, top, right, bottom. */
type Sides = readonly [number, number, number, number]

const EVEN: Sides = [0.5, 0.5, 0.5, 0.5]
/** A crop of one side. */
const ONE_SIDE = aroundSides([1, 0, 0, 0])
/** A crop of one side, and a little of some adjacent ones. */
const MOSTLY_ONE = aroundSides([1, 0.25, 0, 0.25])
/** A crop of one side, and half as much of the adjacent ones. */
const ACROSS = aroundSides([1, 0.5, 0, 0.5])
const CORNER_SIDES = aroundSides([1, 1, 0, 0])
/** A crop of all sides, more at one corner than at the opposite one. */
const UNEVEN = aroundSides([0.75, 0.75, 0.25, 0.25])

/** The percentage cropped, and where. */
type Shift = readonly [percent: number, sides: Sides]

/** Crops of about 5 % that are not centred. */
const SHIFTS: readonly Shift[] = [
  ...ONE_SIDE.map((sides) => [5, sides] as const),
  ...MOSTLY_ONE.map((sides) => [5, sides] as const),
  ...CORNER_SIDES.flatMap((sides) => [[4, sides] as const, [5, sides] as const]),
  ...UNEVEN.map((sides) => [3.5, sides] as const),
]
/** The shifts tried on mirrored pictures: the others find next to nothing beyond these. */
const MIRRORED_SHIFTS: readonly Shift[] = [
  ...ONE_SIDE.map((sides) => [5, sides] as const),
  ...UNEVEN.map((sides) => [3.5, sides] as const),
]

/**
 * Aspects that services crop to, width over height; and those that pictures may have had before,
 * close enough to what cameras and people make.
 */
const CROPPED_TO = [1, 4 / 5, 16 / 9, 9 / 16]
const TAKEN_AT = [16 / 9, 1.5, 1.3, 1.15, 1, 0.75, 9 / 16]
/** How near an aspect must be to one of them, and how much of a side may have been cropped. */
const ASPECT_ERROR = 0.01
const MAX_GONE = 0.56

/** Shares for left, top, right and bottom, rotated to begin at each side. */
function aroundSides([a, b, c, d]: Sides): Sides[] {
  return [
    [a, b, c, d],
    [d, a, b, c],
    [c, d, a, b],
    [b, c, d, a],
  ]
}

/** Points that a logo in a corner may cover: a square of 2.5 % of the area, and its distance from the sides. */
function logoIn(corner: number, aspect: number): Covered {
  const points = (share: number) =>
    Math.min(POINTS / 2, Math.ceil(POINTS * (Math.sqrt(share) + 0.025)))
  const [across, down] = [points(0.025 / aspect), points(0.025 * aspect)]
  return coveredCorners([corner], across, down)
}

/** All ways that a part may have been mirrored and turned by quarters, except the displayed one. */
function otherDihedral(part: Part, displayed: Dihedral): { part: Part; dihedral: Dihedral }[] {
  return [0, 1, 2, 3, 4, 5, 6, 7]
    .filter((dihedral) => dihedral !== displayed)
    .map((dihedral) => ({ part, dihedral }))
}

/** How a picture lies in the plane if it was mirrored left to right as displayed. */
function flopped(displayed: Dihedral): Dihedral {
  return displayed ^ (displayed & TRANSPOSES ? MIRRORS_Y : MIRRORS_X)
}

/**
 * Sizes, relative to a picture with a service's aspect, of pictures that it may be the middle of.
 */
function widerOrHigher(aspect: number): { x: number; y: number }[] {
  const isNear = (other: number) => Math.abs(aspect / other - 1) <= ASPECT_ERROR
  if (!CROPPED_TO.some(isNear)) return []
  return TAKEN_AT.filter((taken) => !isNear(taken))
    .map((taken) => ({ x: Math.max(1, taken / aspect), y: Math.max(1, aspect / taken) }))
    .filter(({ x, y }) => 1 - 1 / (x * y) <= MAX_GONE)
}

/** How many of a picture's 64 lines are guessed on each side, if it is so many times as large as the plane. */
function guessedOf(times: number): number {
  return Math.round((POINTS / 2) * (1 - 1 / times))
}

/**
 * Parts as they are; the first and likeliest also mirrored and turned; the first two also as crops.
 */
function framed(parts: readonly Part[], displayed: Dihedral): View[] {
  return [
    ...parts.map((part) => ({ part, dihedral: displayed })),
    ...parts.slice(0, 1).flatMap((part) => otherDihedral(part, displayed)),
    ...parts.slice(0, 2).map((part) => uncropped(part, displayed, 4, EVEN)),
  ]
}

/**
 * The picture that a part is left of after a crop. `percent` is the share taken off width and
 * height together.
 */
function uncropped(part: Part, dihedral: Dihedral, percent: number, sides: Sides): View {
  const [left, top, right, bottom] = sides
  const share = percent / 100
  const width = (part.x1 - part.x0) / (1 - (left + right) * share)
  const height = (part.y1 - part.y0) / (1 - (top + bottom) * share)
  return {
    dihedral,
    part: {
      x0: part.x0 - left * share * width,
      x1: part.x1 + right * share * width,
      y0: part.y0 - top * share * height,
      y1: part.y1 + bottom * share * height,
    },
  }
}

/**
 * Pictures turned by so many degrees: on a canvas that grew, and cropped so that no corner is
 * empty.
 */
function turnedBack({ plane, aspect, displayed }: Probed, degrees: number): View[] {
  const angle = (Math.abs(degrees) * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  // A canvas for w x h is w cos + h sin wide and w sin + h cos high. Here it is `aspect` wide and 1 high.
  const grown = {
    x: (aspect * cos - sin) / (aspect * Math.cos(2 * angle)),
    y: (cos - aspect * sin) / Math.cos(2 * angle),
  }
  const cropped = cos + sin * Math.max(aspect, 1 / aspect)
  return [grown, { x: cropped, y: cropped }].map(({ x, y }) => ({
    part: centred(plane, x, y),
    dihedral: displayed,
    turn: degrees,
  }))
}

function centred({ cols, rows }: Plane, widths: number, heights: number): Part {
  return {
    x0: (cols * (1 - widths)) / 2,
    x1: (cols * (1 + widths)) / 2,
    y0: (rows * (1 - heights)) / 2,
    y1: (rows * (1 + heights)) / 2,
  }
}

/** Halves and thirds, side by side and stacked: of collages and strips. */
function piecesOf({ x1: cols, y1: rows }: Part): Part[] {
  return [2, 3].flatMap((count) =>
    Array.from({ length: count }, (_, i) => [
      { x0: (cols * i) / count, x1: (cols * (i + 1)) / count, y0: 0, y1: rows },
      { x0: 0, x1: cols, y0: (rows * i) / count, y1: (rows * (i + 1)) / count },
    ]).flat(),
  )
}
