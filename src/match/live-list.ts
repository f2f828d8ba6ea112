import type { CoreModules } from '../core/modules.ts'
import { HashgateError } from '../errors.ts'
import { OlderManifestError, StaleListError } from '../list/errors.ts'
import { RETENTION_HOURS } from '../list/history.ts'
import {
  checkSize,
  countEntries,
  isNewer,
  type Manifest,
  readManifest,
  segmentsOf,
} from '../list/manifest.ts'
import type { ListStore } from '../list/store.ts'
import { BankIndex } from './bank-index.ts'
import type { MatchResult, Query } from './match.ts'
import { isReplacement, replaceIndex } from './replace.ts'
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
  /** Told when the list could not be read, or is stale. The last good one, if any, stays in use. */
  onError: (error: unknown) => void
  /** Milliseconds since some start; `Date.now`, but for tests. */
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

/** Milliseconds that a request waits for a load that another one began: that one may be gone, and its load with it. */
const MAX_WAIT_MS = 10_000
/** Milliseconds after which a load is given up: the request that it ran behind is gone. */
const MAX_LOAD_MS = 60_000

/** Seconds after the first failure until the next try; doubled with each that follows. */
const FIRST_RETRY_SECONDS = 1

/** Seconds after which no list is used that was not confirmed: what it is read from may be deleted soon. */
const MAX_UNCONFIRMED_SECONDS = (RETENTION_HOURS * 3600) / 2

type Index = BankIndex | ShardedIndex
type KeepAlive = (promise: Promise<unknown>) => void

/** The list as one isolate has it: loaded once, refreshed behind requests, never worse than it was. */
export class LiveList {
  readonly #options: LiveListOptions
  readonly #now: () => number
  #index: Index | undefined
  /** The latest manifest that was seen whole, in memory or not: nothing older is ever used. */
  #seen: Manifest | undefined
  #loading: Promise<Index> | undefined
  #loadingSince = 0
  #confirmedAt = 0
  #nextCheckAt = 0
  #failures = 0
  #failure: unknown
  #buildingSince: number | undefined

  constructor(options: LiveListOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Version of the list in use, if one is loaded. */
  get version(): number | undefined {
    return this.#index?.manifest.version
  }

  /** Bytes of memory that the list takes now. */
  get memoryBytes(): number {
    return this.#index?.memoryBytes ?? 0
  }

  get state(): ListState {
    const error = this.#failures > 0 ? { error: describe(this.#failure) } : {}
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
   * goes on behind them: `keepAlive` is given what must outlive the request.
   * @throws what the store threw at the last try, as long as there is no list
   * @throws {StaleListError} the list could not be confirmed for too long
   */
  async match(queries: readonly Query[], keepAlive: KeepAlive): Promise<MatchResult[]> {
    for (;;) {
      const index = await this.get(keepAlive)
      if (index.isReleased) continue // it was replaced meanwhile
      const answer = index.match(queries)
      this.#buildTables(index, keepAlive)
      return answer
    }
  }

  /** The list to match against, as `match` uses it. */
  async get(keepAlive: KeepAlive): Promise<Index> {
    if (!this.#index) return this.#firstLoad(keepAlive)
    if (this.#isDue() && !this.#isLoading()) keepAlive(this.#load().catch(() => undefined))
    if (this.#isStale()) await this.#waitForFresh()
    return this.#index ?? this.#firstLoad(keepAlive)
  }

  /** A list that is stale is read again before it is used. @throws {StaleListError} */
  async #waitForFresh(): Promise<void> {
    if (this.#loading)
      await Promise.race([this.#loading.catch(() => undefined), sleep(MAX_WAIT_MS)])
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
    return this.#loading !== undefined && this.#now() - this.#loadingSince < MAX_LOAD_MS
  }

  #isDue(): boolean {
    return this.#now() >= this.#nextCheckAt
  }

  /** Two requests that find no list share one load. */
  async #firstLoad(keepAlive: KeepAlive): Promise<Index> {
    for (let shared = this.#loading; shared; shared = this.#loading) {
      const loaded = (await Promise.race([shared, sleep(MAX_WAIT_MS)])) ?? this.#index
      if (loaded) return loaded
      if (this.#loading === shared) break // it takes too long, and whoever waits may be the last
    }
    // Requests that come in between must not each begin a load that is likely to fail too.
    if (!this.#isDue() && this.#failures > 0) throw this.#failure
    const loading = this.#load()
    keepAlive(loading.catch(() => undefined))
    return loading
  }

  #load(): Promise<Index> {
    const loading = this.#loadIndex()
      .then((index) => this.#succeed(index))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        if (this.#loading === loading) this.#loading = undefined
      })
    this.#loading = loading
    this.#loadingSince = this.#now()
    return loading
  }

  #succeed(index: Index): Index {
    // A load that took long must not undo one that began later.
    if (!this.#index || isNewer(index.manifest, this.#index.manifest)) this.#index = index
    this.#seen = this.#index.manifest
    this.#failures = 0
    this.#confirmedAt = this.#now()
    this.#checkAfter(this.#options.refreshSeconds)
    return this.#index
  }

  #fail(error: unknown): never {
    this.#failure = error
    this.#checkAfter(FIRST_RETRY_SECONDS * 2 ** this.#failures++)
    this.#options.onError(error)
    if (this.#index && this.#isStale()) {
      this.#options.onError(new StaleListError(Math.round(this.#ageSeconds())))
    }
    throw error
  }

  #checkAfter(seconds: number): void {
    this.#nextCheckAt = this.#now() + Math.min(seconds, this.#options.refreshSeconds) * 1000
  }

  async #loadIndex(): Promise<Index> {
    const { modules, store, maxEntries, shards } = this.#options
    const manifest = await readManifest(store)
    const old = this.#index
    if (this.#seen && isNewer(this.#seen, manifest)) throw new OlderManifestError(manifest.version)
    if (old && !isNewer(manifest, old.manifest)) return old
    if (shards && countEntries(segmentsOf(manifest)).pdq > maxEntries) {
      return ShardedIndex.open(manifest, shards, maxEntries)
    }
    checkSize(manifest, maxEntries)
    if (!(old instanceof BankIndex)) return BankIndex.load(modules, store, manifest)
    if (!isReplacement(old, manifest)) {
      return BankIndex.load(modules, store, manifest, { kept: old.segments })
    }
    return replaceIndex(modules, store, old, manifest, {
      onGiven: () => (this.#index = undefined),
      onError: this.#options.onError,
    })
  }

  /** Goes on with tables behind a request, if there are any to build and nobody is at it. */
  #buildTables(index: Index, keepAlive: KeepAlive): void {
    if (!(index instanceof BankIndex) || !index.needsTables) return
    if (countEntries(segmentsOf(index.manifest)).pdq > this.#options.maxTableEntries) return
    if (this.#buildingSince !== undefined && this.#now() - this.#buildingSince < MAX_LOAD_MS) return
    if (this.#failures > 0 && !this.#isDue()) return
    this.#buildingSince = this.#now()
    const building = index
      .buildTables(() => sleep(0))
      .catch(this.#options.onError)
      .finally(() => (this.#buildingSince = undefined))
    keepAlive(building)
  }
}

function describe(error: unknown): string {
  return error instanceof HashgateError ? error.code : 'unknown error'
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
