import { ms, printTable } from '../measure.ts'
import type { Bars } from '../bars.ts'
import { QUERIES } from './cases.ts'
import type { ListName } from './lists.ts'
import type { Place } from './places.ts'

export const MILLION = 1_000_000

/** One needle by scanning. */
export async function showScan(places: readonly Place[], bars: Bars): Promise<void> {
  const rows: string[][] = []
  for (const place of places) {
    for (const millions of [1, 3, 5]) {
      const { times } = await place.measure({ kind: 'scan', count: millions * MILLION })
      const [scan = 0, read = 0, inFour = 0] = times
      const what = `one needle, ${millions} million, ratio to reading, ${place.name}`
      const ratio = scan / read
      rows.push([
        `${millions} million, ${place.name}`,
        ms(scan),
        ms(read),
        millions === 5 ? ratio.toFixed(2) : bars.check(what, ratio),
        ms(inFour),
        (scan / inFour).toFixed(2),
      ])
    }
  }
  console.log('### One needle\n')
  console.log(
    'A scan of all segments beside loops that only read as many bytes: from their start to their',
  )
  console.log('end, and in four places at once, as the scan does.\n')
  printTable(['list', 'scan, ms', 'reading, ms', 'ratio', 'in four, ms', 'ratio'], rows)
}

const LISTS: Record<ListName, string> = {
  uniform: 'random',
  clustered: 'families of 64 within 12 bits',
  copies: 'copies of real hashes, 0 to 10 bits flipped',
  adversarial: '100,000 share their first 16 bits',
}

/**
 * 40 needles, by table and by scanning.
 * @param bases hashes of pictures; without them there is no list of their copies
 */
export async function showTables(
  places: readonly Place[],
  bars: Bars,
  bases: readonly string[],
): Promise<void> {
  const rows: string[][] = []
  const builds: string[][] = []
  for (const place of places) {
    for (const list of Object.keys(LISTS) as ListName[]) {
      if (list === 'copies' && bases.length === 0) continue
      const { times, facts } = await place.measure(tableSpec(list, bases))
      const sets = Object.keys(facts).filter((name) => name.startsWith('found: '))
      for (const [i, fact] of sets.entries()) {
        const set = fact.slice('found: '.length)
        const [table = 0, scan = 0] = times.slice(i * 2)
        const what = `40 needles, ${LISTS[list]}, ${set}, ms, ${place.name}`
        rows.push([
          `${LISTS[list]}, ${place.name}`,
          set,
          isBounded(set, facts[fact]) ? table.toFixed(2) : bars.check(what, table),
          ms(scan),
          (table / scan).toFixed(2),
          Number.isFinite(facts[fact]) ? String(facts[fact]) : 'more than counted',
        ])
      }
      builds.push(buildRow(`${LISTS[list]}, ${place.name}`, facts))
    }
  }
  console.log('### 40 needles against a million hashes\n')
  printTable(['list', 'needles', 'table, ms', 'scan, ms', 'ratio', 'found'], rows)
  console.log('Building the tables, without reading their input.\n')
  printTable(['list', 'all, ms', 'longest slice, ms', 'bytes an entry'], builds)
}

/**
 * Whether needles have so many candidates that they are scanned, or more than are reported: then
 * scanning bounds the time, and no bar does.
 */
function isBounded(set: string, found: number | undefined): boolean {
  return set === 'sharing the bits' || !Number.isFinite(found)
}

/** The million hashes of a list, as a case. */
export function tableSpec(list: ListName, bases: readonly string[], count = MILLION) {
  return { kind: 'table' as const, list, count, ...(list === 'copies' && { bases: [...bases] }) }
}

function buildRow(name: string, facts: Record<string, number>): string[] {
  const bytes = (facts['memoryBytes'] ?? 0) / MILLION
  return [name, ms(facts['total'] ?? 0), ms(facts['longest'] ?? 0), bytes.toFixed(1)]
}

const DIGEST_COUNT = 3 * MILLION

/** Digests of whole files. */
export async function showDigests(places: readonly Place[], bars: Bars): Promise<void> {
  const rows: string[][] = []
  for (const place of places) {
    const { times, facts } = await place.measure({ kind: 'digests', count: DIGEST_COUNT })
    const micros = ((times[0] ?? 0) * 1000) / QUERIES
    const bytes = (facts['memoryBytes'] ?? 0) / DIGEST_COUNT
    rows.push([
      place.name,
      bars.check(`a digest, 3 million, µs, ${place.name}`, micros),
      bytes.toFixed(2),
      `${(100 * (facts['falseShare'] ?? 0)).toFixed(3)} %`,
    ])
  }
  console.log('### Digests of whole files, 3 million\n')
  printTable(['where', 'a query, µs', 'bytes a digest', 'false candidates'], rows)
}

/** Memory of the largest lists. */
export async function showMemory(place: Place): Promise<void> {
  const bytesOf = async (kind: 'scan' | 'digests', millions: number) => {
    const { facts } = await place.measure({ kind, count: millions * MILLION })
    return facts['memoryBytes'] ?? 0
  }
  const digests = await bytesOf('digests', 3)
  const both = (await bytesOf('scan', 3)) + digests
  const five = await bytesOf('scan', 5)
  console.log('### Memory\n')
  printTable(
    ['list', 'bytes'],
    [
      ['3 million hashes and 3 million digests', String(both)],
      ['of these the digests', String(digests)],
      ['5 million hashes', String(five)],
    ],
  )
}
