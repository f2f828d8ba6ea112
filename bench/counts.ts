// The countable part of work that is measured elsewhere: steps of the core, bytes, reads of KV,
// rows, needles. Counts are the same on every machine, so CI asserts them, and prints beside them
// how the bars on times stand.
//
//   npm run bench -- counts --assert    exits with 1 if a count is over its bar

import sharp from 'sharp'
import { HASH_BYTES } from '../src/util/hash.ts'
import { ImageCore } from '../src/core/image-core.ts'
import type { CoreModules } from '../src/core/modules.ts'
import { readModules } from '../src/core/node.ts'
import { publishBank } from '../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../src/list/sealing.ts'
import { type Bytes, MemoryStore } from '../src/list/store.ts'
import { LiveList } from '../src/match/live-list.ts'
import { PROBE_SETS } from '../src/scan/probes/sets.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { countedModule } from '../test/support/counted-core.ts'
import { scene } from '../test/support/scene.ts'
import { type Bar, isMet, limitOf, standing, TIMED_BARS } from './bars.ts'
import { hashesOf, makeList } from './match/lists.ts'
import { fastBytes } from './match/random.ts'
import { randomDigestSets, randomHaystacks } from './match/random-lists.ts'
import { buildTables, entryOf, loadSegments, searchAll, storeSegments } from './match/segments.ts'
import { printTable } from './measure.ts'
import { syncRecords } from './sync.ts'

const MILLION = 1_000_000

/** A count, and its bar. */
interface Count extends Bar {
  value: number
}

/** The report of `npm run bench -- counts`. */
export async function benchCounts(args: readonly string[]): Promise<void> {
  const counted = countSteps()
  const counts = [
    ...(await countScans(counted)),
    ...(await countSearches(counted)),
    ...countMemory(),
    ...(await countReads()),
    ...(await countRows()),
  ]
  console.log('### Counts\n')
  printTable(
    ['what', 'count', 'bar', ''],
    counts.map((one) => [one.what, format(one.value), limitOf(one), standing(one, one.value)]),
  )
  console.log('### Bars on times, as they were last measured on a machine that did nothing else\n')
  printTable(
    ['report', 'what', 'value', 'bar', ''],
    TIMED_BARS.map((bar) => [
      bar.report,
      bar.what,
      String(bar.measured),
      limitOf(bar),
      standing(bar, bar.measured),
    ]),
  )
  if (!args.includes('--assert')) return
  const missed = counts.filter((one) => !isMet(one, one.value))
  for (const { what } of missed) console.error(`bench: bar missed: ${what}`)
  if (missed.length > 0) process.exitCode = 1
}

const format = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2))

interface CountedModules {
  modules: CoreModules
  /** Steps of the core so far: calls, loop iterations, and bytes copied or filled. */
  steps: () => number
}

/** Modules whose instances count their steps, from here on in this process. */
function countSteps(): CountedModules {
  const counters = [countedModule('image'), countedModule('match')]
  const { Instance } = WebAssembly
  WebAssembly.Instance = class extends Instance {
    constructor(of: WebAssembly.Module, imports: WebAssembly.Imports = {}) {
      const counter = counters.find(({ module }) => module === of)
      const env = { ...imports['env'], ...counter?.imports['env'] }
      super(of, counter ? { ...imports, env } : imports)
    }
  }
  const [image, match] = counters.map(({ module }) => module)
  if (!image || !match) throw new Error('there are no counted modules')
  return {
    modules: { ...readModules(), image: new ImageCore(image), match },
    steps: () => counters.reduce((sum, { steps }) => sum + steps.value, 0),
  }
}

/**
 * Maximum needles of the picture, and thousands of steps to make them, by probe set. The limits of
 * steps are a twentieth above today's, because encoders differ.
 */
const SCANS = {
  plain: [1, 5000],
  'as-is': [2, 5400],
  default: [43, 6300],
  wide: [140, 9500],
} as const

/** A picture of 1.2 megapixels, by probe set. */
async function countScans({ modules, steps }: CountedModules): Promise<Count[]> {
  const { data, channels } = scene(1280, 960, 3, 7)
  const raw = { width: 1280, height: 960, channels }
  const file = await sharp(data, { raw }).jpeg({ quality: 90 }).toBuffer()
  const counts: Count[] = []
  for (const set of ['plain', 'as-is', 'default', 'wide'] as const) {
    const before = steps()
    const scanned = await withSameDraws(() => scanFile({ modules, probes: PROBE_SETS[set] }, file))
    if (scanned.coverage !== 'scanned') throw new Error('the picture cannot be scanned')
    const needles = [...scanned.needles, ...(scanned.widen?.() ?? [])].length
    const thousands = Math.round((steps() - before) / 1000)
    const [mostNeedles, mostSteps] = SCANS[set]
    counts.push(
      { what: `needles of a picture, ${set}`, value: needles, most: mostNeedles },
      { what: `steps to them, thousands, ${set}`, value: thousands, most: mostSteps },
    )
  }
  return counts
}

/**
 * Runs work with the same random numbers each time: a decoder draws the places that it looks at,
 * and a rare draw costs more.
 */
