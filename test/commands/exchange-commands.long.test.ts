import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  exchangeCheck,
  exchangeDoctor,
  exchangeRebuild,
  exchangeStatus,
  exchangeSync,
} from '../../src/commands/exchange-commands.ts'
import { listShow } from '../../src/commands/list-commands.ts'
import { RemoteDatabase } from '../../src/commands/remote-database.ts'
import { CloudflareApi } from '../../src/commands/remote-store.ts'
import { createExchangeServer } from '../../src/desk/fake/server.ts'
import { FAKE_SECRET, FAKE_USER } from '../../src/desk/fake/state.ts'
import { LeaseLostError } from '../../src/desk/ledger/errors.ts'
import { Lease, LEASE_MS } from '../../src/desk/ledger/lease.ts'
import { Ledger } from '../../src/desk/ledger/ledger.ts'
import { findSource, openSource, tallyOf } from '../../src/desk/ledger/source.ts'

const server = createExchangeServer()
let http: ReturnType<typeof serve>
let folder: string
let where: { config: string; persistTo: string }
let out = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-exchange-'))
  const port = await new Promise<number>((resolve) => {
    http = serve({ fetch: server.app.fetch, port: 0, hostname: '127.0.0.1' }, (info) =>
      resolve(info.port),
    )
  })
  where = { config: join(folder, 'wrangler.toml'), persistTo: join(folder, 'state') }
  await writeFile(
    where.config,
    `name = "desk"
compatibility_date = "2026-10-20"
[[kv_namespaces]]
binding = "HASH_LISTS"
[[d1_databases]]
binding = "LEDGER"
database_name = "ledger"
[vars.DESK.exchanges.ncmec]
kind = "ncmec"
base = "http://127.0.0.1:${port}/ncmec"
user = "${FAKE_USER}"
bank = "csam"
`,
  )
  vi.stubEnv('LIST_KEY', 'ab'.repeat(32))
  vi.stubEnv('DESK_KEY', 'cd'.repeat(32))
  vi.spyOn(console, 'log').mockImplementation((line) => void (out += `${line}\n`))
  vi.spyOn(console, 'error').mockImplementation((line) => void (out += `${line}\n`))
  server.clock.advance(-60_000) // what is seconds old is not asked for yet
  for (let i = 0; i < 20; i++) {
    server.providers.ncmec.put(`42-${i}`, [{ kind: 'md5', value: `${i}`.padStart(32, 'a') }], 'A1')
  }
  server.clock.advance(120_000)
})

afterAll(async () => {
  http.close()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, maxRetries: 5 })
})

/** What a command prints, and whether it is content. */
async function run(command: () => Promise<boolean>): Promise<{ out: string; isGood: boolean }> {
  out = ''
  const isGood = await command()
  return { out, isGood }
}

