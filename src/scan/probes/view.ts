import type { Guessed } from './sure-bits.ts'
import {
  type Covered,
  MAX_SIDE,
  type Part,
  type Plane,
  POINTS,
  type Points,
} from '../../core/plane.ts'

/**
 * A picture that the uploaded one may have been made from: its part of the plane, which may extend
 * beyond the plane, and how it was turned.
 */
export interface View {
  /** In pixels of the plane, possibly fractions, possibly outside. */
  part: Part
  /** How the picture lies in the plane. As it is, if absent. */
  dihedral?: Dihedral
  /** Degrees, clockwise, that the picture was turned by. */
  turn?: number
  /**
   * Points that something may cover, as the picture lies in the plane. Only for a picture that is
   * not turned.
   */
  covered?: Covered
  /** What of the picture lies outside the plane and is guessed. Then only half of its bits count: the surest. */
  guessed?: Guessed
  /** Bits added to a bank's threshold, replacing those of its family. */
  tolerance?: number
  /**
   * Whether the list's hash comes from a pipeline that filters pictures of any size without
   * reducing them first.
   */
  isFullSize?: boolean
}

/**
 * Bits: 1 mirrors the stored picture left to right, 2 top to bottom, 4 then swaps rows and columns.
 */
export type Dihedral = number

export const MIRRORS_X = 1
export const MIRRORS_Y = 2
export const TRANSPOSES = 4

/** How an Exif orientation, 1 to 8, displays a picture (Exif 2.32, 4.6.4, tag 274). */
export const DIHEDRAL_OF_ORIENTATION: readonly Dihedral[] = [0, 0, 1, 3, 2, 4, 6, 7, 5]

/**
 * Distance of PDQ's means after its filter at MAX_SIDE pixels a side from where it takes them, 8 j
 * + 5.5, in pixels.
 */
const OFFSET_AT_MAX_SIDE = 1.5

/**
 * Shift of the filter's result against its window, in pixels: two passes, each half a pixel if its
 * window is even.
 */
function filterOffset(side: number): number {
  return Math.floor((side + 127) / 128) % 2 === 0 ? 1 : 0
}

export function wholeOf({ rows, cols }: Plane): Part {
  return { x0: 0, y0: 0, x1: cols, y1: rows }
}

/**
 * Where the points of a view lie in a plane's filtered pixels.
 * @param aspect width of the image over its height: the plane of a large one is square
 */
export function pointsOf(plane: Plane, view: View, aspect: number): Points {
  const place = placing(plane, view, aspect)
  const { x, y } = place.steps
  const first = place.at(x.start, y.start)
  const right = place.at(x.start + x.step, y.start)
  const below = place.at(x.start, y.start + y.step)
  const column = { x: right.x - first.x, y: right.y - first.y }
  const row = { x: below.x - first.x, y: below.y - first.y }
  if (view.turn !== undefined) return { ...first, column, row }
  const transposes = ((view.dihedral ?? 0) & TRANSPOSES) !== 0
  const covered = view.covered && mirrored(view.covered, view.dihedral ?? 0)
  return {
    ...first,
    stepX: transposes ? row.x : column.x,
    stepY: transposes ? column.y : row.y,
    transposes,
    ...(covered && { covered }),
  }
}

/**
 * Points in a view's order: from the right, or from below, if it mirrors. Rows of points always
 * stay rows of the plane.
 */
function mirrored(covered: Covered, dihedral: Dihedral): Covered {
  if (dihedral % TRANSPOSES === 0) return covered
  const from = (i: number, mirrors: number) => (dihedral & mirrors ? POINTS - 1 - i : i)
  return covered.map((_, at) => {
    const row = from(Math.floor(at / POINTS), MIRRORS_Y)
    return covered[row * POINTS + from(at % POINTS, MIRRORS_X)] ?? 0
  })
}

/**
 * Where PDQ takes a view's points, in pixels of the view's picture, and where those lie in the
 * plane.
 */
function placing(plane: Plane, view: View, aspect: number) {
  const { part, dihedral = 0, turn = 0, isFullSize = false } = view
  const isReduced = plane.cols === MAX_SIDE && plane.rows === MAX_SIDE
  const width = part.x1 - part.x0
  const height = part.y1 - part.y0
  const along = (length: number) => {
    const offset = isReduced ? (OFFSET_AT_MAX_SIDE * length) / MAX_SIDE : filterOffset(length)
    return { start: length / POINTS / 2 + (isFullSize ? 0 : offset), step: length / POINTS }
  }
  const transposes = (dihedral & TRANSPOSES) !== 0
  const originX = part.x0 - 0.5 - filterOffset(plane.cols)
  const originY = part.y0 - 0.5 - filterOffset(plane.rows)
  const turned = turnAround(width / 2, height / 2, turn, (aspect * plane.rows) / plane.cols)
  return {
    steps: { x: along(transposes ? height : width), y: along(transposes ? width : height) },
    at: (u: number, v: number) => {
      const [x, y] = transposes ? [v, u] : [u, v]
      const stored = turned(
        dihedral & MIRRORS_X ? width - x : x,
        dihedral & MIRRORS_Y ? height - y : y,
      )
      return { x: originX + stored.x, y: originY + stored.y }
    },
  }
}

/** Where a point lies after a turn; `stretch` is the width of a pixel of the plane over its height. */
function turnAround(centreX: number, centreY: number, degrees: number, stretch: number) {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return (x: number, y: number) => {
    const dx = (x - centreX) * stretch
    const dy = y - centreY
    return { x: centreX + (cos * dx - sin * dy) / stretch, y: centreY + sin * dx + cos * dy }
  }
}