async function withSameDraws<T>(work: () => Promise<T>): Promise<T> {
  const draw = crypto.getRandomValues.bind(crypto)
  crypto.getRandomValues = (array) => {
    if (array instanceof Uint32Array) array.fill(7)
    return array
  }
  try {
    return await work()
  } finally {
    crypto.getRandomValues = draw
  }
}

/** Needles against a million hashes, by scanning and by table. */
async function countSearches({ modules, steps }: CountedModules): Promise<Count[]> {
  const { hashes, needles } = makeList('uniform', MILLION, [])
  const asked = needles['unrelated'] ?? []
  const stored = storeSegments(hashesOf(hashes))
  const segments = await loadSegments(modules, stored)
  const haystacks = segments.map(({ haystack }) => haystack)
  const stepsOf = (run: () => unknown) => {
    const before = steps()
    run()
    return Math.round((steps() - before) / 1000)
  }
  const scan = stepsOf(() => searchAll(haystacks, asked.slice(0, 1)))
  await buildTables(modules, stored, segments)
  const table = stepsOf(() => searchAll(haystacks, asked))
  const bytes = haystacks.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) / MILLION
  return [
    { what: 'steps of a scan of a million hashes, thousands', value: scan, most: 300 },
    { what: 'steps of 40 needles by table, a million hashes, thousands', value: table, most: 300 },
    { what: 'bytes an entry, with a table', value: bytes, most: 64 },
  ]
}

/** Memory of the largest lists without tables. */
function countMemory(): Count[] {
  const { haystacks } = randomHaystacks(readModules(), 3 * MILLION)
  const { sets } = randomDigestSets(3 * MILLION)
  const sum = (all: readonly { memoryBytes: number }[]) =>
    all.reduce((bytes, { memoryBytes }) => bytes + memoryBytes, 0)
  const [hashes, digests] = [sum(haystacks), sum(sets)]
  return [
    { what: 'bytes a digest', value: digests / (3 * MILLION), most: 3 },
    {
      what: 'bytes of 3 million hashes and 3 million digests',
      value: hashes + digests,
      most: 60_000_000,
    },
  ]
}

/** A store in memory that counts what is read from it. */
class CountedStore extends MemoryStore {
  reads = 0
  bytes = 0

  override async get(key: string): Promise<Bytes | undefined> {
    const value = await super.get(key)
    this.reads++
    this.bytes += value?.length ?? 0
    return value
  }

  /** What was read since the last call. */
  take(): { reads: number; bytes: number } {
    const taken = { reads: this.reads, bytes: this.bytes }
    this.reads = this.bytes = 0
    return taken
  }
}

const LISTED = 200_000

/** What an isolate reads from KV up to its first answer, for a match, and if nothing is new. */
async function countReads(): Promise<Count[]> {
  const inner = new CountedStore()
  const store = new SealedStore(inner, parseListKeys('ab'.repeat(32)))
  const hashes = hashesOf(fastBytes(LISTED * HASH_BYTES, 11))
  const entries = hashes.map((hash, i) => ({ ...entryOf('pdq')(hash), id: `e-${i}` }))
  await publishBank(store, entries, { bank: 'bench' })
  const clock = { ms: 0 }
  const list = new LiveList({
    modules: readModules(),
    store,
    maxEntries: 5 * MILLION,
    maxTableEntries: 0,
    refreshSeconds: 60,
    maxAgeSeconds: 3600,
    onStale: 'use',
    now: () => clock.ms,
    onError: (error) => {
      throw error
    },
  })
  const ask = async (hash: Uint8Array, expected: number) => {
    inner.take()
    const behind: Promise<unknown>[] = []
    const needle = { hash, quality: 100, stretchedQuality: 100, weakBits: 0 }
    const query = { needles: [{ ...needle, probe: 'identity' as const, tolerance: 0, frame: 0 }] }
    const { results } = await list.match([query], (promise) => void behind.push(promise))
    await Promise.all(behind)
    if (results[0]?.matches.length !== expected) throw new Error('the list answers wrongly')
    return inner.take()
  }
  const unrelated = fastBytes(HASH_BYTES, 12)
  const first = await ask(unrelated, 0)
  const match = await ask(hashes[7] ?? unrelated, 1)
  clock.ms += 61_000
  const refresh = await ask(unrelated, 0)
  return [
    { what: 'reads of KV to the first answer, 200,000 entries', value: first.reads, most: 5 },
    { what: 'bytes read for it, an entry', value: first.bytes / LISTED, most: 16.1 },
    { what: 'reads of KV for a match', value: match.reads, most: 1 },
    { what: 'reads of KV when nothing is new', value: refresh.reads, most: 1 },
  ]
}

const SYNCED = 2000

/** Rows that the desk writes to D1. */
async function countRows(): Promise<Count[]> {
  const [fill, change, nothing] = await syncRecords(SYNCED)
  const each = (run: typeof fill) => (run?.rowsWritten ?? Infinity) / (run?.records ?? 1)
  return [
    { what: 'rows written a record, first fill', value: each(fill), most: 2.1 },
    { what: 'rows written a record, changed', value: each(change), most: 5.1 },
    { what: 'rows written when nothing is new', value: nothing?.rowsWritten ?? Infinity, most: 11 },
  ]
}
