// What a source costs the desk: records a second through the exchange server into a ledger on this machine, rows written, their
// price, and the time from a provider's change to a published list.
//
//   npm run bench -- sync [RECORDS]

import { entryGuard } from '../src/commands/entry-guard.ts'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { type Desk, runSource } from '../src/desk/desk.ts'
import { setTimeout } from 'node:timers/promises'
import { readModules } from '../src/core/node.ts'
import { LiveList } from '../src/match/live-list.ts'
import { createExchangeServer, type ExchangeServer } from '../src/desk/fake/server.ts'
import { FAKE_SECRET, FAKE_USER } from '../src/desk/fake/state.ts'
import type { Database, Statement } from '../src/desk/ledger/database.ts'
import { Ledger } from '../src/desk/ledger/ledger.ts'
import { readDeskSettings } from '../src/desk/settings.ts'
import { MemoryStore } from '../src/list/store.ts'
import { openLocal } from '../src/commands/stores.ts'
import { printTable } from './measure.ts'

const RECORDS = 100_000
const CHANGES = 1000
/** US dollars a million rows written, beyond the 50 million a month that are included. */
const PRICE = 1

/** Counts the rows that D1 says it wrote. */
class CountedDatabase implements Database {
  written = 0
  readonly #inner: Database

  constructor(inner: Database) {
    this.#inner = inner
  }

  prepare(sql: string): Statement {
    return this.#inner.prepare(sql)
  }

  async batch(statements: Statement[]): Promise<{ results: unknown[] }[]> {
    const results = await this.#inner.batch(statements)
    for (const { meta } of results as unknown as { meta?: { rows_written?: number } }[]) {
      this.written += meta?.rows_written ?? 0
    }
    return results
  }
}

/** What the desk did with records of a source. */
interface Run {
  name: string
  records: number
  seconds: number
  cpuSeconds: number
  rowsWritten: number
}

/** The report of `npm run bench -- sync`. */
export async function benchSync([count = String(RECORDS)]: readonly string[]): Promise<void> {
  printTable(
    ['', 'records', 'records/s', 'CPU s', 'rows written', 'a record', '$ a million records'],
    (await syncRecords(Number(count))).map(rowOf),
  )
}

/** Fills a ledger on this machine with records, changes some, and asks again where nothing is new. */
export async function syncRecords(records: number): Promise<Run[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-bench-sync-'))
  const config = join(folder, 'wrangler.toml')
  const binding = '[[d1_databases]]\nbinding = "LEDGER"\ndatabase_name = "ledger"\n'
  await writeFile(config, `name = "desk"\ncompatibility_date = "2026-10-20"\n${binding}`)
  const proxy = await openLocal<{ LEDGER: Database }>({ config, persistTo: join(folder, 'state') })
  try {
    const db = new CountedDatabase(proxy.env.LEDGER)
    return await measure(db, records)
  } finally {
    await proxy.dispose()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function measure(db: CountedDatabase, records: number): Promise<Run[]> {
  const server = createExchangeServer()
  const provider = server.providers.ncmec
  provider.pageSize = 1000
  for (let i = 0; i < records; i++) provider.put(`42-${i}`, [{ kind: 'md5', value: digest(i) }])
  server.clock.advance(3_600_000)
  const desk: Desk = {
    settings: readDeskSettings({
      DESK: {
        exchanges: {
          ncmec: { kind: 'ncmec', base: 'http://127.0.0.1:9/ncmec', user: FAKE_USER, bank: 'csam' },
        },
      },
    }),
    ledger: await Ledger.open(db, 'ab'.repeat(32)),
    store: new MemoryStore(),
    guard: entryGuard(),
    env: { NCMEC_PASSWORD: FAKE_SECRET },
    world: {
      fetch: async (request) => server.app.fetch(request),
      now: () => server.clock.now(),
      sleep: async () => {},
    },
    report: () => {},
  }
  const runs = [await timed('first fill, published', records, db, desk)]
  for (let i = 0; i < CHANGES; i++)
    provider.put(`42-${i}`, [{ kind: 'md5', value: digest(-1 - i) }])
  server.clock.advance(60_000)
  runs.push(await timed('changed, published', CHANGES, db, desk))
  server.clock.advance(60_000)
  runs.push(await timed('nothing new', 0, db, desk))
  await refuseOne(server, desk)
  return runs
}

/**
 * Prints how long it takes from a provider's change until a list as the gate has it in memory matches. In a deployment, what
 * the clocks say comes on top: `everyMinutes` of the source, `list.refreshSeconds` of the gate, and KV's minute.
 */
async function refuseOne(server: ExchangeServer, desk: Desk): Promise<void> {
  const { store } = desk
  const limits = { maxEntries: 5 << 20, maxTableEntries: 0, refreshSeconds: 1, maxAgeSeconds: 60 }
  const now = () => server.clock.now()
  const list = new LiveList({
    modules: readModules(),
    store,
    ...limits,
    onStale: 'use',
    now,
    onError: () => {},
  })
  const wanted = Buffer.from(digest(-1_000_000), 'hex')
  const isRefused = async () => {
    const { results } = await list.match([{ needles: [], digests: { md5: wanted } }], () => {})
    return results[0]?.matches.length === 1
  }
  if (await isRefused()) throw new Error('the list has what it cannot know')
  server.providers.ncmec.put('42-new', [{ kind: 'md5', value: digest(-1_000_000) }])
  server.clock.advance(60_000)
  const start = performance.now()
  await timed('', 0, desk.ledger.db as CountedDatabase, desk)
  const published = performance.now()
  while (!(await isRefused())) await setTimeout(1)
  const [sync, load] = [published - start, performance.now() - published]
  console.log(
    `from a change to a list that matches it: read and published ${sync.toFixed(0)} ms, loaded ${load.toFixed(0)} ms`,
  )
}

/** Runs the source to its end, and publishes all of it. */
async function timed(name: string, records: number, db: CountedDatabase, desk: Desk): Promise<Run> {
  const [before, start, cpu] = [db.written, performance.now(), process.cpuUsage()]
  for (;;) {
    const { sync, publication, publishError } = await runSource(desk, 'ncmec')
    const error = sync.error ?? publishError
    if (error) throw error
    if (sync.state === 'complete' && publication?.isComplete) break
  }
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const cpuSeconds = (user + system) / 1e6
  return { name, records, seconds, cpuSeconds, rowsWritten: db.written - before }
}

function rowOf({ name, records, seconds, cpuSeconds, rowsWritten }: Run): string[] {
  const each = records === 0 ? 0 : rowsWritten / records
  return [
    `${name}: ${seconds.toFixed(1)} s`,
    records.toLocaleString('en'),
    Math.round(records / seconds).toLocaleString('en'),
    cpuSeconds.toFixed(1),
    rowsWritten.toLocaleString('en'),
    each.toFixed(2),
    (each * PRICE).toFixed(2),
  ]
}

function digest(i: number): string {
  return createHash('md5').update(String(i)).digest('hex')
}
