import { HashgateError } from '../util/errors.ts'
import type { Happening } from '../events/schema.ts'
import type { EntryGuard } from '../list/entry-guard.ts'
import type { ListStore } from '../list/store.ts'
import { openExchange } from './exchanges/catalog.ts'
import type { Exchange, World } from './exchanges/exchange.ts'
import { worldOf } from './exchanges/https/places.ts'
import { type Sync, syncExchange, type SyncOptions } from './exchanges/runner.ts'
import type { Ledger } from './ledger/ledger.ts'
import { type HeldSource, type LedgerPublication, publishLedger } from './ledger/publication.ts'
import { type DeskSettings, missingSecrets, secretOf } from './settings.ts'

/** What the desk works with, in a Worker and on the command line. */
export interface Desk {
  settings: DeskSettings
  ledger: Ledger
  store: ListStore
  /** Lowers entries that would match unrelated pictures. */
  guard: EntryGuard
  env: object
  world: World
  report: (happening: Happening) => void
}

/** A source that is not in the settings. */
export class UnknownExchangeError extends HashgateError {
  readonly code = 'unknown-exchange'

  constructor(name: string, names: readonly string[]) {
    super(
      names.length === 0
        ? `the settings have no exchanges, so no ${name} either; add it to DESK.exchanges`
        : `the settings have no exchange ${name}; expected one of ${names.join(', ')}`,
    )
  }
}

/** Secrets of a source are not set. */
export class SecretMissingError extends HashgateError {
  readonly code = 'secret-missing'

  constructor(names: readonly string[]) {
    super(
      `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not set: \`wrangler secret put NAME --config` +
        ' wrangler.desk.toml`, or an environment variable for the command line',
    )
  }
}

/** Settings of a source. @throws {UnknownExchangeError} */
export function exchangeSettings(
  { settings: { exchanges } }: Pick<Desk, 'settings'>,
  name: string,
) {
  const settings = Object.hasOwn(exchanges, name) ? exchanges[name] : undefined
  if (!settings) throw new UnknownExchangeError(name, Object.keys(exchanges))
  return settings
}

/** The exchange of a source. @throws {UnknownExchangeError | SecretMissingError | PlaceNotBoundError} */
export function exchangeOf(desk: Pick<Desk, 'settings' | 'env' | 'world'>, name: string): Exchange {
  const settings = exchangeSettings(desk, name)
  const missing = missingSecrets(settings, desk.env)
  if (missing.length > 0) throw new SecretMissingError(missing)
  const { kind } = settings
  const world = kind === 'https' ? worldOf(settings, desk.env, desk.world) : desk.world
  return openExchange(settings, (secret) => secretOf(desk.env, secret), world)
}

export interface SourceRunOptions extends Pick<SyncOptions, 'refetch' | 'onPage'> {
  /** Read instead of the exchange in the settings: a file, say. */
  exchange?: Exchange
  /** Whether to publish even though too many of its records vanished. */
  accept?: boolean
}

/** What a run of a source did, and what of it was published. */
export interface SourceRun {
  sync: Sync
  publication?: LedgerPublication
  /** Why it failed, or why nothing was published. */
  error?: HashgateError | undefined
  /** Set if the source shrank so much that its changes wait for a person. */
  held?: HeldSource | undefined
}

/** Reads a source into the ledger and publishes the changes. One event reports both. */
export async function runSource(
  desk: Desk,
  name: string,
  options: SourceRunOptions = {},
): Promise<SourceRun> {
  const { accept, exchange = exchangeOf(desk, name), ...others } = options
  const sync = await syncExchange(desk.ledger, exchange, {
    name,
    bank: exchangeSettings(desk, name).bank,
    now: desk.world.now,
    ...others,
  })
  if (sync.state === 'busy') return { sync, error: sync.error }
  const { publication, error } = await tryToPublish(desk, accept ? [name] : [])
  const run: SourceRun = {
    sync,
    ...(publication && { publication }),
    error: sync.error ?? error,
    held: publication?.held.find((one) => one.name === name),
  }
  reportRun(desk, name, run)
  return run
}

async function tryToPublish(
  desk: Desk,
  accept: readonly string[],
): Promise<Pick<SourceRun, 'publication' | 'error'>> {
  try {
    const { allowLarge } = desk.settings
    const { guard, world } = desk
    const options = { now: world.now, accept, allowLarge, maxSteps: MAX_STEPS, guard }
    return { publication: await publishLedger(desk.ledger, desk.store, options) }
  } catch (error) {
    if (!(error instanceof HashgateError)) throw error
    return { error }
  }
}

/**
 * Steps of a publication after a run; the next run continues. Each takes about 100 of the 1,000
 * allowed KV operations.
 */
const MAX_STEPS = 5

function reportRun(desk: Desk, name: string, { sync, publication, error, held }: SourceRun): void {
  desk.report({
    event: 'exchange-sync',
    exchange: name,
    state: sync.state === 'busy' ? 'failed' : sync.state,
    records: sync.records,
    deleted: sync.deleted,
    skipped: Object.values(sync.skipped).reduce((sum, count) => sum + count, 0),
    isHeld: held !== undefined,
    ...(publication?.version !== undefined && { listVersion: publication.version }),
    ...(error && { error: `${error.code}: ${error.message}` }),
  })
}
