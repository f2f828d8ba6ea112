// What a source costs the desk: records per second through the exchange server into a ledger in
// workerd, CPU time, rows written, their price, and the time from a provider's change to a
// published list. The isolate's heap is capped at a Worker's.
//
//   npm run bench -- sync [RECORDS]

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { readModules } from '../src/core/node.ts'
import { createExchangeServer, type ExchangeServer } from '../src/desk/fake/server.ts'
import { FAKE_SECRET, FAKE_USER } from '../src/desk/fake/state.ts'
import { KvStore } from '../src/list/kv-store.ts'
import { parseListKeys, SealedStore } from '../src/list/sealing.ts'
import { LiveList } from '../src/match/live-list.ts'
import { workerOf } from '../test/support/workerd.ts'
import { cpuMsOf } from './cpu.ts'
import { printTable } from './measure.ts'
import type { RunAnswer } from './sync-worker.ts'

const RECORDS = 100_000
const CHANGES = 1000
/** US dollars per million rows written, beyond the 50 million a month that are included. */
const PRICE = 1
/** Megabytes of V8's heap in workerd; memory outside of it comes on top. */
const HEAP_MB = 128
const KEY = 'ab'.repeat(32)

/** What the desk did with a source's records. */
interface Run {
  name: string
  records: number
  seconds: number
  cpuSeconds: number
  /** CPU time of its longest call; in a deployment each call is a queue message. */
  longestCpuSeconds: number
  rowsWritten: number
}

/** The report of `npm run bench -- sync`. */
export async function benchSync([count = String(RECORDS)]: readonly string[]): Promise<void> {
  const runs = await syncRecords(Number(count))
  printTable(
    [
      '',
      'records',
      'records/s',
      'CPU s',
      'longest call, CPU s',
      'rows written',
      'a record',
      '$ a million records',
    ],
    runs.map(rowOf),
  )
}

/** The desk, the exchange server, and the list that the desk publishes. */
interface Parts {
  server: ExchangeServer
  /** One run of the desk. */
  run: () => Promise<RunAnswer>
  store: SealedStore
  /** The process that runs the desk and its database. */
  pid: string
}

/** Fills a local ledger with records, changes some, and asks again when nothing is new. */
export async function syncRecords(records: number): Promise<Run[]> {
  const server = createExchangeServer()
  const http = serve({ fetch: server.app.fetch, port: 0, hostname: '127.0.0.1' })
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-bench-sync-'))
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] = `--max-heap-size=${HEAP_MB}`
  const { port } = http.address() as { port: number }
  const miniflare = await startDesk(folder, `http://127.0.0.1:${port}/ncmec`)
  try {
    const url = await miniflare.unsafeGetDirectURL('desk')
    const run = async () => {
      const body = JSON.stringify({ now: server.clock.now() })
      const response = await fetch(url, { method: 'POST', body, headers: { connection: 'close' } })
      if (!response.ok)
        throw new Error(`the desk said ${response.status}: ${await response.text()}`)
      return (await response.json()) as RunAnswer
    }
    const namespace = await miniflare.getKVNamespace('HASH_LISTS', 'desk')
    const store = new SealedStore(new KvStore(namespace), parseListKeys(KEY))
    const pid = execFileSync('pgrep', ['-P', String(process.pid), 'workerd'], { encoding: 'utf8' })
    const runs = await measure({ server, run, store, pid: pid.trim() }, records)
    console.log(
      `workerd, with the desk, D1 and KV in it: ${await peakMegabytes(pid.trim())} MB at most`,
    )
    return runs
  } finally {
    await miniflare.dispose()
    http.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A process's peak memory, in megabytes (Linux's `VmHWM`). */
async function peakMegabytes(pid: string): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /VmHWM:\s*(\d+)/.exec(status)?.[1]
  return kibibytes === undefined ? 'unknown' : (Number(kibibytes) / 1024).toFixed(0)
}

