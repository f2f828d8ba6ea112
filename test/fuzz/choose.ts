/** A number of [0, 1). */
export type Random = () => number

export function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

export function below(limit: number, random: Random): number {
  return Math.floor(random() * limit)
}
