import { mkdir, writeFile } from 'node:fs/promises'
import { ms, printTable } from '../measure.ts'
import { QUERIES } from './cases.ts'
import type { Place } from './places.ts'
import { type Line, plotLines } from './plot.ts'
import { MILLION, tableSpec } from './tables.ts'

const PLOT = new URL('../../docs/plots/match.svg', import.meta.url)

/** Times by size of list, as a table and as a plot. */
export async function showGrowth(place: Place): Promise<void> {
  const lines: Line[] = [
    {
      name: 'one needle, by scanning',
      points: await pointsOf([0.25, 0.5, 1, 2, 3, 5], async (count) => {
        const { times } = await place.measure({ kind: 'scan', count })
        return times[0] ?? 0
      }),
    },
    {
      name: '40 needles, by table',
      points: await pointsOf([0.25, 0.5, 1], async (count) => {
        const { times } = await place.measure(tableSpec('uniform', [], count))
        return times[0] ?? 0
      }),
    },
    {
      name: 'one digest',
      points: await pointsOf([0.25, 0.5, 1, 2, 3], async (count) => {
        const { times } = await place.measure({ kind: 'digests', count })
        return (times[0] ?? 0) / QUERIES
      }),
    },
  ]
  await mkdir(new URL('.', PLOT), { recursive: true })
  await writeFile(PLOT, plotLines(`Time of a query, in ${place.name}, on one core`, lines))
  console.log('### Growth\n')
  console.log(`Milliseconds, in ${place.name}; docs/plots/match.svg draws them.\n`)
  printTable(['million entries', ...lines.map(({ name }) => name)], rowsOf(lines))
}

async function pointsOf(
  millions: readonly number[],
  time: (count: number) => Promise<number>,
): Promise<[number, number][]> {
  const points: [number, number][] = []
  for (const size of millions) points.push([size * MILLION, await time(size * MILLION)])
  return points
}

function rowsOf(lines: readonly Line[]): string[][] {
  const counts = new Set(lines.flatMap(({ points }) => points.map(([count]) => count)))
  return [...counts]
    .toSorted((a, b) => a - b)
    .map((count) => [String(count / MILLION)].concat(lines.map((line) => cellOf(line, count))))
}

function cellOf({ points }: Line, count: number): string {
  const point = points.find(([at]) => at === count)
  if (!point) return ''
  return point[1] < 0.01 ? point[1].toFixed(5) : ms(point[1])
}
