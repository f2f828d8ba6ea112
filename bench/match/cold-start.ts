import { execFileSync } from 'node:child_process'
import { formatHash } from '../../src/util/hash.ts'
import type { Entry } from '../../src/list/entry.ts'
import { type Manifest, segmentsOf } from '../../src/list/manifest.ts'
import { partsOf } from '../../src/list/pdq-segment.ts'
import { publishBank } from '../../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { ms, printTable } from '../measure.ts'
import type { Bars } from '../bars.ts'
import { hashesOf } from './lists.ts'
import { medianOf } from './places.ts'
import { fastBytes } from './random.ts'
import { type BenchWorkers, LIST_KEY } from './workerd.ts'

interface ColdStart {
  /**
   * Milliseconds, medians over isolates: to the first answer, to a match after it, and for merely
   * reading the same values.
   */
  load: number
  match: number
  read: number
  /** Bytes of values read. */
  bytes: number
  publishSeconds: number
}

/** Workers whose isolates start cold. Half of them load, half only read. */
export const COLD_ISOLATES = Array.from({ length: 14 }, (_, i) => i + 1)

/** Bytes to touch beforehand: the isolates' memory together, several times over. */
const TOUCHED_BYTES = 4e9

/**
 * Touches memory and frees it. A virtual machine backs memory when it is first touched, which takes
 * ten times as long as reusing a page: otherwise that would hide everything else.
 */
function touchMemory(): void {
  const script = `const held = []; for (let i = 0; i < 16; i++) held.push(Buffer.alloc(${TOUCHED_BYTES / 16}, 1))`
  execFileSync(process.execPath, ['--eval', script])
}

/** Times to an isolate's first answer, compared with reading alone. */
export async function showColdStart(
  workers: BenchWorkers,
  bars: Bars,
  count: number,
): Promise<void> {
  const { load, match, read, bytes, publishSeconds } = await measureColdStart(workers, count)
  const megabytes = (bytes / 1e6).toFixed(1)
  console.log(`### Cold start in workerd, ${count / 1e6} million hashes in local KV\n`)
  console.log(
    'From the manifest to the first answer, beside streams of the same values with nothing',
  )
  console.log(`done to them: ${megabytes} MB, published in ${publishSeconds.toFixed(0)} seconds.\n`)
  printTable(
    ['first answer, ms', 'reading, ms', 'ratio', 'then a match, ms'],
    [[ms(load), ms(read), bars.check('cold start, ratio to reading', load / read), ms(match)]],
  )
}

/** Segments that a cold start reads at once; the reader does the same. */
const AT_ONCE = 4

/**
 * Publishes a list to local KV and has fresh isolates load it, in turns with others that only read
 * the values.
 * @param isolates numbers of Workers; an even count
 */
async function measureColdStart(workers: BenchWorkers, count: number): Promise<ColdStart> {
  const entries = randomEntries(count)
  const begin = performance.now()
  const store = new SealedStore(await workers.store(), parseListKeys(LIST_KEY))
  const { manifest } = await publishBank(store, entries, { bank: 'bench', threshold: 31 })
  const publishSeconds = (performance.now() - begin) / 1000

  touchMemory()
  const known = formatHash(entries[count >> 1]?.hash ?? new Uint8Array(32))
  // The first upload is seldom a known image.
  const unrelated = formatHash(fastBytes(32, 12))
  const times = { load: [] as number[], match: [] as number[], read: [] as number[] }
  let bytes = 0
  for (const [i, isolate] of COLD_ISOLATES.entries()) {
    await workers.ask(isolate, '/') // starts the isolate
    const { elapsed: empty } = await workers.ask(isolate, '/')
    if (i % 2 === 1) {
      const { answer, elapsed } = await workers.ask(isolate, '/read', { keys: keysOf(manifest) })
      times.read.push(elapsed - empty)
      bytes = answer as number
      continue
    }
    const first = await workers.ask(isolate, '/load', { needle: unrelated })
    const second = await workers.ask(isolate, '/match', { needle: known })
    times.load.push(first.elapsed - empty)
    times.match.push(second.elapsed - empty)
    const answers = [first.answer, second.answer]
    if (answers.join() !== '0,1') throw new Error(`${answers.join()} matches, and not 0 and 1`)
  }
  return {
    load: medianOf(times.load),
    match: medianOf(times.match),
    read: medianOf(times.read),
    bytes,
    publishSeconds,
  }
}

function randomEntries(count: number): Entry[] {
  return hashesOf(fastBytes(count * 32, 11)).map((hash, i) => ({
    kind: 'pdq',
    hash,
    id: `e-${i}`,
    labels: {},
  }))
}

/** Keys of everything that is searched, in rows that are read in parallel. */
function keysOf(manifest: Manifest): string[][] {
  const rows = Array.from({ length: AT_ONCE }, (): string[] => [])
  for (const ref of segmentsOf(manifest)) {
    for (const part of partsOf(ref)) rows[part % AT_ONCE]?.push(`segment/${ref.name}/${part}`)
  }
  return rows
}
