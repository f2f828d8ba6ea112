// Pictures that are shown on something: on a page, in a chat, among others, over their own blurred copy. PDQ forgives an
// error of half a per cent of a side, and a screenshot is reduced to 512 pixels a side: so borders are found to fractions of
// these, by how much of the pixels on them looks like what is inside.

import type { Part, Plane, Run, Side } from '../../core/plane.ts'

/** Parts that are told at most, and those of them that are pictures within a bubble. */
const MAX_PARTS = 16
const MAX_PADDED = 4
/** Parts that are weighed against each other: many are nearly the same. */
const MAX_WEIGHED = 64
/** Borders that may be a side, the best first; and their score, at least. */
const MAX_BORDERS = 16
const MIN_SCORE = 40
/** Share of the best score from which on the line farther inside is the border: of two, the first sees half of the step. */
const SAME_SCORE = 0.9
/** Pixels between two borders of a side, at least, if they lie beside each other. */
const MIN_DISTANCE = 3
/** Share of the plane's width, and of its height, that a picture takes at least. */
const MIN_WIDTH = 0.25
const MIN_HEIGHT = 0.1
/** Share of a side that must be on the border. */
const MIN_SHARE = 0.4
/** Pixels beyond the corners in which a border of this picture ends. One that goes on counts half. */
const BEYOND = 14
const GAP = 2
/** What a side counts that is the plane's own; one that is on the border all along counts 1. */
const OWN_SIDE = 0.3
/** Pixels in which two parts must differ, all sides together. */
const MIN_DIFFERENCE = 4
/** Pixels between the border of a bubble and that of the picture in it. */
const MIN_PADDING = 3
const MAX_PADDING = 9
/** Share of a side, at both ends, by which a border is not placed: corners may be round. */
const CORNER = 0.1

/** A line that may be a side of a picture, or the plane's own side. */
interface Border {
  side: Side
  /** Row, or column, of the pixels on the border. */
  at: number
  /** Where what is inside begins, or ends, in whole pixels. */
  edge: number
  /** Pixels on the border before each, and in all. `undefined`: the plane's own side. */
  counts: Uint16Array | undefined
}

type Borders = Record<Side, Border[]>
type Rectangle = Record<Side, Border> & { worth: number }

/**
 * Parts of a plane that may be pictures shown on something, those with the clearest sides first.
 * @param aspect width of the image over its height
 */
export function partsOnPage(plane: Plane, aspect: number): Part[] {
  const runs = plane.runs()
  if (!runs) return []
  const borders: Borders = {
    left: bordersOf(plane, 'left', runs.left),
    right: bordersOf(plane, 'right', runs.right),
    top: bordersOf(plane, 'top', runs.top),
    bottom: bordersOf(plane, 'bottom', runs.bottom),
  }
  const found = bestOf(plane, borders)
  const parts = found.map((rectangle) => placed(plane, rectangle))
  const stretch = (aspect * plane.rows) / plane.cols
  const padded = found
    .flatMap((rectangle) => withoutPadding(plane, borders, rectangle, stretch))
    .slice(0, MAX_PADDED)
  return [...parts.slice(0, MAX_PARTS - padded.length), ...padded]
}

/** The plane's own side, and the best lines that are not beside a better one. */
function bordersOf(plane: Plane, side: Side, runs: readonly Run[]): Border[] {
  const isEnd = side === 'right' || side === 'bottom'
  const end = side === 'right' ? plane.cols : side === 'bottom' ? plane.rows : 0
  const inwards = isEnd ? -1 : 1
  const best: Run[] = []
  const order = runs.filter(({ score }) => score >= MIN_SCORE)
  for (const run of order.toSorted((a, b) => strength(b) - strength(a))) {
    if (best.length === MAX_BORDERS) break
    if (best.some((better) => isBeside(better, run))) continue
    const inner = order.find(({ at }) => at === run.at + inwards)
    best.push(inner && inner.score >= run.score * SAME_SCORE ? inner : run)
  }
  return [
    { side, at: end, edge: end, counts: undefined },
    ...best.map(({ at }) => ({
      side,
      at,
      edge: isEnd ? at + 1 : at,
      counts: plane.onBorder(side, at),
    })),
  ]
}

