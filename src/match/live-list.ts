import type { CoreModules } from '../core/modules.ts'
import { type Manifest, readManifest } from '../list/manifest.ts'
import type { ListStore } from '../list/store.ts'
import { BankIndex } from './bank-index.ts'

export interface LiveListOptions {
  modules: CoreModules
  store: ListStore
  /** Seconds after which a request makes the manifest be looked at again. After failures it is less, growing up to this. */
  refreshSeconds: number
  /** Told when the list could not be read. The last good one, if any, stays in use. */
  onError: (error: unknown) => void
  /** Milliseconds since some start; `Date.now`, but for tests. */
  now?: () => number
}

/** Milliseconds that a request waits for a load that another one began: that one may be gone, and its load with it. */
const MAX_WAIT_MS = 10_000
/** Milliseconds after which a load is given up: the request that it ran behind is gone. */
const MAX_LOAD_MS = 60_000

/** Seconds after the first failure until the next try; doubled with each that follows. */
const FIRST_RETRY_SECONDS = 1

/** The list as one isolate has it: loaded once, refreshed behind requests, never worse than it was. */
export class LiveList {
  readonly #options: LiveListOptions
  readonly #now: () => number
  #index: BankIndex | undefined
  #loading: Promise<BankIndex> | undefined
  #loadingSince = 0
  #nextCheckAt = 0
  #failures = 0
  #failure: unknown

  constructor(options: LiveListOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** The list in use, if one is loaded. */
  get current(): BankIndex | undefined {
    return this.#index
  }

  /**
   * The list to match against. Only the first request waits for it; later ones may start a refresh, which goes on behind
   * them: `keepAlive` is given what must outlive the request.
   * @throws what the store threw at the last try, as long as no list was ever loaded
   */
  async get(keepAlive: (promise: Promise<unknown>) => void): Promise<BankIndex> {
    if (!this.#index) return this.#firstLoad(keepAlive)
    if (this.#isDue() && !this.#isLoading()) keepAlive(this.#load().catch(() => undefined))
    return this.#index
  }

  #isLoading(): boolean {
    return this.#loading !== undefined && this.#now() - this.#loadingSince < MAX_LOAD_MS
  }

  #isDue(): boolean {
    return this.#now() >= this.#nextCheckAt
  }

  /** Two requests that find no list share one load. */
  async #firstLoad(keepAlive: (promise: Promise<unknown>) => void): Promise<BankIndex> {
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

  #load(): Promise<BankIndex> {
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

  #succeed(index: BankIndex): BankIndex {
    // A load that took long must not undo one that began later.
    if (!this.#index || isNewer(index.manifest, this.#index.manifest)) this.#index = index
    this.#failures = 0
    this.#checkAfter(this.#options.refreshSeconds)
    return this.#index
  }

  #fail(error: unknown): never {
    this.#failure = error
    this.#checkAfter(FIRST_RETRY_SECONDS * 2 ** this.#failures++)
    this.#options.onError(error)
    throw error
  }

  #checkAfter(seconds: number): void {
    this.#nextCheckAt = this.#now() + Math.min(seconds, this.#options.refreshSeconds) * 1000
  }

  async #loadIndex(): Promise<BankIndex> {
    const { modules, store } = this.#options
    const manifest = await readManifest(store)
    const old = this.#index
    if (old && !isNewer(manifest, old.manifest)) return old
    return BankIndex.load(modules, store, manifest, old)
  }
}

/** Whether a manifest replaces another. KV may answer with one that is older than one that was seen. */
function isNewer(manifest: Manifest, seen: Manifest): boolean {
  if (manifest.version !== seen.version) return manifest.version > seen.version
  return manifest.publishedAt > seen.publishedAt // two publishers at once
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
