import type { Part, Plane } from '../../core/plane.ts'

/**
 * An edge stands out if its average luma step, over two pixels, exceeds the steps around it by this
 * much.
 */
const MIN_HEIGHT = 2
/** Pixels next to an edge that belong to it, and how far its surroundings reach. */
const NEAR = 4
const FAR = 14
/** Pixels by which opposite bars may differ. */
const MAX_DIFFERENCE = 6
/** Edges of a side that may be a picture's. */
const MAX_EDGES = 3
/** Smallest share of the plane's side that a picture in it takes. */
const MIN_SHARE = 0.3

/** Pictures between bars of any look that have the same height or width on both sides. */
export function partsBetweenBars(plane: Plane): Part[] {
  const { byRow, byColumn } = plane.steps()
  const whole = { x0: 0, x1: plane.cols, y0: 0, y1: plane.rows }
  const pillars = evenPair(edgesOf(byColumn), plane.cols)
  const letters = evenPair(edgesOf(byRow), plane.rows)
  return [
    ...(pillars ? [{ ...whole, x0: pillars[0], x1: pillars[1] }] : []),
    ...(letters ? [{ ...whole, y0: letters[0], y1: letters[1] }] : []),
  ]
}

/** An edge right across a plane. */
interface Edge {
  /** First row, or column, after it. */
  at: number
  /** By how much it stands out, in luma. */
  height: number
}

/** Edges that stand out, the strongest first. */
function edgesOf(steps: Float32Array): Edge[] {
  const sums = new Float64Array(steps.length + 1)
  for (let i = 0; i < steps.length; i++) sums[i + 1] = (sums[i] ?? 0) + (steps[i] ?? 0)
  const mean = (start: number, end: number) =>
    end <= start ? 0 : ((sums[end] ?? 0) - (sums[start] ?? 0)) / (end - start)
  const edges: Edge[] = []
  for (let i = NEAR; i < steps.length - NEAR + 1; i++) {
    const step = steps[i] ?? 0
    if (step < (steps[i - 1] ?? 0) || step <= (steps[i + 1] ?? 0)) continue
    const around = Math.max(
      mean(Math.max(2, i - FAR), i - NEAR + 1),
      mean(i + NEAR, Math.min(steps.length, i + FAR + 1)),
    )
    if (step - around >= MIN_HEIGHT) edges.push({ at: i, height: step - around })
  }
  return edges.toSorted((a, b) => b.height - a.height)
}

/** The two edges, among the strongest, that are equally far from opposite sides. */
function evenPair(edges: readonly Edge[], side: number): [number, number] | undefined {
  for (const first of edges.slice(0, MAX_EDGES)) {
    const second = edges
      .slice(0, MAX_EDGES)
      .find(({ at }) => at > side / 2 && Math.abs(side - at - first.at) <= MAX_DIFFERENCE)
    if (second && first.at < side / 2 && second.at - first.at >= side * MIN_SHARE) {
      return [first.at, second.at]
    }
  }
  return undefined
}