describe('hashgate exchange', () => {
  it('says what is missing before a source can be read', async () => {
    await expect(exchangeCheck('ncmec', where)).rejects.toThrow('NCMEC_PASSWORD is not set')
    await expect(exchangeCheck('other', where)).rejects.toThrow('expected one of ncmec')
    expect(await run(() => exchangeDoctor(where))).toMatchObject({
      isGood: false,
      out: expect.stringContaining('problem: ncmec: secrets NCMEC_PASSWORD'),
    })
    vi.stubEnv('NCMEC_PASSWORD', FAKE_SECRET)
    expect(await run(() => exchangeCheck('ncmec', where))).toMatchObject({
      isGood: true,
      out: expect.stringContaining('ncmec: hashgate, may read and feedback'),
    })
    const checked = await run(() => exchangeCheck('ncmec', { ...where, json: true }))
    expect(JSON.parse(checked.out)).toMatchObject({
      exchange: 'ncmec',
      can: ['read', 'feedback'],
      details: { 'reasons of a dispute': '0f3c (Not what it says & more)' },
    })
  })

  it('asks a provider before there are keys of ledger and list', async () => {
    vi.stubEnv('LIST_KEY', undefined)
    vi.stubEnv('DESK_KEY', undefined)
    expect((await run(() => exchangeCheck('ncmec', where))).isGood).toBe(true)
    const dry = await run(() => exchangeSync('ncmec', { ...where, dryRun: true, json: true }))
    expect(JSON.parse(dry.out)).toMatchObject({ records: 20 })
    const doctor = await run(() => exchangeDoctor(where))
    expect(doctor.isGood).toBe(false)
    const problems = doctor.out.split('\n').filter((line) => line.startsWith('problem: '))
    expect(problems).toEqual([
      'problem: ledger and DESK_KEY: DESK_KEY is not set; `hashgate list key` makes one',
      expect.stringContaining('problem: published list and LIST_KEY: LIST_KEY must be a key'),
    ])
    await expect(exchangeSync('ncmec', where)).rejects.toThrow('DESK_KEY is not set')
    vi.stubEnv('LIST_KEY', 'ab'.repeat(32))
    vi.stubEnv('DESK_KEY', 'cd'.repeat(32))
  })

  it('reads a source without storing anything', async () => {
    const dry = await run(() => exchangeSync('ncmec', { ...where, dryRun: true, json: true }))
    expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, records: 20, hashes: { md5: 20 } })
    const status = await run(() => exchangeStatus({ ...where, json: true }))
    expect(JSON.parse(status.out)).toMatchObject({ sources: [{ health: 'new' }] })
  })

  it('reads a source and publishes it', async () => {
    const synced = await run(() => exchangeSync('ncmec', { ...where, json: true }))
    expect(synced.isGood).toBe(true)
    expect(JSON.parse(synced.out)).toMatchObject({
      state: 'complete',
      records: 20,
      version: 1,
      added: 20,
    })
    const status = await run(() => exchangeStatus(where))
    expect(status.isGood).toBe(true)
    expect(status.out).toContain('ncmec (ncmec, bank csam): green')
    expect(status.out).toContain('classified: 20 A1')
    expect((await run(() => exchangeDoctor(where))).isGood).toBe(true)
    expect((await run(() => listShow(where))).out).toContain('20 digests')
  })

  it('holds a source that shrank until that is accepted', async () => {
    for (let i = 0; i < 5; i++) server.providers.ncmec.delete(`42-${i}`)
    server.clock.advance(60_000)
    vi.setSystemTime(Date.now() + 120_000)
    const held = await run(() => exchangeSync('ncmec', where))
    expect(held.isGood).toBe(false)
    expect(held.out).toContain('15 of 20 records are left')
    expect((await run(() => exchangeStatus(where))).isGood).toBe(false)
    const accepted = await run(() => exchangeSync('ncmec', { ...where, accept: true, json: true }))
    expect(JSON.parse(accepted.out)).toMatchObject({ removed: 5 })
    expect((await run(() => exchangeStatus(where))).isGood).toBe(true)
    vi.useRealTimers()
  })

  it('rewrites a bank', async () => {
    const rebuilt = await run(() => exchangeRebuild('csam', where))
    expect(rebuilt.out).toContain('published version 3')
    expect((await run(() => listShow(where))).out).toContain('15 digests in 1 segment')
  })
})

describe('D1 by the API', () => {
  let api: Server
  let db: RemoteDatabase
  const sqlite = new DatabaseSync(':memory:')

  /** As Cloudflare answers: one query, or several as one transaction. */
  function answer(body: string): object {
    const asked = JSON.parse(body) as { batch?: Query[] } & Query
    sqlite.exec('BEGIN')
    try {
      const result = (asked.batch ?? [asked]).map(({ sql, params }) => ({
        results: sqlite.prepare(sql).all(...params),
        success: true,
      }))
      sqlite.exec('COMMIT')
      return { success: true, errors: [], result }
    } catch (error) {
      sqlite.exec('ROLLBACK')
      return { success: false, errors: [{ code: 7500, message: String(error) }] }
    }
  }

  interface Query {
    sql: string
    params: (string | number | null)[]
  }

  beforeAll(async () => {
    api = createServer((request, response) => {
      void respond(request, response)
    })
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    const { port } = api.address() as AddressInfo
    const options = { token: 'token', baseUrl: `http://127.0.0.1:${port}`, wait: async () => {} }
    db = new RemoteDatabase(new CloudflareApi(options), 'acc', 'db-id')
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const isRight =
      request.url === '/accounts/acc/d1/database/db-id/query' &&
      request.headers.authorization === 'Bearer token'
    const answered = isRight ? answer(body) : { success: false, errors: [] }
    response.writeHead('result' in answered ? 200 : 400, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answered))
  }

  afterAll(() => {
    api.close()
  })

  it('keeps a ledger', async () => {
    const ledger = await Ledger.open(db, 'cd'.repeat(32))
    const source = await openSource(db, 'a', 'csam')
    let clock = 0
    const lease = await Lease.take(db, 'x', () => clock)
    const hashes = [{ kind: 'md5', value: '0f'.repeat(16) }]
    const record = { key: 'k', hashes, labels: {}, tier: 'A1', updated: 1 }
    await ledger.apply(lease, source, { upserts: [record], deletes: [] }, [])
    expect(await tallyOf(db, source)).toMatchObject({ records: 1, tiers: { A1: 1 } })
    clock = LEASE_MS
    await Lease.take(db, 'x', () => clock)
    const gone = { key: 'k', updated: 2 }
    await expect(ledger.apply(lease, source, { upserts: [], deletes: [gone] }, [])).rejects.toThrow(
      LeaseLostError,
    )
    expect(await tallyOf(db, source)).toMatchObject({ records: 1 })
    expect(await findSource(db, 'b')).toBeUndefined()
  })
})
