// Pictures shown on something: on a page, in a chat, among others, over their own blurred copy. PDQ
// tolerates an error of half a per cent of a side, but a screenshot is reduced to 512 pixels a
// side. So borders are located to fractions of a pixel, by how much the pixels on them look like
// the inside.

import type { Covered, Part, Plane } from '../../core/plane.ts'
import { CORNERS, coveredCorners } from './corners.ts'
import { type Border, type Borders, findBorders, worthOf } from './borders.ts'
import { bestOf, MAX_RECTANGLES, type Rectangle } from './rectangles.ts'

/** Maximum pictures within a bubble among the reported parts. */
const MAX_PADDED = 4
/** Minimum padding between a bubble's border and the picture in it, in pixels. */
const MIN_PADDING = 3
const MAX_PADDING = 9
/** Smallest share of the plane's height that such a picture takes. */
const MIN_INNER_HEIGHT = 0.05
/** Share of a side, at each end, that is not used to locate a border: corners may be round. */
const CORNER = 0.1
/** Points, of 64, that a round corner takes of a picture's width; and the maximum of its height. */
const ROUND = 3
const MAX_ROUND = 8

/**
 * Parts of a plane that may be pictures shown on something, those with the clearest sides first.
 * @param aspect width of the image over its height
 */
export function picturesOnPage(plane: Plane, aspect: number): Shown[] {
  const borders = findBorders(plane)
  if (!borders) return []
  const found = bestOf(plane, borders)
  const stretch = (aspect * plane.rows) / plane.cols
  const show = (part: Part, sides: Rectangle) => ({
    part,
    ...(isFramed(sides) && { covered: roundCorners(part, stretch) }),
  })
  const padded = found
    .flatMap((sides) =>
      withoutPadding(plane, borders, sides, stretch)
        .filter(({ y0, y1 }) => y1 - y0 >= plane.rows * MIN_INNER_HEIGHT)
        .map((part) => show(part, sides)),
    )
    .slice(0, MAX_PADDED)
  const plain = found
    .slice(0, MAX_RECTANGLES - padded.length)
    .map((sides) => show(placed(plane, sides), sides))
  return [...plain, ...padded]
}

export interface Shown {
  part: Part
  /** Corners that may be round. */
  covered?: Covered
}

/** Whether something surrounds a picture on all sides, so that its corners may be round. */
function isFramed({ left, right, top, bottom }: Rectangle): boolean {
  return [left, right, top, bottom].every(({ counts }) => counts)
}

function roundCorners(part: Part, stretch: number): Covered {
  const shape = ((part.x1 - part.x0) * stretch) / (part.y1 - part.y0)
  const down = Math.min(MAX_ROUND, Math.max(1, Math.round(ROUND * shape)))
  return coveredCorners(CORNERS, ROUND, down)
}

/** A rectangle with its sides located to fractions of a pixel. */
function placed(plane: Plane, { left, right, top, bottom }: Omit<Rectangle, 'worth'>): Part {
  const place = ({ side, at, edge, counts }: Border, first: Border, last: Border) => {
    if (!counts) return edge
    const corner = (last.edge - first.edge) * CORNER
    const from = Math.round(first.edge + corner)
    const share = plane.shareInside(side, at, from, Math.round(last.edge - corner))
    return side === 'left' || side === 'top' ? at + 1 - share : at + share
  }
  return {
    x0: place(left, top, bottom),
    x1: place(right, top, bottom),
    y0: place(top, left, right),
    y1: place(bottom, left, right),
  }
}

/**
 * Pictures in a bubble with the same padding on all sides. Above and below, it is too thin to be
 * seen in a plane.
 * @param stretch width of a pixel of the plane over its height
 */
function withoutPadding(
  plane: Plane,
  borders: Borders,
  bubble: Rectangle,
  stretch: number,
): Part[] {
  const { left, right, top, bottom } = bubble
  if (!left.counts || !right.counts) return []
  const within = (side: Border) => worthOf(side.counts, top.edge, bottom.edge) > 0
  const outer = placed(plane, bubble)
  return borders.left
    .filter((inner) => isPadding(inner.at - left.at) && within(inner))
    .flatMap((innerLeft) =>
      borders.right
        .filter((inner) => Math.abs(right.at - inner.at - innerLeft.at + left.at) <= 1)
        .filter(within)
        .map((innerRight) => {
          const inner = placed(plane, { left: innerLeft, right: innerRight, top, bottom })
          const padding = ((inner.x0 - outer.x0 + outer.x1 - inner.x1) / 2) * stretch
          return {
            x0: inner.x0,
            x1: inner.x1,
            y0: top.counts ? outer.y0 + padding : outer.y0,
            y1: bottom.counts ? outer.y1 - padding : outer.y1,
          }
        }),
    )
}

function isPadding(pixels: number): boolean {
  return pixels >= MIN_PADDING && pixels <= MAX_PADDING
}
