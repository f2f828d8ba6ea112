import type { CoreModules } from '../core/modules.ts'
import { HashgateError } from '../util/errors.ts'
import { DIGEST_KINDS, type DigestKind } from '../list/entry.ts'
import type { WaitUntil } from '../util/wait-until.ts'
import {
  ListLoadingError,
  ListMissingError,
  OlderManifestError,
  StaleListError,
} from '../list/errors.ts'
import { RETENTION_HOURS } from '../list/history.ts'
import {
  checkSize,
  countEntries,
  digestKindsOf,
  isTooLarge,
  type Manifest,
  readManifest,
  segmentsOf,
} from '../list/manifest.ts'
import { CheckedStore, type ListStore } from '../list/store.ts'
import { BankIndex, IndexReleasedError } from './bank-index.ts'
import type { MatchResult, Query } from './match.ts'
import { checkNeverSeen, checkPin, type PinNamespace } from './pin.ts'
import { isReplacement, ReplacementFailedError, replaceIndex } from './replace.ts'
import { type ShardNamespace, ShardedIndex } from './sharded-index.ts'

export interface LiveListOptions {
  modules: CoreModules
  store: ListStore
  /** Seconds after which a request makes the manifest be looked at again. After failures it is less, growing up to this. */
  refreshSeconds: number
  /** Seconds for which a list may be used that could not be confirmed to be the latest; then it is stale. */
  maxAgeSeconds: number
  /** What becomes of requests when it is stale. */
  onStale: 'use' | 'fail'
  /** Most perceptual hashes of a list that is given tables. */
  maxTableEntries: number
  /** Most perceptual hashes that the isolate holds itself. */
  maxEntries: number
  /** Durable Objects that hold a list beyond that. */
  shards?: ShardNamespace
  /** Durable Objects that know the latest version; without them, a fresh isolate takes any. */
  pins?: PinNamespace
  /** Makes of what is published what is asked: by the policies of banks. */
  adjust?: (manifest: Manifest) => Manifest
  /** Told when the list could not be read, or is stale. The last good one, if any, stays in use. */
  onError: (error: unknown) => void
  /** Milliseconds since some start: `Date.now`, except in tests. */
  now?: () => number
}

/** How the list stands, for people who look after it. */
export interface ListState {
  /** `none`: nothing was loaded yet. `stale`: too long not confirmed. */
  state: 'none' | 'current' | 'stale'
  version?: number
  publishedAt?: string
  /** Seconds since the list was last seen to be the latest. */
  age?: number
  entries?: { pdq: number; exact: number }
  where?: 'isolate' | 'durable objects'
  memoryBytes?: number
  /** What the last try to read the list failed by, if it did. */
  error?: string
}

/** Milliseconds without any value read after which a load is given up: the request that it ran behind is gone. */
const MAX_STALL_MS = 15_000
/** How often a request waits so long for a load that another one began. */
const MAX_WAITS = 2

/** Seconds after the first failure until the next try; doubled with each that follows, up to the last. */
const FIRST_RETRY_SECONDS = 1
const LAST_RETRY_SECONDS = 60
/** Seconds until tables are tried again that could not be built. */
const TABLE_RETRY_SECONDS = 60

/** Seconds after which no list is used that was not confirmed: what it is read from may be deleted soon. */
const MAX_UNCONFIRMED_SECONDS = (RETENTION_HOURS * 3600) / 2

/** What the list has about some files. */
export interface Answer {
  /** For each query, in order. */
  results: MatchResult[]
  /** Version of the list that was asked. */
  version: number
}

/** A load that is under way. */
interface Attempt {
  index: Promise<Index>
  /** When it last read a value. */
  progressAt: number
}

/** A load was given up for another one. */
class SupersededError extends Error {}

type Index = BankIndex | ShardedIndex

/** The list as one isolate has it: loaded once, refreshed behind requests, never worse than it was. */
export class LiveList {
  readonly #options: LiveListOptions
  readonly #now: () => number
  #index: Index | undefined
  /** The latest manifest that was seen whole, in memory or not: nothing older is ever used. */
  #seen: Manifest | undefined
  #attempt: Attempt | undefined
  #confirmedAt = 0
  #nextCheckAt = 0
  #failures = 0
  #failure: unknown
  /** The build of tables that is under way, if its request is not gone. */
  #build: object | undefined
  #nextBuildAt = 0

