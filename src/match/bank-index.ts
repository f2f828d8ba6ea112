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
import type { ListStore } from '../list/store.ts'
import type { Needle } from '../scan/scanned.ts'
import { CandidateVerifier, type Searched } from './candidates.ts'
import { Limit } from './limit.ts'
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

/** Values that are read at once when there is nothing yet: most of the time is spent waiting. */
const READS_AT_ONCE = 4
/** Hashes of a segment from which on a table is built: fewer are scanned as fast. */
const MIN_TABLE_ENTRIES = 1 << 14

/** Candidates of a file that are kept: a list that lies near it as a whole is no reason to run out of memory. */
const MAX_CANDIDATES = 20_000

/** Milliseconds of searching between two turns of the event loop. */
const TURN_MS = 10

/** Memories of an index were given to another one while it was asked. */
export class IndexReleasedError extends Error {
  constructor() {
    super('the index was released')
  }
}

/** Bits by which `nearest` widens its search. */
const NEAREST_STEP = 16

/** What takes the place of the thresholds of banks; qualities then do not count. */
type Policy = Pick<Bank, 'threshold'>

interface LoadedBank {
  bank: Bank
  segments: LoadedSegment[]
}

/** What a version is loaded from beside the store. */
export interface LoadOptions {
  /** Segments that are loaded already, and not loaded again. */
  kept?: readonly LoadedSegment[]
  /** Memories to use again; segments are then loaded one by one, value by value, so that no more is needed. */
  pool?: HaystackPool
  /** What it is loaded from, if that is not the store that details are read from later. */
  from?: ListStore
}

/** One published version of the list, in memory: 16 bytes a perceptual hash, 2.5 a digest. Details are read for candidates only. */
export class BankIndex implements Matcher {
  readonly manifest: Manifest
  readonly #modules: CoreModules
  readonly #store: ListStore
  #banks: readonly LoadedBank[]
  #isReleased = false

  private constructor(
    modules: CoreModules,
    store: ListStore,
    manifest: Manifest,
    banks: readonly LoadedBank[],
  ) {
    this.#modules = modules
    this.#store = store
    this.manifest = manifest
    this.#banks = banks
  }

  /**
   * Loads the segments that a manifest names, but those that are `kept`.
   * @throws {ValueMissingError | ValueDamagedError} a segment is not there or not whole
   */
  static async load(
    modules: CoreModules,
    store: ListStore,
    manifest: Manifest,
    { kept = [], pool, from = store }: LoadOptions = {},
  ): Promise<BankIndex> {
    const known = new Map(kept.map((segment) => [segment.ref.name, segment]))
    const refs = segmentsOf(manifest)
    const loads = new Map<string, Promise<LoadedSegment>>()
    const memories = pool ?? new HaystackPool()
    const reads = new Limit(pool ? 1 : READS_AT_ONCE)
    const load = async (ref: SegmentRef) => {
      const old = known.get(ref.name) ?? loads.get(ref.name)
      if (old) return updateRemovals(from, await old, ref)
      const loading = loadSegment(modules, from, ref, memories, reads)
      loads.set(ref.name, loading)
      return loading
    }
    const segments = new Limit(pool ? 1 : READS_AT_ONCE)
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

  /** Whether memories of the index were given away: it must not be asked any more. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /** Ends the index: gives the memories of segments that `keeps` does not name to a pool, and returns the others. */
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

  /** Segments that would be faster to ask with a table, and have none. */
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
   * them, and may say that it is to end. It also ends when the index is released.
   * @throws {ValueMissingError | ValueDamagedError} what is built so far stays in use
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
   * Everything in memory is searched first, in turns with all else that the isolate has to do.
   * @throws {IndexReleasedError} its memories were given away meanwhile: another index is to be asked
   */
  async match(queries: readonly Query[]): Promise<MatchResult[]> {
    const searched = await inTurns(this.#search(queries), nextTurn)
    return new CandidateVerifier(this.#store).verify(searched)
  }

  /**
   * The entry that is nearest to any of the needles, within `maxDistance`, whatever thresholds and qualities say: for
   * people who try a list out. `undefined` if there is none.
   */
  async nearest(
    needles: readonly Needle[],
    maxDistance: number = MAX_THRESHOLD,
  ): Promise<Match | undefined> {
    for (
      let threshold = NEAREST_STEP;
      threshold - NEAREST_STEP < Math.max(1, maxDistance);
      threshold += NEAREST_STEP
    ) {
      const policy = { threshold: Math.min(threshold, maxDistance) }
      const searched = atOnce(this.#search([{ needles }], policy))
      const [result] = await new CandidateVerifier(this.#store).verify(searched)
      if (result?.matches[0]) return result.matches[0]
    }
    return undefined
  }

  *#search(queries: readonly Query[], policy?: Policy): Steps<Searched[]> {
    if (this.#isReleased) throw new IndexReleasedError()
    const searched = queries.map((): Searched => ({ candidates: [], isComplete: true }))
    let spentMs = 0
    for (const { bank, segments } of this.#banks) {
      const asked = askedOf(queries, bank, policy)
      for (const segment of segments) {
        if ('digestSet' in segment) searchDigests(bank, segment, queries, searched)
        else {
          const eachMs = needleMs(segment)
          for (const [threshold, some] of slices(
            asked,
            Math.max(1, Math.floor(TURN_MS / eachMs)),
          )) {
            spentMs += some.length * eachMs
            if (spentMs > TURN_MS) {
              yield
              if (this.#isReleased) throw new IndexReleasedError()
              spentMs = some.length * eachMs
            }
            searchNeedles(bank, segment, threshold, some, searched)
          }
        }
      }
    }
    return searched
  }
}

/** A needle, and the number of the query that it is of. */
interface Asked {
  query: number
  needle: Needle
}

/** Needles that may match, by the largest distance of a match. */
function askedOf(
  queries: readonly Query[],
  bank: Bank,
  policy: Policy | undefined,
): Map<number, Asked[]> {
  const byThreshold = new Map<number, Asked[]>()
  for (const [query, { needles }] of queries.entries()) {
    for (const needle of needles) {
      const threshold = policy ? policy.threshold : thresholdOf(needle, bank)
      if (threshold === undefined) continue
      const asked = byThreshold.get(threshold) ?? []
      byThreshold.set(threshold, asked)
      asked.push({ query, needle })
    }
  }
  return byThreshold
}

/** What is asked at each threshold, in slices of so many needles. */
function* slices(
  asked: ReadonlyMap<number, readonly Asked[]>,
  length: number,
): Generator<[threshold: number, some: readonly Asked[]]> {
  for (const [threshold, all] of asked) {
    for (let at = 0; at < all.length; at += length) yield [threshold, all.slice(at, at + length)]
  }
}

function searchNeedles(
  bank: Bank,
  segment: LoadedPdqSegment,
  threshold: number,
  asked: readonly Asked[],
  searched: readonly Searched[],
): void {
  const hashes = asked.map(({ needle }) => needle.hash)
  const { near, isComplete } = searchSegment(segment, hashes, threshold)
  for (const { needle: number, position, distance } of near) {
    const from = asked[number]
    if (!from) throw new RangeError(`no needle ${number}`)
    const { query, needle } = from
    const file = searched[query]
    if (!file) continue
    if (file.candidates.length < MAX_CANDIDATES) {
      file.candidates.push({ bank, ref: segment.ref, position, distance, needle, threshold })
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
