import { env } from 'cloudflare:workers'
import { openExchange, type ExchangeSettings } from '../../src/desk/exchanges/catalog.ts'
import type { Exchange, World } from '../../src/desk/exchanges/exchange.ts'
import { type Sync, type SyncOptions, syncExchange } from '../../src/desk/exchanges/runner.ts'
import { createExchangeServer, type ExchangeServer } from '../../src/desk/fake/server.ts'
import {
  FAKE_GROUP,
  FAKE_SECRET,
  FAKE_TOKEN,
  FAKE_USER,
  FakeClock,
  type FakeListName,
  type Fault,
} from '../../src/desk/fake/state.ts'
import { rowsOf } from '../../src/desk/ledger/database.ts'
import { Ledger } from '../../src/desk/ledger/ledger.ts'
import { entriesOf } from '../../src/desk/ledger/record.ts'
import { toHex } from '../../src/util/bytes.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { readRemovals } from '../../src/list/removals.ts'
import { readEntries } from '../../src/list/segment.ts'
import type { ListStore } from '../../src/list/store.ts'
import { kvNamespace } from '../support/stores.ts'

export const DESK_KEY = 'ab'.repeat(32)
const ORIGIN = 'http://127.0.0.1:9'

export function ledgerDatabase(): D1Database {
  return (env as unknown as { LEDGER: D1Database }).LEDGER
}

/** An empty ledger and an empty namespace. */
export async function emptyDesk(): Promise<Ledger> {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
  const db = ledgerDatabase()
  await dropTables(db)
  return Ledger.open(db, DESK_KEY)
}

export async function dropTables(db: D1Database): Promise<void> {
  const tables = await rowsOf<{ name: string }>(
    db,
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
  )
  for (const { name } of tables) await db.prepare(`DROP TABLE ${name}`).run()
}

/** The exchange server, and a desk's clock beside its own. */
export interface Trial {
  server: ExchangeServer
  world: World
  /** Milliseconds by which the desk's clock differs. */
  skew: number
  exchange: (name: FakeListName, change?: object) => Exchange
  sync: (ledger: Ledger, name: FakeListName, options?: Partial<SyncOptions>) => Promise<Sync>
}

export function trial(): Trial {
  const begin = Date.parse('2026-11-26T00:00:00Z')
  const server = createExchangeServer(new FakeClock(() => begin, 1000))
  const made: Trial = {
    server,
    skew: 0,
    world: {
      fetch: async (request) => {
        if (!request.url.startsWith(ORIGIN)) throw new TypeError('another server')
        return server.app.fetch(request)
      },
      now: () => server.clock.now() + made.skew,
      sleep: async () => {},
    },
    exchange: (name, change = {}) =>
      openExchange({ ...SETTINGS[name], ...change }, secretOf, made.world),
    sync: (ledger, name, options = {}) =>
      syncExchange(ledger, made.exchange(name), {
        name,
        bank: 'csam',
        now: made.world.now,
        ...options,
      }),
  }
  return made
}

const ALL = ['cut', 'status', 'notice', 'repeat', 'reorder', 'kill-cursors'] as const

/** Faults that answers of a provider can have: the first all can, and time goes back where it is part of an answer. */
export const FAULTS: Record<FakeListName, readonly Fault['type'][]> = {
  list: ALL,
  ncmec: ALL,
  graph: ALL,
  stopncii: [...ALL, 'rewind'],
  tcap: [...ALL, 'rewind'],
}

const common = { bank: 'csam', everyMinutes: 60, maxAgeHours: 26, feedback: 'off' } as const

/** How sources are set up with the exchange server. */
export const SETTINGS: Record<FakeListName, ExchangeSettings> = {
  list: {
    ...common,
    kind: 'https',
    url: `${ORIGIN}/list/list.csv`,
    format: 'csv',
    fields: {},
    records: '',
    mode: 'replace',
    auth: { type: 'basic', user: FAKE_USER, secret: 'SECRET' },
    maxBytes: 1 << 20,
    maxUnpackedBytes: 1 << 20,
  },
  ncmec: {
    ...common,
    kind: 'ncmec',
    base: `${ORIGIN}/ncmec`,
    user: FAKE_USER,
    secret: 'SECRET',
    maxWindowEntries: 80_000,
  },
  stopncii: {
    ...common,
    kind: 'stopncii',
    base: `${ORIGIN}/stopncii/v1`,
    functionsSecret: 'FUNCTIONS',
    feedbackSecret: 'FEEDBACK',
    secret: 'SECRET',
  },
  tcap: {
    ...common,
    kind: 'tcap',
    base: `${ORIGIN}/tcap`,
    listPath: '/api/hash-list/v2/all',
    ideology: 'all',
    user: FAKE_USER,
    secret: 'SECRET',
  },
  graph: {
    ...common,
    kind: 'threatexchange',
    base: `${ORIGIN}/graph/v21.0`,
    group: FAKE_GROUP,
    types: ['HASH_PDQ', 'HASH_MD5'],
    secret: 'TOKEN',
  },
}

/** Secrets of the sources, by name. */
export const ENV: Record<string, string> = {
  SECRET: FAKE_SECRET,
  FUNCTIONS: `${FAKE_SECRET}-f`,
  FEEDBACK: `${FAKE_SECRET}-w`,
  TOKEN: FAKE_TOKEN,
}

function secretOf(name: string): string {
  return ENV[name] ?? ''
}

/** What the ledger has live, as `source kind hash`, sorted. */
export async function liveInLedger(ledger: Ledger): Promise<string[]> {
  const rows = await rowsOf<{ row: string; sealed: string; tier: string; name: string }>(
    ledger.db,
    `SELECT CAST(record.id AS TEXT) AS row, lower(hex(sealed)) AS sealed, tier, name
     FROM record JOIN source ON source.id = record.source WHERE deleted = 0`,
  )
  const entries = rows.map((row) => entriesOf(ledger.key, row.name, row))
  return entries.flat().map(describe).toSorted()
}

/** What the published list has, in the same words. */
export async function livePublished(store: ListStore): Promise<string[]> {
  const { banks } = await readManifest(store)
  const entries: string[] = []
  for (const ref of banks.flatMap(({ segments }) => segments)) {
    const removed = new Set(await readRemovals(store, ref))
    const all = await readEntries(store, ref)
    entries.push(...all.filter((_, position) => !removed.has(position)).map(describe))
  }
  return entries.toSorted()
}

/** What a provider lists now, in the same words. */
export function liveAt({ server }: Trial, name: FakeListName): string[] {
  return server.providers[name]
    .live()
    .flatMap(({ hashes }) => hashes.map(({ kind, value }) => `${name} ${kind} ${value}`))
    .toSorted()
}

function describe({
  kind,
  hash,
  labels,
}: {
  kind: string
  hash: Uint8Array
  labels: Record<string, string>
}): string {
  return `${labels['source']} ${kind} ${toHex(hash)}`
}
