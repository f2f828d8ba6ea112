import type { Sought } from '../core/haystack.ts'
import type { CoreModules } from '../core/modules.ts'
import { atOnce, inTurns, nextTurn, type Steps } from '../util/steps.ts'
import { DIGEST_KINDS } from '../list/entry.ts'
import {
  type Bank,
  type Manifest,
  MAX_THRESHOLD,
  segmentsOf,
  type SegmentRef,
} from '../list/manifest.ts'
import type { StoreReader } from '../list/store.ts'
import type { Needle } from '../scan/scanned.ts'
import { CandidateVerifier, type Searched } from './candidates.ts'
import { ConcurrencyLimit } from './limit.ts'
import {
  buildTable,
  HaystackPool,
  type LoadedExactSegment,
  type LoadedPdqSegment,
  type LoadedSegment,
  loadSegment,
  memoryOf,
  needleMs,
  searchSegment,
  updateRemovals,
} from './loaded-segment.ts'
import type { Match, Matcher, MatchResult, Query } from './match.ts'
import { thresholdOf } from './thresholds.ts'

/** Values that are read at once on the first load. Most of the time is spent waiting. */
const READS_AT_ONCE = 4
/** Fewest hashes of a segment that get a table. Fewer are scanned just as fast. */
const MIN_TABLE_ENTRIES = 1 << 14

/** Most candidates kept for a file, so that a list that is near it as a whole does not exhaust the memory. */
const MAX_CANDIDATES = 20_000

/** Milliseconds of searching between two turns of the event loop. */
const TURN_MS = 10

/** Bits by which `nearest` widens its search. */
const NEAREST_STEP = 16

/** One published version of the list, in memory: 16 bytes a perceptual hash, 2.5 a digest. Details are read for candidates only. */
export class BankIndex implements Matcher {
  readonly manifest: Manifest
  readonly #modules: CoreModules
  readonly #store: StoreReader
  #banks: readonly LoadedBank[]
  #isReleased = false

  private constructor(
    modules: CoreModules,
    store: StoreReader,
    manifest: Manifest,
    banks: readonly LoadedBank[],
  ) {
    this.#modules = modules
    this.#store = store
    this.manifest = manifest
    this.#banks = banks
  }

  /**
   * Loads the segments that a manifest names, except those in `kept`.
   * @throws {ValueMissingError | ValueDamagedError} a segment is missing or damaged
   */
  static async load(
    modules: CoreModules,
    store: StoreReader,
    manifest: Manifest,
    { kept = [], pool, from = store }: LoadOptions = {},
  ): Promise<BankIndex> {
    const known = new Map(kept.map((segment) => [segment.ref.name, segment]))
    const refs = segmentsOf(manifest)
    const loads = new Map<string, Promise<LoadedSegment>>()
    const memories = pool ?? new HaystackPool()
    const reads = new ConcurrencyLimit(pool ? 1 : READS_AT_ONCE)
    const load = async (ref: SegmentRef) => {
      const old = known.get(ref.name) ?? loads.get(ref.name)
      if (old) return updateRemovals(from, await old, ref)
      const loading = loadSegment(modules, from, ref, memories, reads)
      loads.set(ref.name, loading)
      return loading
    }
    const segments = new ConcurrencyLimit(pool ? 1 : READS_AT_ONCE)
    const loading = refs.map((ref) => segments.run(() => load(ref)))
    const loaded = await Promise.all(loading).catch(async (error) => {
      await Promise.allSettled(loading)
      for (const result of await Promise.allSettled(loads.values())) {
        if (result.status === 'fulfilled') giveTo(memories, result.value)
      }
      throw error
    })
    const byRef = new Map(refs.map((ref, i) => [ref, loaded[i]]))
    const banks = manifest.banks.map((bank) => ({
      bank,
      segments: bank.segments.flatMap((ref) => byRef.get(ref) ?? []),
    }))
    return new BankIndex(modules, store, manifest, banks)
  }

  get segments(): readonly LoadedSegment[] {
    return this.#banks.flatMap(({ segments }) => segments)
  }

  get memoryBytes(): number {
    return memoryOf(this.segments)
  }

  /** Whether memories of the index were given away. Do not query it then. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /** Ends the index. Gives the memories of segments that are not in `keeps` to a pool, and returns the other segments. */
  release(keeps: ReadonlySet<string>, pool: HaystackPool): LoadedSegment[] {
    if (this.#isReleased) throw new Error('the index was released before')
    this.#isReleased = true
    for (const segment of this.segments) {
      if (!keeps.has(segment.ref.name)) giveTo(pool, segment)
    }
    const kept = this.segments.filter(({ ref }) => keeps.has(ref.name))
    this.#banks = []
    return kept
  }

  /** Segments without a table that would be faster with one. */
  get #withoutTable(): LoadedPdqSegment[] {
    const distinct = new Map(this.segments.map((segment) => [segment.ref.name, segment]))
    return [...distinct.values()].filter(
      (segment): segment is LoadedPdqSegment =>
        'haystack' in segment &&
        segment.ref.count >= MIN_TABLE_ENTRIES &&
        !segment.haystack.hasTable,
    )
  }

  get needsTables(): boolean {
    return this.#withoutTable.length > 0
  }

