import type { CoreModules } from '../core/modules.ts'
import { readManifest } from '../list/manifest.ts'
import type { ListStore } from '../list/store.ts'
import { BankIndex } from './bank-index.ts'

export interface LiveListOptions {
  modules: CoreModules
  store: ListStore
  /** Seconds after which a request makes the manifest be looked at again. */
  refreshSeconds: number
  /** Told when the list could not be read. The last good one, if any, stays in use. */
  onError: (error: unknown) => void
  /** Milliseconds since some start; `Date.now`, but for tests. */
  now?: () => number
}

/** Milliseconds that a request waits for a load that another one began: that one may be gone, and its load with it. */
const MAX_WAIT_MS = 10_000

/** The list as one isolate has it: loaded once, refreshed behind requests, never worse than it was. */
export class LiveList {
  readonly #options: LiveListOptions
  readonly #now: () => number
  #index: BankIndex | undefined
  #loading: Promise<BankIndex> | undefined
  #checkedAt = 0

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
   * @throws what the store throws, as long as no list was ever loaded
   */
  async get(keepAlive: (promise: Promise<unknown>) => void): Promise<BankIndex> {
    if (!this.#index) return this.#firstLoad(keepAlive)
    if (!this.#loading && this.#isStale()) keepAlive(this.#load().catch(this.#options.onError))
    return this.#index
  }

  #isStale(): boolean {
    return this.#now() - this.#checkedAt >= this.#options.refreshSeconds * 1000
  }

  /** Two requests that find no list share one load. */
  async #firstLoad(keepAlive: (promise: Promise<unknown>) => void): Promise<BankIndex> {
    const shared = this.#loading
    if (shared) {
      const loaded = await Promise.race([shared, sleep(MAX_WAIT_MS)])
      if (loaded) return loaded
    }
    const loading = this.#load()
    keepAlive(loading.catch(() => undefined))
    return loading
  }

  #load(): Promise<BankIndex> {
    const loading = this.#loadIndex().finally(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
    this.#loading = loading
    return loading
  }

  async #loadIndex(): Promise<BankIndex> {
    const { modules, store } = this.#options
    this.#checkedAt = this.#now()
    const manifest = await readManifest(store)
    const old = this.#index
    if (old && old.manifest.version === manifest.version) return old
    const index = await BankIndex.load(modules, store, manifest, old)
    this.#index = index
    return index
  }
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