/** A run's score, less the more of it is missing. */
function strength({ score, from, to }: Run): number {
  return (score * (score + to - from)) / (to - from)
}

function isBeside(a: Run, b: Run): boolean {
  return Math.abs(a.at - b.at) < MIN_DISTANCE && a.from < b.to && b.from < a.to
}

/** From one border to the one across, in whole pixels. */
interface Span {
  first: Border
  last: Border
  /** Places of these among their kind. */
  from: number
  to: number
}

/** The rectangles between borders that are worth most. */
function bestOf(plane: Plane, { left, right, top, bottom }: Borders): Rectangle[] {
  const across = spansOf(left, right, plane.cols * MIN_WIDTH)
  const down = spansOf(top, bottom, plane.rows * MIN_HEIGHT)
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
      const area = (lengthOf(x) * lengthOf(y)) / (plane.cols * plane.rows)
      best.add(x, y, above + below + before + behind + Math.sqrt(area))
    }
  }
  return best.distinct()
}

function spansOf(firsts: readonly Border[], lasts: readonly Border[], least: number): Span[] {
  return firsts
    .flatMap((first, from) => lasts.map((last, to) => ({ first, last, from, to })))
    .filter((span) => lengthOf(span) >= least)
}

function lengthOf({ first, last }: Span): number {
  return last.edge - first.edge
}

/** Sides of a span that are the plane's own. */
function ownSides({ first, last }: Span): number {
  return (first.counts ? 0 : 1) + (last.counts ? 0 : 1)
}

/** What each border is worth as a side along each span: 0 if it is no side of it. */
function worthsAlong(borders: readonly Border[], spans: readonly Span[]): number[][] {
  return borders.map(({ counts }) =>
    spans.map(({ first, last }) => worthOf(counts, first.edge, last.edge)),
  )
}

function worthOf(counts: Uint16Array | undefined, from: number, to: number): number {
  if (!counts) return OWN_SIDE
  const share = (start: number, end: number) =>
    ((counts[end] ?? 0) - (counts[start] ?? 0)) / (end - start)
  const on = share(from, to)
  if (on < MIN_SHARE) return 0
  const before = from < BEYOND ? 0 : share(from - BEYOND, from - GAP)
  const behind = to + BEYOND >= counts.length ? 0 : share(to + GAP, to + BEYOND)
  return on * on * (1 - before / 2) * (1 - behind / 2)
}

/** The rectangles that are worth most, the best first. Two sides at least are borders. */
class Best {
  readonly #rectangles: Rectangle[] = []

  add(x: Span, y: Span, worth: number): void {
    const all = this.#rectangles
    if (all.length === MAX_WEIGHED && worth <= (all.at(-1)?.worth ?? 0)) return
    if (ownSides(x) + ownSides(y) > 2) return
    const sides = { left: x.first, right: x.last, top: y.first, bottom: y.last }
    const place = all.findIndex((other) => other.worth < worth)
    all.splice(place < 0 ? all.length : place, 0, { ...sides, worth })
    all.length = Math.min(all.length, MAX_WEIGHED)
  }

  /** Without those that are nearly as a better one. */
  distinct(): Rectangle[] {
    const found: Rectangle[] = []
    for (const one of this.#rectangles) {
      if (found.length === MAX_PARTS) break
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

/** A rectangle with its sides to fractions of a pixel. */
function placed(plane: Plane, { left, right, top, bottom }: Record<Side, Border>): Part {
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
 * Pictures in a bubble that is as wide around them on all sides. Above and below, it is too thin to be seen in a plane.
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
