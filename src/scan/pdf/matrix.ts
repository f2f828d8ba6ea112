/** A transformation of the plane, as PDF writes it: x' = ax + cy + e, y' = bx + dy + f. */
export type Matrix = readonly [number, number, number, number, number, number]

/** A rectangle. */
export interface PageArea {
  x0: number
  y0: number
  x1: number
  y1: number
}

export const UNCHANGED: Matrix = [1, 0, 0, 1, 0, 0]
export const UNIT: PageArea = { x0: 0, y0: 0, x1: 1, y1: 1 }

/** Does `first`, then `second`. */
export function chain(first: Matrix, second: Matrix): Matrix {
  const [a, b, c, d, e, f] = first
  const [p, q, r, s, t, u] = second
  return [
    a * p + b * r,
    a * q + b * s,
    c * p + d * r,
    c * q + d * s,
    e * p + f * r + t,
    e * q + f * s + u,
  ]
}

/** `undefined` if everything falls onto a line. */
export function inverse([a, b, c, d, e, f]: Matrix): Matrix | undefined {
  const size = a * d - b * c
  if (!Number.isFinite(1 / size)) return undefined
  return [d / size, -b / size, -c / size, a / size, (c * f - d * e) / size, (b * e - a * f) / size]
}

/** The rectangle around a transformed one. */
export function areaOf([a, b, c, d, e, f]: Matrix, { x0, y0, x1, y1 }: PageArea): PageArea {
  const corners = [
    [x0, y0],
    [x1, y0],
    [x0, y1],
    [x1, y1],
  ] as const
  return around(corners.map(([x, y]) => [a * x + c * y + e, b * x + d * y + f]))
}

/** The rectangle around points. */
export function around(points: readonly (readonly [number, number])[]): PageArea {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) }
}

/** What two rectangles share. */
export function overlap(one: PageArea, other: PageArea): PageArea {
  return {
    x0: Math.max(one.x0, other.x0),
    y0: Math.max(one.y0, other.y0),
    x1: Math.min(one.x1, other.x1),
    y1: Math.min(one.y1, other.y1),
  }
}

/** Whether a rectangle has none of the plane in it. */
export function isEmpty({ x0, y0, x1, y1 }: PageArea): boolean {
  return !(x1 > x0 && y1 > y0)
}
