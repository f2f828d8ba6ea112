/** Something to measure. */
export interface Contender {
  name: string
  run: () => unknown
}

/** Times of a contender, in milliseconds. */
export interface Timing {
  name: string
  median: number
  mean: number
  best: number
}

/**
 * CPU time of this process in milliseconds: other programs hardly affect it. It advances in steps,
 * so only means are accurate.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Measures contenders against each other. They take turns, so that disturbances affect all of them,
 * after a warm-up round.
 * @param now milliseconds
 */
export async function measure(
  contenders: readonly Contender[],
  rounds: number,
  now: () => number = () => performance.now(),
): Promise<[Timing, ...Timing[]]> {
  const times = contenders.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (const [i, { run }] of contenders.entries()) {
      const start = now()
      await run()
      const elapsed = now() - start
      if (round >= 0) times[i]?.push(elapsed)
    }
  }
  const timings = contenders.map(({ name }, i) => {
    const sorted = (times[i] ?? []).toSorted((a, b) => a - b)
    const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length
    return { name, median: sorted[sorted.length >> 1] ?? 0, mean, best: sorted[0] ?? 0 }
  })
  return timings as [Timing, ...Timing[]]
}

/** Milliseconds as a cell. */
export function ms(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 1 ? value.toFixed(1) : value.toFixed(3)
}

/** Prints a Markdown table with padded columns. */
export function printTable(head: string[], rows: string[][]): void {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  console.log(line(head))
  console.log(
    `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  )
  for (const row of rows) console.log(line(row))
  console.log()
}
