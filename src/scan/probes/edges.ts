import type { Part, Plane } from '../../core/plane.ts'

/** Luma by which the pixels along an edge differ from those two before, on average, more than they do around it. */
const MIN_HEIGHT = 2
/** Pixels beside an edge that belong to it, and those behind which what is around it is looked at. */
const NEAR = 4
const FAR = 14
/** Pixels by which bars on opposite sides may differ. */
const MAX_DIFFERENCE = 6
/** Edges along a side that may be a picture's. */
const MAX_EDGES = 3
/** Share of the plane that a picture in it takes at least, a side. */
const MIN_SHARE = 0.3

/** An edge right across a plane. */
interface Edge {
  /** First row, or column, behind it. */
  at: number
  /** By how much it stands out, in luma. */
  height: number
}

/** What the edges that run across a plane may be the borders of. */
export interface Framed {
  /** A picture between bars of whatever looks, as high or as wide on both sides. */
  betweenBars: Part[]
  /** Pictures within others: on pages, in collages. Those with the clearest edges first. */
  within: Part[]
}

export function partsByEdges(plane: Plane): Framed {
  const { byRow, byColumn } = plane.steps()
  const rows = edgesOf(byRow)
  const cols = edgesOf(byColumn)
  const whole = { x0: 0, x1: plane.cols, y0: 0, y1: plane.rows }
  const pillars = evenPair(cols, plane.cols)
  const letters = evenPair(rows, plane.rows)
  return {
    betweenBars: [
      ...(pillars ? [{ ...whole, x0: pillars[0], x1: pillars[1] }] : []),
      ...(letters ? [{ ...whole, y0: letters[0], y1: letters[1] }] : []),
    ],
    within: rectangles(cols, rows, plane),
  }
}

/** Edges that stand out, the highest first. */
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

/** The two edges among the highest that lie as far from the one side as from the other. */
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

/** Parts between two of the highest edges, or an edge and a side, both ways; by how high all their edges are. */
function rectangles(cols: readonly Edge[], rows: readonly Edge[], plane: Plane): Part[] {
  const found: { part: Part; height: number }[] = []
  for (const x of spans(cols, plane.cols)) {
    for (const y of spans(rows, plane.rows)) {
      if (x.isWhole && y.isWhole) continue
      const part = { x0: x.start, x1: x.end, y0: y.start, y1: y.end }
      found.push({ part, height: x.height + y.height })
    }
  }
  return found.toSorted((a, b) => b.height - a.height).map(({ part }) => part)
}

interface Span {
  start: number
  end: number
  /** Of both ends. */
  height: number
  isWhole: boolean
}

function spans(edges: readonly Edge[], side: number): Span[] {
  const ends: Edge[] = [
    { at: 0, height: 0 },
    ...edges.slice(0, MAX_EDGES),
    { at: side, height: 0 },
  ].toSorted((a, b) => a.at - b.at)
  return ends.flatMap((from, i) =>
    ends
      .slice(i + 1)
      .filter((to) => to.at - from.at >= side * MIN_SHARE)
      .map((to) => ({
        start: from.at,
        end: to.at,
        height: from.height + to.height,
        isWhole: to.at - from.at === side,
      })),
  )
}
