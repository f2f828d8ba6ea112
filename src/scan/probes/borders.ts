// Lines of a plane that may be sides of pictures, and how good each is as a side.

import type { Plane, Run, Side } from '../../core/plane.ts'

/** Maximum candidates for a side, the best first; and their minimum score. */
const MAX_BORDERS = 16
const MIN_SCORE = 40
/**
 * Of two adjacent lines, the inner one is the border if it has this share of the best score: the
 * outer one sees half of the step.
 */
const SAME_SCORE = 0.9
/** Minimum distance between two adjacent borders of a side, in pixels. */
const MIN_DISTANCE = 3
/** Share of a side that must lie on the border. */
const MIN_SHARE = 0.4
/**
 * Pixels beyond the corners, after a gap, within which a border of this picture ends. One that goes
 * on counts half.
 */
const BEYOND = 14
const GAP = 2
/** Worth of the plane's own side; a side that lies on the border all along is worth 1. */
const OWN_SIDE = 0.3

/** A line that may be a side of a picture, or the plane's own side. */
export interface Border {
  side: Side
  /** Row, or column, of the pixels on the border. */
  at: number
  /** Where the inside begins, or ends, in whole pixels. */
  edge: number
  /**
   * Number of border pixels before each position, and in all. `undefined`: the plane's own side.
   */
  counts: Uint16Array | undefined
}

export type Borders = Record<Side, Border[]>

/** Borders for each side. `undefined` if there is no memory to look for them. */
export function findBorders(plane: Plane): Borders | undefined {
  const runs = plane.runs()
  if (!runs) return undefined
  return {
    left: bordersOf(plane, 'left', runs.left),
    right: bordersOf(plane, 'right', runs.right),
    top: bordersOf(plane, 'top', runs.top),
    bottom: bordersOf(plane, 'bottom', runs.bottom),
  }
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

/** A run's score, lowered the more of it is missing. */
function strength({ score, from, to }: Run): number {
  return (score * (score + to - from)) / (to - from)
}

function isBeside(a: Run, b: Run): boolean {
  return Math.abs(a.at - b.at) < MIN_DISTANCE && a.from < b.to && b.from < a.to
}

/**
 * Worth of a border as a side from one position to another, by its counts: 0 if it is not a side.
 */
export function worthOf(counts: Uint16Array | undefined, from: number, to: number): number {
  if (!counts) return OWN_SIDE
  const share = (start: number, end: number) =>
    ((counts[end] ?? 0) - (counts[start] ?? 0)) / (end - start)
  const on = share(from, to)
  if (on < MIN_SHARE) return 0
  const before = from < BEYOND ? 0 : share(from - BEYOND, from - GAP)
  const behind = to + BEYOND >= counts.length ? 0 : share(to + GAP, to + BEYOND)
  return on * on * (1 - before / 2) * (1 - behind / 2)
}