async function startDesk(folder: string, base: string): Promise<Miniflare> {
  const ncmec = { kind: 'ncmec', base, user: FAKE_USER, bank: 'csam' }
  const text = (value: string) => ({ type: 'text', value }) as const
  const worker = await workerOf('desk', new URL('sync-worker.ts', import.meta.url), {
    LEDGER: { type: 'd1', id: 'ledger' },
    HASH_LISTS: { type: 'kv', id: 'lists' },
    LIST_KEY: text(KEY),
    DESK_KEY: text(KEY),
    NCMEC_PASSWORD: text(FAKE_SECRET),
    DESK: text(JSON.stringify({ exchanges: { ncmec } })),
  })
  return new Miniflare({
    log: new Log(LogLevel.ERROR),
    resourcePersistencePath: folder,
    workers: [worker],
  })
}

async function measure(parts: Parts, records: number): Promise<Run[]> {
  const { clock, providers } = parts.server
  const provider = providers.ncmec
  provider.pageSize = 1000
  for (let i = 0; i < records; i++) provider.put(`42-${i}`, [{ kind: 'md5', value: digest(i) }])
  clock.advance(3_600_000)
  const runs = [await timed('first fill, published', records, parts)]
  for (let i = 0; i < CHANGES; i++) {
    provider.put(`42-${i}`, [{ kind: 'md5', value: digest(-1 - i) }])
  }
  clock.advance(60_000)
  runs.push(await timed('changed, published', CHANGES, parts))
  clock.advance(60_000)
  runs.push(await timed('nothing new', 0, parts))
  await refuseOne(parts)
  return runs
}

/**
 * Prints the time from a provider's change until a list, as the gate has it in memory, matches. In
 * a deployment, waiting comes on top: the source's `everyMinutes`, the gate's
 * `list.refreshSeconds`, and KV's minute.
 */
async function refuseOne(parts: Parts): Promise<void> {
  const { server, store } = parts
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
  await timed('', 0, parts)
  const published = performance.now()
  while (!(await isRefused())) {
    server.clock.advance(1000) // checks the list again without waiting for its refresh
    await setTimeout(1)
  }
  const [sync, load] = [published - start, performance.now() - published]
  console.log(
    `from a change to a list that matches it: read and published ${sync.toFixed(0)} ms, loaded ${load.toFixed(0)} ms`,
  )
}

/** Reads the source to its end and publishes everything. */
async function timed(name: string, records: number, { run, pid }: Parts): Promise<Run> {
  const [start, cpu] = [performance.now(), cpuMsOf(pid)]
  let [rowsWritten, longestCpuSeconds] = [0, 0]
  for (let before = cpu; ;) {
    const answer = await run()
    if (answer.error !== undefined) throw new Error(answer.error)
    rowsWritten += answer.rowsWritten
    const after = cpuMsOf(pid)
    longestCpuSeconds = Math.max(longestCpuSeconds, (after - before) / 1000)
    before = after
    if (answer.isComplete) break
  }
  const seconds = (performance.now() - start) / 1000
  const cpuSeconds = (cpuMsOf(pid) - cpu) / 1000
  return { name, records, seconds, cpuSeconds, longestCpuSeconds, rowsWritten }
}

function rowOf(run: Run): string[] {
  const { name, records, seconds, cpuSeconds, longestCpuSeconds, rowsWritten } = run
  const each = records === 0 ? 0 : rowsWritten / records
  return [
    `${name}: ${seconds.toFixed(1)} s`,
    records.toLocaleString('en'),
    Math.round(records / seconds).toLocaleString('en'),
    cpuSeconds.toFixed(1),
    longestCpuSeconds.toFixed(1),
    rowsWritten.toLocaleString('en'),
    each.toFixed(2),
    (each * PRICE).toFixed(2),
  ]
}

function digest(i: number): string {
  return createHash('md5').update(String(i)).digest('hex')
}
