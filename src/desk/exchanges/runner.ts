import { HashgateError } from '../../util/errors.ts'
import { LeaseTakenError } from '../ledger/errors.ts'
import { Lease } from '../ledger/lease.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { prune } from '../ledger/pruning.ts'
import { openSource, type Source, type SourceChange, updateSource } from '../ledger/source.ts'
import { ExchangeError } from './errors.ts'
import type { Exchange, ExchangePage, Skipped } from './exchange.ts'
import { normalise, sumSkipped } from './normalise.ts'

/** Pages of a run before another message continues it: an invocation may make 1,000 D1 queries. */
export const MAX_PAGES = 100

/** Seconds until a failed source is retried, unless the provider says otherwise. */
const RETRY_SECONDS = 300

const DAY_MS = 86_400_000

/**
 * Reads a source into the ledger, from where the last run ended. Each page is applied together with
 * its checkpoint, so a run can be cut off anywhere. A source that was not read for too long is read
 * from its start; records missing from it are withdrawn once the run is complete, and not before.
 */
export async function syncExchange(
  ledger: Ledger,
  exchange: Exchange,
  options: SyncOptions,
): Promise<Sync> {
  const sync: Sync = { state: 'more', pages: 0, records: 0, deleted: 0, skipped: {} }
  let lease: Lease
  try {
    lease = await Lease.take(ledger.db, `exchange ${options.name}`, options.now)
  } catch (error) {
    if (error instanceof LeaseTakenError) return { ...sync, state: 'busy', error }
    throw error
  }
  const run = new SyncRun(ledger, lease, exchange, options, sync)
  try {
    await run.go()
    return sync
  } finally {
    await lease.release()
  }
}

export interface SyncOptions {
  name: string
  bank: string
  now: () => number
  /** Maximum pages to read. */
  maxPages?: number
  /** Whether to read the source from its start. */
  refetch?: boolean
  /** Called after each page. */
  onPage?: (progress: SyncProgress) => void
}

/** Progress of a run. */
export interface SyncProgress {
  records: number
  deleted: number
  pages: number
  /** Records of the whole run, as far as the provider says. */
  expected?: number | undefined
}

export interface Sync {
  state: 'complete' | 'more' | 'failed' | 'busy'
  pages: number
  records: number
  /** Records that the provider withdrew, or no longer lists. */
  deleted: number
  skipped: Skipped
  error?: HashgateError
}

class SyncRun {
  readonly #ledger: Ledger
  readonly #lease: Lease
  readonly #exchange: Exchange
  readonly #options: SyncOptions
  readonly #sync: Sync

  constructor(ledger: Ledger, lease: Lease, exchange: Exchange, options: SyncOptions, sync: Sync) {
    this.#ledger = ledger
    this.#lease = lease
    this.#exchange = exchange
    this.#options = options
    this.#sync = sync
  }

  async go(): Promise<void> {
    const { name, bank, now } = this.#options
    let source = await openSource(this.#ledger.db, name, bank)
    source = await this.#change(source, { attemptedAt: now() })
    try {
      if (source.phase === 'sweep') source = await this.#finish(source)
      if (this.#mustRefetch(source)) source = await this.#startOver(source)
      await this.#read(source)
      if (this.#sync.state === 'complete') {
        await prune(this.#ledger.db, this.#lease, source, now())
      }
    } catch (error) {
      if (!(error instanceof HashgateError)) throw error
      await this.#fail(source, error)
    }
  }

  #mustRefetch({ phase, isRunning, completedAt }: Source): boolean {
    if (this.#options.refetch && !(phase === 'refetch' && isRunning)) return true
    const { staleDays } = this.#exchange
    if (phase !== 'follow' || staleDays === undefined || completedAt === undefined) return false
    return this.#options.now() - completedAt > staleDays * DAY_MS
  }

  async #read(from: Source): Promise<void> {
    let source = from
    if (!source.isRunning) source = await this.#change(source, { isRunning: true, skipped: {} })
    const pages = this.#exchange.pages(source.checkpoint as object | undefined)
    const left = (this.#options.maxPages ?? MAX_PAGES) - this.#sync.pages
    for await (const page of oneAhead(pages, left)) {
      if (page.startsOver) source = await this.#startOver(source)
      source = await this.#apply(source, page)
      if (!page.isComplete) continue
      if (source.phase === 'sweep') await this.#finish(source)
      this.#sync.state = 'complete'
      return
    }
  }

  async #apply(source: Source, page: ExchangePage): Promise<Source> {
    const skipped = { ...page.skipped }
    const upserts = page.upserts.flatMap((record) => normalise(record, skipped) ?? [])
    const change: SourceChange = {
      checkpoint: page.checkpoint,
      skipped: sumSkipped(source.skipped, skipped),
      failure: undefined,
      retryAt: undefined,
      ...(page.isComplete && this.#completion(source)),
    }
    await this.#ledger.apply(
      this.#lease,
      source,
      { upserts, deletes: page.deletes },
      updateSource(this.#ledger.db, source, change),
    )
    this.#sync.pages++
    this.#sync.records += page.upserts.length
    this.#sync.deleted += page.deletes.length
    this.#sync.skipped = sumSkipped(this.#sync.skipped, skipped)
    this.#options.onPage?.({ ...this.#sync, expected: page.expected })
    return { ...source, ...(change as Partial<Source>) }
  }

  /**
   * What a run's last page changes. After a run from the start, the records that it did not list
   * are withdrawn first.
   */
  #completion({ phase }: Source): SourceChange {
    if (phase === 'refetch') return { phase: 'sweep' }
    return { completedAt: this.#options.now(), isRunning: false }
  }

  async #finish(source: Source): Promise<Source> {
    this.#sync.deleted += await this.#ledger.sweep(this.#lease, source)
    return this.#change(source, {
      phase: 'follow',
      completedAt: this.#options.now(),
      isRunning: false,
    })
  }

  #startOver(source: Source): Promise<Source> {
    return this.#change(source, {
      phase: 'refetch',
      generation: source.generation + 1,
      checkpoint: undefined,
      isRunning: true,
      skipped: {},
    })
  }

  async #change(source: Source, change: SourceChange): Promise<Source> {
    await this.#lease.write(updateSource(this.#ledger.db, source, change))
    return { ...source, ...(change as Partial<Source>) }
  }

  async #fail(source: Source, error: HashgateError): Promise<void> {
    this.#sync.state = 'failed'
    this.#sync.error = error
    const seconds = (error instanceof ExchangeError && error.retrySeconds) || RETRY_SECONDS
    await this.#change(source, {
      failure: `${error.code}: ${error.message}`,
      retryAt: this.#options.now() + seconds * 1000,
    })
  }
}

/** Up to the maximum number of pages. Each is requested while the previous one is applied. */
async function* oneAhead(
  pages: AsyncGenerator<ExchangePage, void>,
  most: number,
): AsyncGenerator<ExchangePage, void> {
  try {
    let coming = pages.next()
    for (let count = 1; ; count++) {
      const { value: page } = await coming
      if (!page) return
      const isLast = page.isComplete || count >= most
      if (!isLast) {
        coming = pages.next()
        coming.catch(() => undefined) // it is thrown when its turn comes
      }
      yield page
      if (isLast) return
    }
  } finally {
    await pages.return()
  }
}