  constructor(options: LiveListOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Version of the list in use, if one is loaded. */
  get version(): number | undefined {
    return this.#index?.manifest.version
  }

  /** Kinds of digests that files must be compared by; all, while no list is loaded. */
  get digestKinds(): readonly DigestKind[] {
    return this.#index ? digestKindsOf(this.#index.manifest) : DIGEST_KINDS
  }

  /** What uploaders read by kind of harm, as it is published. */
  get texts(): Manifest['texts'] {
    return this.#index?.manifest.texts
  }

  /** Bytes of memory that the list takes now. */
  get memoryBytes(): number {
    return this.#index?.memoryBytes ?? 0
  }

  get state(): ListState {
    const error = this.#failures > 0 ? { error: codeOf(this.#failure) } : {}
    const index = this.#index
    if (!index) return { state: 'none', ...error }
    const { version, publishedAt } = index.manifest
    return {
      state: this.#isStale() ? 'stale' : 'current',
      version,
      publishedAt,
      age: Math.round(this.#ageSeconds()),
      entries: countEntries(segmentsOf(index.manifest)),
      where: index instanceof BankIndex ? 'isolate' : 'durable objects',
      memoryBytes: index.memoryBytes,
      ...error,
    }
  }

  /**
   * What the list has about some files. Only the first request waits for the list; later ones may start a refresh, which
   * goes on behind them: `waitUntil` is given what must outlive the request.
   * @throws what the store threw at the last try, as long as there is no list
   * @throws {StaleListError} the list could not be confirmed for too long
   */
  async match(queries: readonly Query[], waitUntil: WaitUntil): Promise<Answer> {
    for (;;) {
      const index = await this.get(waitUntil)
      if (index.isReleased) continue // it was replaced meanwhile
      const answering = index.match(queries)
      this.#buildTables(index, waitUntil)
      const { exempt = [], version } = index.manifest
      const results = await answering.catch(unlessReleased)
      if (results) return { results: results.map((result) => markExempt(result, exempt)), version }
    }
  }

  /** Begins to load the list if there is none, so that it comes while the body of the first upload does. */
  prepare(waitUntil: WaitUntil): void {
    if (!this.#index && !this.#attempt) waitUntil(this.get(waitUntil).catch(() => undefined))
  }

  /** The list to match against, as `match` uses it. */
  async get(waitUntil: WaitUntil): Promise<Index> {
    if (!this.#index) return this.#firstLoad(waitUntil)
    if (this.#isDue() && !this.#isLoading()) waitUntil(this.#load().catch(() => undefined))
    if (this.#isStale()) await this.#waitForFresh()
    return this.#index ?? this.#firstLoad(waitUntil)
  }

  /** A list that is stale is read again before it is used. @throws {StaleListError} */
  async #waitForFresh(): Promise<void> {
    const loading = this.#attempt?.index.catch(() => undefined)
    if (loading) await Promise.race([loading, sleep(MAX_STALL_MS)])
    if (!this.#isStale()) return
    const age = this.#ageSeconds()
    if (this.#options.onStale === 'fail' || age > MAX_UNCONFIRMED_SECONDS) {
      throw new StaleListError(Math.round(age))
    }
  }

  #ageSeconds(): number {
    return (this.#now() - this.#confirmedAt) / 1000
  }

  #isStale(): boolean {
    return this.#ageSeconds() > Math.min(this.#options.maxAgeSeconds, MAX_UNCONFIRMED_SECONDS)
  }

  #isLoading(): boolean {
    return this.#attempt !== undefined && this.#now() - this.#attempt.progressAt < MAX_STALL_MS
  }

  #isDue(): boolean {
    return this.#now() >= this.#nextCheckAt
  }

  /** Requests that find no list share one load. One that reads nothing any more is given up for another. */
  async #firstLoad(waitUntil: WaitUntil): Promise<Index> {
    for (let waits = 0; this.#attempt; waits++) {
      if (waits === MAX_WAITS) throw new ListLoadingError()
      const loaded = await Promise.race([this.#attempt.index, sleep(MAX_STALL_MS)])
      if (loaded) return loaded
      if (this.#index) return this.#index
      if (!this.#isLoading()) break
    }
    // Requests that come in between must not each begin a load that is likely to fail too.
    if (!this.#isDue() && this.#failures > 0) throw this.#failure
    const loading = this.#load()
    waitUntil(loading.catch(() => undefined))
    return loading
  }

  #load(): Promise<Index> {
    const attempt: Partial<Attempt> = { progressAt: this.#now() }
    /** Called whenever something was read: the next step must not be taken if another load has begun. */
    const check = () => {
      if (this.#attempt !== attempt) throw new SupersededError()
      attempt.progressAt = this.#now()
    }
    this.#attempt = attempt as Attempt
    attempt.index = this.#loadIndex(check).then(
      (index) => {
        check()
        this.#attempt = undefined
        return this.#succeed(index)
      },
      (error: unknown) => {
        if (error instanceof SupersededError) throw error
        check()
        this.#attempt = undefined
        return this.#fail(error)
      },
    )
    return attempt.index
  }

  #succeed(index: Index): Index {
    this.#index = index
    this.#seen = index.manifest
    this.#failures = 0
    this.#confirmedAt = this.#now()
    const { refreshSeconds, maxAgeSeconds } = this.#options
    this.#checkAfter(Math.min(refreshSeconds, maxAgeSeconds))
    return index
  }

  #fail(error: unknown): never {
    const isUndone = error instanceof ReplacementFailedError
    if (isUndone) this.#index = error.restored
    this.#failure = isUndone ? error.cause : error
    this.#checkAfter(Math.min(FIRST_RETRY_SECONDS * 2 ** this.#failures++, LAST_RETRY_SECONDS))
    this.#options.onError(this.#failure)
    if (this.#index && this.#isStale()) {
      this.#options.onError(new StaleListError(Math.round(this.#ageSeconds())))
    }
    throw this.#failure
  }

  #checkAfter(seconds: number): void {
    this.#nextCheckAt = this.#now() + Math.min(seconds, this.#options.refreshSeconds) * 1000
  }

  async #loadIndex(check: () => void): Promise<Index> {
    const {
      modules,
      store,
      maxEntries,
      shards,
      pins,
      adjust = (manifest) => manifest,
    } = this.#options
    const from = new CheckedStore(store, check)
    const manifest = adjust(await this.#readManifest(from))
    const old = this.#index
    if (this.#seen && manifest.version < this.#seen.version) {
      throw new OlderManifestError(manifest.version)
    }
    if (old?.manifest.id === manifest.id) return old
    if (pins) await checkPin(pins, from, manifest.version)
    check()
    if (shards && isTooLarge(manifest, maxEntries)) {
      return ShardedIndex.open(manifest, shards, maxEntries)
    }
    checkSize(manifest, maxEntries)
    if (!(old instanceof BankIndex)) return BankIndex.load(modules, store, manifest, { from })
    if (!isReplacement(old, manifest)) {
      return BankIndex.load(modules, store, manifest, { kept: old.segments, from })
    }
    const onGive = () => {
      check()
      this.#index = undefined
    }
    return replaceIndex(modules, store, old, manifest, { from, onGive })
  }

  /** @throws {ListMissingError | ListVanishedError} there is no list: never published, or gone */
  async #readManifest(store: ListStore): Promise<Manifest> {
    try {
      return await readManifest(store)
    } catch (error) {
      const { pins } = this.#options
      if (pins && error instanceof ListMissingError) await checkNeverSeen(pins, error)
      throw error
    }
  }

  /** Goes on with tables behind a request, if there are any to build and no other request does, or it is gone. */
  #buildTables(index: Index, waitUntil: WaitUntil): void {
    if (this.#now() < this.#nextBuildAt) return // a running build postpones this
    if (!(index instanceof BankIndex) || !index.needsTables) return
    if (countEntries(segmentsOf(index.manifest)).pdq > this.#options.maxTableEntries) return
    const build = {}
    this.#build = build
    const isOurs = () => this.#build === build
    const putOff = () => {
      this.#nextBuildAt = this.#now() + TABLE_RETRY_SECONDS * 1000
    }
    putOff()
    // Of a build that stood still for so long, the memory is another's now: should it go on after all, it ends.
    const building = index.buildTables(async () => {
      if (!isOurs()) return 'end'
      putOff()
      await sleep(0)
      return isOurs() ? 'go on' : 'end'
    })
    waitUntil(building.catch(this.#options.onError))
  }
}

function unlessReleased(error: unknown): undefined {
  if (!(error instanceof IndexReleasedError)) throw error
}

/** Marks the matches of entries that the list says are exempt. */
function markExempt(result: MatchResult, exempt: readonly string[]): MatchResult {
  if (exempt.length === 0) return result
  const matches = result.matches.map((match) =>
    exempt.includes(`${match.bank}/${match.entry}`) ? { ...match, isExempt: true as const } : match,
  )
  return { ...result, matches }
}

function codeOf(error: unknown): string {
  return error instanceof HashgateError ? error.code : 'unknown error'
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
