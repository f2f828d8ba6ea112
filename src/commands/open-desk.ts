import { setTimeout } from 'node:timers/promises'
import type { Desk } from '../desk/desk.ts'
import type { Database } from '../desk/ledger/database.ts'
import { Ledger } from '../desk/ledger/ledger.ts'
import { readDeskSettings } from '../desk/settings.ts'
import { type KvNamespace, KvStore } from '../list/kv-store.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import type { ListStore } from '../list/store.ts'
import { DESK_CONFIG } from './desk-files.ts'
import { entryGuard } from './entry-guard.ts'
import type { TargetOptions } from './list-commands.ts'
import { RemoteDatabase } from './remote-database.ts'
import {
  openAccount,
  openLocal,
  openRemoteStore,
  readWranglerConfig,
  WranglerError,
} from './stores.ts'

const MISSING_LEDGER = "wrangler's configuration has no D1 database with the binding LEDGER"
const MISSING_LISTS = "wrangler's configuration has no KV namespace HASH_LISTS"

const world: Desk['world'] = {
  fetch: (request) => fetch(request),
  now: () => Date.now(),
  sleep: (ms) => setTimeout(ms),
}

/** The whole desk. */
export async function openDesk({ openLedger, openStore, ...parts }: DeskParts): Promise<Desk> {
  const [ledger, store] = [await openLedger(), await openStore()]
  return { ...parts, ledger, store, guard: entryGuard(), report: () => {} }
}

/**
 * The desk's parts. Asking a provider needs neither ledger nor list, which require keys and
 * bindings.
 */
export interface DeskParts extends Pick<Desk, 'settings' | 'env' | 'world'> {
  /** @throws {BadDeskKeyError | WrongDeskKeyError | WranglerError} */
  openLedger: () => Promise<Ledger>
  /** @throws {BadListKeyError | WranglerError} */
  openStore: () => Promise<ListStore>
  close: () => Promise<void>
}

/** The desk's parts: local, as `wrangler dev` has them, or at Cloudflare. */
export async function openDeskParts(options: TargetOptions): Promise<DeskParts> {
  const withConfig = { ...options, config: options.config ?? DESK_CONFIG }
  return options.remote ? openRemoteDesk(withConfig) : openLocalDesk(withConfig)
}

interface LocalBindings {
  LEDGER?: Database
  HASH_LISTS?: KvNamespace
  LIST_KEY?: string
  DESK_KEY?: string
}

async function openLocalDesk(options: TargetOptions): Promise<DeskParts> {
  const proxy = await openLocal<LocalBindings>(options)
  const close = () => proxy.dispose()
  try {
    const env = { ...proxy.env, ...process.env }
    const { LEDGER: db, HASH_LISTS: namespace } = proxy.env
    return {
      settings: readDeskSettings(env),
      env,
      world,
      openLedger: async () => {
        if (!db) throw new WranglerError(MISSING_LEDGER)
        return Ledger.open(db, env.DESK_KEY)
      },
      openStore: async () => {
        if (!namespace) throw new WranglerError(MISSING_LISTS)
        return new SealedStore(new KvStore(namespace), parseListKeys(env.LIST_KEY))
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Secrets come from environment variables: Cloudflare does not return them. */
async function openRemoteDesk(options: TargetOptions): Promise<DeskParts> {
  const config = await readWranglerConfig(options)
  const { DESK_KEY } = process.env
  const env = { ...config.vars, ...process.env }
  return {
    settings: readDeskSettings(env),
    env,
    world,
    openLedger: async () => {
      const database = config.d1_databases.find(({ binding }) => binding === 'LEDGER')
      if (!database?.database_id) throw new WranglerError(`${MISSING_LEDGER} and an id`)
      const { api, account } = await openAccount(config)
      return Ledger.open(new RemoteDatabase(api, account, database.database_id), DESK_KEY)
    },
    openStore: async () => (await openRemoteStore(options)).store,
    close: async () => {},
  }
}
