// Rectangles between borders of a plane: possible pictures.

import type { Plane } from '../../core/plane.ts'
import { type Border, type Borders, worthOf } from './borders.ts'

/** Maximum rectangles reported. */
export const MAX_RECTANGLES = 16
/** Rectangles compared with each other: many are nearly the same. */
const MAX_WEIGHED = 64
/** Smallest share of the plane's side, and of its area, that a picture takes. */
const MIN_SHARE = 0.1
const MIN_AREA = 0.04
/** Minimum difference between two rectangles, in pixels, summed over all sides. */
const MIN_DIFFERENCE = 4

/** Four sides, and their combined worth. */
export interface Rectangle {
  left: Border
  right: Border
  top: Border
  bottom: Border
  worth: number
}

/** From one border to the opposite one, in whole pixels. */
interface LineSpan {
  first: Border
  last: Border
  /** Indices of the two borders. */
  from: number
  to: number
}

/** The best rectangles between borders. */
export function bestOf(plane: Plane, { left, right, top, bottom }: Borders): Rectangle[] {
  const across = spansOf(left, right, plane.cols * MIN_SHARE)
  const down = spansOf(top, bottom, plane.rows * MIN_SHARE)
  const [lefts, rights] = [worthsAlong(left, down), worthsAlong(right, down)]
  const [tops, bottoms] = [worthsAlong(top, across), worthsAlong(bottom, across)]
  const best = new Best()
  for (const [i, x] of across.entries()) {
    for (const [j, y] of down.entries()) {
      const above = tops[y.from]?.[i] ?? 0
      const below = bottoms[y.to]?.[i] ?? 0
      const before = lefts[x.from]?.[j] ?? 0
      const behind = rights[x.to]?.[j] ?? 0
      if (above === 0 || below === 0 || before === 0 || behind === 0) continue
      const area = (spanLength(x) * spanLength(y)) / (plane.cols * plane.rows)
      if (area < MIN_AREA) continue
      best.add(x, y, above + below + before + behind + Math.sqrt(area))
    }
  }
  return best.distinct()
}

function spansOf(firsts: readonly Border[], lasts: readonly Border[], least: number): LineSpan[] {
  return firsts
    .flatMap((first, from) => lasts.map((last, to) => ({ first, last, from, to })))
    .filter((span) => spanLength(span) >= least)
}

function spanLength({ first, last }: LineSpan): number {
  return last.edge - first.edge
}

/** Number of a span's sides that are the plane's own. */
function ownSides({ first, last }: LineSpan): number {
  return (first.counts ? 0 : 1) + (last.counts ? 0 : 1)
}

/** Worth of each border as a side of each span: 0 if it is not one. */
function worthsAlong(borders: readonly Border[], spans: readonly LineSpan[]): number[][] {
  return borders.map(({ counts }) =>
    spans.map(({ first, last }) => worthOf(counts, first.edge, last.edge)),
  )
}

/** The best rectangles, best first. At least two sides are borders. */
class Best {
  readonly #rectangles: Rectangle[] = []

  add(x: LineSpan, y: LineSpan, worth: number): void {
    const all = this.#rectangles
    if (all.length === MAX_WEIGHED && worth <= (all.at(-1)?.worth ?? 0)) return
    if (ownSides(x) + ownSides(y) > 2) return
    const sides = { left: x.first, right: x.last, top: y.first, bottom: y.last }
    const place = all.findIndex((other) => other.worth < worth)
    all.splice(place < 0 ? all.length : place, 0, { ...sides, worth })
    all.length = Math.min(all.length, MAX_WEIGHED)
  }

  /** Drops rectangles that are nearly the same as a better one. */
  distinct(): Rectangle[] {
    const found: Rectangle[] = []
    for (const one of this.#rectangles) {
      if (found.length === MAX_RECTANGLES) break
      if (found.every((other) => differenceOf(one, other) > MIN_DIFFERENCE)) found.push(one)
    }
    return found
  }
}

function differenceOf(a: Rectangle, b: Rectangle): number {
  return (['left', 'right', 'top', 'bottom'] as const).reduce(
    (sum, side) => sum + Math.abs(a[side].edge - b[side].edge),
    0,
  )
}
