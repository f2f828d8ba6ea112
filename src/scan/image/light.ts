/** Light in CIE XYZ, as a share of the light of D50 white. */
export type Xyz = readonly [number, number, number]

/** Three rows of a matrix. */
export type Rows = readonly [Xyz, Xyz, Xyz]

/** D50, the white of profiles. */
export const WHITE: Xyz = [0.9642, 1, 0.8249]

/** What is no number counts as 0. */
export function clamp(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

export function times([x, y, z]: Xyz, factor: number): Xyz {
  return [x * factor, y * factor, z * factor]
}

export function transform([a, b, c]: Rows, values: readonly number[]): Xyz {
  return [dot(a, values), dot(b, values), dot(c, values)]
}

export function transposed([a, b, c]: Rows): Rows {
  return [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ]
}

/** The inverse of a matrix; `undefined` if it has none. */
export function inverseOf([a, b, c]: Rows): Rows | undefined {
  const columns: Rows = [cross(b, c), cross(c, a), cross(a, b)]
  const factor = 1 / dot(a, columns[0])
  if (!Number.isFinite(factor)) return undefined
  const [x, y, z] = transposed(columns)
  return [times(x, factor), times(y, factor), times(z, factor)]
}

function cross([a, b, c]: Xyz, [d, e, f]: Xyz): Xyz {
  return [b * f - c * e, c * d - a * f, a * e - b * d]
}