  /**
   * Builds the tables of all segments that are large enough, in slices of a few milliseconds. `pause` is awaited between
   * them, and may end the build. Releasing the index ends it, too.
   * @throws {ValueMissingError | ValueDamagedError} tables built so far stay in use
   */
  async buildTables(pause: () => Promise<'go on' | 'end'>): Promise<void> {
    let isEnded = false
    const next = async () => {
      isEnded = (await pause()) === 'end' || this.#isReleased
      return isEnded ? 'end' : 'go on'
    }
    const failures: unknown[] = []
    for (const segment of this.#withoutTable) {
      if (isEnded || this.#isReleased) return
      await buildTable(this.#modules, this.#store, segment, next).catch((error: unknown) => {
        failures.push(error)
      })
    }
    if (failures.length > 0 && !this.#isReleased) throw failures[0]
  }

  /**
   * The entries that each file matches: within the threshold of a needle (thresholds.ts), or by digest.
   * Everything in memory is searched first, in turns with the isolate's other work.
   * @throws {IndexReleasedError} its memories were given away meanwhile: query the new index
   */
  async match(queries: readonly Query[]): Promise<MatchResult[]> {
    const searched = await inTurns(this.#search(queries), nextTurn)
    return new CandidateVerifier(this.#store).verify(searched)
  }

  /**
   * The entry nearest to any of the needles, regardless of thresholds and qualities. It is for people who try a list
   * out. `undefined` if none is within MAX_THRESHOLD.
   */
  async nearest(needles: readonly Needle[]): Promise<Match | undefined> {
    for (let threshold = NEAREST_STEP; threshold <= MAX_THRESHOLD; threshold += NEAREST_STEP) {
      const searched = atOnce(this.#search([{ needles }], { threshold }))
      const [result] = await new CandidateVerifier(this.#store).verify(searched)
      if (result?.matches[0]) return result.matches[0]
    }
    return undefined
  }

  *#search(queries: readonly Query[], policy?: AskedThreshold): Steps<Searched[]> {
    if (this.#isReleased) throw new IndexReleasedError()
    const searched = queries.map((): Searched => ({ candidates: [], isComplete: true }))
    let spentMs = 0
    for (const { bank, segments } of this.#banks) {
      const asked = askedOf(queries, bank, policy)
      for (const segment of segments) {
        if ('digestSet' in segment) searchDigests(bank, segment, queries, searched)
        else {
          const eachMs = needleMs(segment)
          const length = Math.max(1, Math.floor(TURN_MS / eachMs))
          for (let at = 0; at < asked.length; at += length) {
            const some = asked.slice(at, at + length)
            spentMs += some.length * eachMs
            if (spentMs > TURN_MS) {
              yield
              if (this.#isReleased) throw new IndexReleasedError()
              spentMs = some.length * eachMs
            }
            searchNeedles(bank, segment, some, searched)
          }
        }
      }
    }
    return searched
  }
}

/** An index was queried while its memories were given to another one. */
export class IndexReleasedError extends Error {
  constructor() {
    super('the index was released')
  }
}

/** Replaces the thresholds of banks; qualities are then ignored. */
type AskedThreshold = Pick<Bank, 'threshold'>

interface LoadedBank {
  bank: Bank
  segments: LoadedSegment[]
}

/** What a version is loaded from, besides the store. */
export interface LoadOptions {
  /** Segments that are already loaded, and not loaded again. */
  kept?: readonly LoadedSegment[]
  /** Memories to reuse. Segments are then loaded one by one, value by value, so no extra memory is needed. */
  pool?: HaystackPool
  /** Where to load it from, if not from the store that details are read from later. */
  from?: StoreReader
}

/** A needle's hash and threshold, and the index of its query. */
interface Asked extends Sought {
  query: number
  needle: Needle
}

/** Needles that may match, the strictest first: if too many entries are near, these count. */
function askedOf(
  queries: readonly Query[],
  bank: Bank,
  policy: AskedThreshold | undefined,
): Asked[] {
  const asked: Asked[] = []
  for (const [query, { needles }] of queries.entries()) {
    for (const needle of needles) {
      const threshold = policy ? policy.threshold : thresholdOf(needle, bank)
      if (threshold !== undefined) asked.push({ query, needle, hash: needle.hash, threshold })
    }
  }
  return asked.toSorted((a, b) => a.threshold - b.threshold)
}

function searchNeedles(
  bank: Bank,
  segment: LoadedPdqSegment,
  asked: readonly Asked[],
  searched: readonly Searched[],
): void {
  const { near, isComplete } = searchSegment(segment, asked)
  for (const { needle: number, position, distance } of near) {
    const from = asked[number]
    if (!from) throw new RangeError(`no needle ${number}`)
    const { query, needle, threshold } = from
    const file = searched[query]
    if (!file) continue
    if (file.candidates.length < MAX_CANDIDATES) {
      const place = { bank, ref: segment.ref, position, distance }
      const firstHalf = needle.sure && segment.haystack.firstHalf(position)
      file.candidates.push({ ...place, needle, threshold, ...(firstHalf && { firstHalf }) })
    } else file.isComplete = false
  }
  if (!isComplete) for (const { query } of asked) markIncomplete(searched[query])
}

function markIncomplete(searched: Searched | undefined): void {
  if (searched) searched.isComplete = false
}

function searchDigests(
  bank: Bank,
  { ref, digestSet, removals }: LoadedExactSegment,
  queries: readonly Query[],
  searched: readonly Searched[],
): void {
  queries.forEach(({ digests }, query) => {
    for (const kind of DIGEST_KINDS) {
      const digest = digests?.[kind]
      if (!digest) continue
      for (const position of digestSet.find(digest)) {
        if (removals.has(position)) continue
        searched[query]?.candidates.push({ bank, ref, position, distance: 0, digest, kind })
      }
    }
  })
}

function giveTo(pool: HaystackPool, segment: LoadedSegment): void {
  if ('haystack' in segment) pool.give(segment.haystack)
}
