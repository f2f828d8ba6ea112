import { setTimeout } from 'node:timers/promises'
import type { Desk } from '../desk/desk.ts'
import type { Database } from '../desk/ledger/database.ts'
import { Ledger } from '../desk/ledger/ledger.ts'
import { readDeskSettings } from '../desk/settings.ts'
import { type KvNamespace, KvStore } from '../list/kv-store.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import { DESK_CONFIG } from './desk-files.ts'
import { entryGuard } from './entry-guard.ts'
import type { TargetOptions } from './list-commands.ts'
import { RemoteDatabase } from './remote-database.ts'
import { RemoteStore } from './remote-store.ts'
import { findNamespaceId, openAccount, openLocal, readConfig, WranglerError } from './stores.ts'

const MISSING_LEDGER = "wrangler's configuration has no D1 database with the binding LEDGER"

const world: Desk['world'] = {
  fetch: (request) => fetch(request),
  now: () => Date.now(),
  sleep: (ms) => setTimeout(ms),
}

/** The desk's parts: on this machine as `wrangler dev` has them, or at Cloudflare. */
export async function openDesk(
  options: TargetOptions,
): Promise<{ desk: Desk; close: () => Promise<void> }> {
  const withConfig = { ...options, config: options.config ?? DESK_CONFIG }
  return options.remote ? openRemoteDesk(withConfig) : openLocalDesk(withConfig)
}

interface LocalBindings {
  LEDGER?: Database
  HASH_LISTS?: KvNamespace
  LIST_KEY?: string
  DESK_KEY?: string
}

async function openLocalDesk(options: TargetOptions) {
  const proxy = await openLocal<LocalBindings>(options)
  const close = () => proxy.dispose()
  try {
    const env = { ...proxy.env, ...process.env }
    const { LEDGER: db, HASH_LISTS: namespace } = proxy.env
    if (!db) throw new WranglerError(MISSING_LEDGER)
    if (!namespace)
      throw new WranglerError("wrangler's configuration has no KV namespace HASH_LISTS")
    const settings = readDeskSettings(env)
    const ledger = await Ledger.open(db, env.DESK_KEY)
    const store = new SealedStore(new KvStore(namespace), parseListKeys(env.LIST_KEY))
    return {
      desk: { settings, ledger, store, guard: entryGuard(), env, world, report: () => {} },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Secrets are variables of the environment: Cloudflare does not give them back. */
async function openRemoteDesk(options: TargetOptions) {
  const config = await readConfig(options)
  const env = { ...config.vars, ...process.env }
  const settings = readDeskSettings(env)
  const database = config.d1_databases.find(({ binding }) => binding === 'LEDGER')
  if (!database?.database_id) throw new WranglerError(`${MISSING_LEDGER} and an id`)
  const keys = parseListKeys(process.env['LIST_KEY'])
  const namespace = findNamespaceId(config, options)
  const { api, account } = await openAccount(config)
  const db = new RemoteDatabase(api, account, database.database_id)
  const ledger = await Ledger.open(db, process.env['DESK_KEY'])
  const store = new SealedStore(new RemoteStore(api, account, namespace), keys)
  const desk: Desk = { settings, ledger, store, guard: entryGuard(), env, world, report: () => {} }
  return { desk, close: async () => {} }
}
