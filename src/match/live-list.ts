import type { CoreModules } from '../core/modules.ts'
import { HashgateError } from '../util/errors.ts'
import { DIGEST_KINDS, type DigestKind } from '../list/entry.ts'
import { nextTurn } from '../util/steps.ts'
import type { WaitUntil } from '../util/wait-until.ts'
import { raced } from '../util/within.ts'
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
import { checkedReader, type ListStore, type StoreReader } from '../list/store.ts'
import { BankIndex, IndexReleasedError } from './bank-index.ts'
import type { MatchResult, Query } from './match.ts'
import { checkNeverSeen, checkPin, type PinNamespace } from './pin.ts'
import { isReplacement, ReplacementFailedError, replaceIndex } from './replace.ts'
import type { ListSettings } from './settings.ts'
import { type ShardNamespace, ShardedIndex } from './sharded-index.ts'

/** Milliseconds without a value read after which a load is abandoned: the request that it ran behind is gone. */
const MAX_STALL_MS = 15_000
/** How many times a request waits that long for a load that another request began. */
const MAX_WAITS = 2

/** Seconds from the first failure to the next attempt. Doubled with each further failure, up to the last. */
const FIRST_RETRY_SECONDS = 1
const LAST_RETRY_SECONDS = 60
/** Seconds until tables that could not be built are tried again. */
const TABLE_RETRY_SECONDS = 60

/** Seconds after which an unconfirmed list is no longer used: the data that it is read from may be deleted soon. */
const MAX_UNCONFIRMED_SECONDS = (RETENTION_HOURS * 3600) / 2

/** The list in one isolate: loaded once, then refreshed behind requests. A failed refresh leaves it as it was. */
export class LiveList {
  readonly #options: LiveListOptions
  readonly #now: () => number
  #index: Index | undefined
  /** The latest manifest seen complete, in memory or not. Nothing older is ever used. */
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

  /** The published texts for uploaders, by kind of harm. */
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
   * What the list knows about some files. Only the first request waits for the list. Later ones may start a refresh, which
   * continues behind them through `waitUntil`.
   * @throws what the store threw at the last attempt, as long as there is no list
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

  /** Begins to load the list if none is loaded, so that it arrives along with the body of the first upload. */
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
    if (loading) await raced(loading, MAX_STALL_MS, undefined)
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

  /** Requests that find no list share one load. A load that has stalled is abandoned for another. */
  async #firstLoad(waitUntil: WaitUntil): Promise<Index> {
    for (let waits = 0; this.#attempt; waits++) {
      if (waits === MAX_WAITS) throw new ListLoadingError()
      const loaded = await raced(this.#attempt.index, MAX_STALL_MS, undefined)
      if (loaded) return loaded
      if (this.#index) return this.#index
      if (!this.#isLoading()) break
    }
    // Requests that arrive in between must not each begin a load that is likely to fail too.
    if (!this.#isDue() && this.#failures > 0) throw this.#failure
    const loading = this.#load()
    waitUntil(loading.catch(() => undefined))
    return loading
  }

  #load(): Promise<Index> {
    const attempt: Partial<Attempt> = { progressAt: this.#now() }
    /** Called after each read. Stops this load if another one has begun. */
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
    const from = checkedReader(store, check)
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
  async #readManifest(store: StoreReader): Promise<Manifest> {
    try {
      return await readManifest(store)
    } catch (error) {
      const { pins } = this.#options
      if (pins && error instanceof ListMissingError) await checkNeverSeen(pins, error)
      throw error
    }
  }

  /** Builds outstanding tables behind a request, unless another live request is already doing so. */
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
    // If a build stalled for that long, its memory may be reused. It ends if it resumes after all.
    const building = index.buildTables(async () => {
      if (!isOurs()) return 'end'
      putOff()
      await nextTurn()
      return isOurs() ? 'go on' : 'end'
    })
    waitUntil(building.catch(this.#options.onError))
  }
}

export interface LiveListOptions extends Omit<ListSettings, 'onMissing'> {
  modules: CoreModules
  store: ListStore
  /** Durable Objects that hold a larger list. */
  shards?: ShardNamespace
  /** Durable Objects that know the latest version; without them, a fresh isolate accepts any version. */
  pins?: PinNamespace
  /** Adapts the published manifest to the policies of banks before it is queried. */
  adjust?: (manifest: Manifest) => Manifest
  /** Called when the list could not be read, or is stale. The last good one, if any, stays in use. */
  onError: (error: unknown) => void
  /** Milliseconds since some start: `Date.now`, except in tests. */
  now?: () => number
}

/** State of the list, for operators. */
export interface ListState {
  /** `none`: nothing is loaded yet. `stale`: not confirmed for too long. */
  state: 'none' | 'current' | 'stale'
  version?: number
  publishedAt?: string
  /** Seconds since the list was last confirmed as the latest. */
  age?: number
  entries?: { pdq: number; exact: number }
  where?: 'isolate' | 'durable objects'
  memoryBytes?: number
  /** Why the last attempt to read the list failed, if it did. */
  error?: string
}

/** What the list knows about some files. */
export interface Answer {
  /** For each query, in order. */
  results: MatchResult[]
  /** Version of the list that was queried. */
  version: number
}

/** A load that is under way. */
interface Attempt {
  index: Promise<Index>
  /** When it last read a value. */
  progressAt: number
}

/** A load was abandoned for another one. */
class SupersededError extends Error {}

type Index = BankIndex | ShardedIndex

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
