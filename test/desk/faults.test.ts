import { inspect } from 'node:util'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Desk, exchangeOf, runSource } from '../../src/desk/desk.ts'
import { FAKE_TOKEN, type Fault } from '../../src/desk/fake/state.ts'
import { readDeskSettings } from '../../src/desk/settings.ts'
import { deskStatus } from '../../src/desk/status.ts'
import { EntryGuard } from '../../src/list/entry-guard.ts'
import { logEvent } from '../../src/events/report.ts'
import { stampEvent } from '../../src/events/stamp.ts'
import type { Ledger } from '../../src/desk/ledger/ledger.ts'
import { findSource, tallyOf } from '../../src/desk/ledger/source.ts'
import { toHex } from '../../src/util/bytes.ts'
import { randomBytes } from '../support/random.ts'
import { kvStore } from '../support/stores.ts'
import { emptyDesk, ENV, liveAt, liveInLedger, SETTINGS, type Trial, trial } from './desk.ts'

let ledger: Ledger
let desk: Trial

beforeEach(async () => {
  ledger = await emptyDesk()
  desk = trial()
})

const md5 = (seed: number) => ({ kind: 'md5', value: toHex(randomBytes(16, seed)) })

describe('StopNCII', () => {
  function fill(count: number): void {
    const provider = desk.server.providers.stopncii
    provider.pageSize = 7
    for (let i = 0; i < count; i++) provider.put(`${100 + i}`, [md5(i)])
  }
  const without = (...spoilt: number[]) =>
    liveAt(desk, 'stopncii').filter((line) => !spoilt.some((i) => line.endsWith(md5(i).value)))

  it('reads around records that break their pages, says so, and reads them once they are fixed', async () => {
    fill(40)
    const { poison } = desk.server.providers.stopncii
    for (const i of [0, 11, 12, 30]) poison.add(`${100 + i}`)
    const sync = await desk.sync(ledger, 'stopncii')
    expect(sync).toMatchObject({ state: 'failed', error: { code: 'bad-answer' } })
    expect(sync.error?.message).toContain('cannot be read')
    expect(await liveInLedger(ledger)).toEqual(without(0, 11, 12, 30))
    const source = await findSource(ledger.db, 'stopncii')
    expect(source).toMatchObject({ completedAt: undefined, isRunning: true })
    expect(await desk.sync(ledger, 'stopncii')).toMatchObject({ state: 'failed' })
    poison.clear()
    expect(await desk.sync(ledger, 'stopncii')).toMatchObject({ state: 'complete' })
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, 'stopncii'))
  })

  it('ends where too many records cannot be read', async () => {
    fill(20)
    for (let i = 0; i < 20; i += 2) desk.server.providers.stopncii.poison.add(`${100 + i}`)
    expect(await desk.sync(ledger, 'stopncii')).toMatchObject({ state: 'failed' })
    expect(desk.server.providers.stopncii.requests).toBeLessThan(1000)
  })

  it('keeps records with values that nobody documents, and tells what others made of them', async () => {
    const provider = desk.server.providers.stopncii
    provider.put('1', [md5(1)], 'Blocked')
    provider.put('2', [md5(2)], 'NotBlocked')
    provider.put('3', [{ kind: 'ImageSomething', value: 'x' }], 'Undefined')
    await desk.sync(ledger, 'stopncii')
    const source = await findSource(ledger.db, 'stopncii')
    expect((await tallyOf(ledger.db, source!)).tiers).toEqual({
      blocked: 1,
      'not-blocked': 1,
      unreviewed: 1,
    })
  })
})

describe('NCMEC', () => {
  function fill(): void {
    const provider = desk.server.providers.ncmec
    for (let i = 0; i < 12; i++) {
      provider.put(
        `${40 + (i % 2)}-${i}`,
        [md5(i), { kind: 'sha1', value: 'broken' }],
        i < 6 ? 'A1' : 'B2',
      )
    }
    desk.server.clock.advance(60_000)
  }
  const syncWith = async (settings: object) => {
    const { syncExchange } = await import('../../src/desk/exchanges/runner.ts')
    const exchange = desk.exchange('ncmec', settings)
    return syncExchange(ledger, exchange, { name: 'ncmec', bank: 'csam', now: desk.world.now })
  }

  it('takes entries of some members and classifications alone, and counts the others', async () => {
    fill()
    const sync = await syncWith({ memberIds: ['41'], tiers: ['A1'] })
    expect(sync.skipped).toMatchObject({
      'entry: filtered out': 9,
      'tmk-pdqf: large fingerprint': 3,
    })
    const source = await findSource(ledger.db, 'ncmec')
    expect(await tallyOf(ledger.db, source!)).toMatchObject({ records: 3, tiers: { A1: 3 } })
  })

  it('takes what enough members confirm, counts each once, and takes back what they contradict later', async () => {
    const provider = desk.server.providers.ncmec
    const put = (i: number, opinions: { for: string[]; against: string[] }) => {
      provider.put(`42-${i}`, [md5(i)])
      Object.assign(provider.records.get(`42-${i}`)!, { opinions })
      desk.server.clock.advance(60_000)
    }
    put(1, { for: ['7', '8'], against: [] })
    put(2, { for: ['7'], against: [] })
    put(3, { for: ['7', '8', '9'], against: ['10'] })
    put(4, { for: ['7', '8'], against: ['10'] })
    provider.put('42-5', [md5(5)])
    desk.server.clock.advance(60_000)
    const sync = await syncWith({ minFeedback: 2 })
    expect(sync.skipped['entry: filtered out']).toBe(3)
    const taken = (...seeds: number[]) => seeds.map((i) => `ncmec md5 ${md5(i).value}`).toSorted()
    expect(await liveInLedger(ledger)).toEqual(taken(1, 3))
    put(1, { for: ['7', '8'], against: ['9'] })
    put(2, { for: ['7', '8'], against: [] })
    await syncWith({ minFeedback: 2 })
    expect(await liveInLedger(ledger)).toEqual(taken(2, 3))
  })

  it('skips an invalid hash, but not its entry', async () => {
    fill()
    const sync = await syncWith({})
    expect(sync.skipped['sha1: not 40 hex digits']).toBe(12)
    expect(await liveInLedger(ledger)).toHaveLength(12)
  })

  it('asks in UTC, by whole seconds, and never for what is not over', async () => {
    fill()
    const urls: URL[] = []
    const { fetch } = desk.world
    desk.world.fetch = async (request) => {
      urls.push(new URL(request.url))
      return fetch(request)
    }
    await syncWith({})
    expect(urls).not.toEqual([])
    for (const { searchParams } of urls) {
      expect(searchParams.get('to')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.000)?Z$/)
      expect(Date.parse(searchParams.get('to')!)).toBeLessThanOrEqual(desk.world.now() - 5000)
    }
  })

  it('narrows a window that holds too much, and still reads all of it', async () => {
    const provider = desk.server.providers.ncmec
    provider.pageSize = 100
    for (let i = 0; i < 4000; i++) {
      provider.records.set(`42-${i}`, {
        key: `42-${i}`,
        hashes: [],
        tier: '',
        updated: desk.server.clock.now() - 40_000_000 + i * 8000,
        isDeleted: false,
      })
    }
    let records = 0
    let requests = 0
    const keys = new Set<string>()
    for await (const page of desk.exchange('ncmec', { maxWindowEntries: 1000 }).pages(undefined)) {
      for (const { key } of page.upserts) keys.add(key)
      records += page.upserts.length
      requests++
    }
    expect(keys.size).toBe(4000)
    expect(records).toBeLessThan(4000 * 5)
    expect(requests).toBeLessThan(300)
  })
})

describe('ThreatExchange', () => {
  it('never logs its token, whatever the service says', async () => {
    const lines: unknown[][] = []
    for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
      vi.spyOn(console, level).mockImplementation((...said) => void lines.push(said))
    const events: unknown[] = []
    const provider = desk.server.providers.graph
    provider.pageSize = 2
    for (let i = 0; i < 9; i++) provider.put(`${100 + i}`, [md5(i)])
    desk.server.clock.advance(1000)
    const settings = { DESK: { exchanges: { graph: SETTINGS.graph } } }
    const whole: Desk = {
      settings: readDeskSettings(settings),
      ledger,
      store: kvStore(),
      guard: new EntryGuard(new Uint8Array(0)),
      env: ENV,
      world: desk.world,
      report: (happening) => {
        events.push(happening)
        logEvent(stampEvent(happening))
      },
    }
    const faults: Fault[] = [
      ...Array.from({ length: 3 }, () => ({ type: 'status', status: 500 }) as const),
      ...[401, 403, 429].map((status) => ({ type: 'status', status }) as const),
      { type: 'notice' },
      { type: 'cut', at: 40 },
    ]
    const told: unknown[] = []
    provider.faults.push(...faults)
    while (provider.faults.length > 0) told.push(await runSource(whole, 'graph'))
    // No connection: what fetch throws may have the address.
    const { fetch } = desk.world
    desk.world.fetch = async ({ url }) => Promise.reject(new TypeError(`cannot reach ${url}`))
    told.push(await runSource(whole, 'graph'))
    desk.world.fetch = fetch
    told.push(await runSource(whole, 'graph'), await exchangeOf(whole, 'graph').whoAmI())
    told.push(await deskStatus(whole), await findSource(ledger.db, 'graph'))
    expect(events.length).toBeGreaterThan(6)
    expect(lines.length).toBeGreaterThanOrEqual(events.length)
    const errors = told.map((one) => inspect(one, { depth: 9, showHidden: true }))
    const all = JSON.stringify([lines, events, told]) + errors.join('\n')
    expect(all).toContain('ThreatExchange')
    expect(all).not.toContain(FAKE_TOKEN)
    expect(all).not.toContain(FAKE_TOKEN.split('|')[1])
    expect(all).not.toContain('access_token')
    vi.restoreAllMocks()
  })

  it('never tells its token', async () => {
    const provider = desk.server.providers.graph
    provider.pageSize = 2
    for (let i = 0; i < 9; i++) provider.put(`${100 + i}`, [md5(i)])
    desk.server.clock.advance(1000)
    await desk.sync(ledger, 'graph', { maxPages: 1 })
    provider.faults.push(
      ...Array.from({ length: 3 }, () => ({ type: 'status', status: 500 }) as const),
    )
    const { error } = await desk.sync(ledger, 'graph')
    const source = await findSource(ledger.db, 'graph')
    const told = JSON.stringify([error?.message, source])
    expect(told).toContain('status 500')
    expect(told).not.toContain('ssss')
    desk.world.fetch = async () =>
      Response.json({ data: [], paging: { next: 'https://evil.example/?a=b' } })
    const sync = await desk.sync(ledger, 'graph')
    expect(sync.error?.message).toContain('on another server')
  })

  it('reads everything anew when it was away for longer than deletions are remembered', async () => {
    const provider = desk.server.providers.graph
    for (let i = 0; i < 20; i++) provider.put(`${100 + i}`, [md5(i)])
    desk.server.clock.advance(1000)
    await desk.sync(ledger, 'graph')
    provider.delete('105')
    desk.server.clock.advance(91 * 86_400_000)
    await desk.sync(ledger, 'graph')
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, 'graph'))
    expect(await liveInLedger(ledger)).toHaveLength(19)
  })
})

describe('TCAP', () => {
  it('logs in when its token has expired, and not for each page', async () => {
    const provider = desk.server.providers.tcap
    provider.pageSize = 2
    for (let i = 0; i < 24; i++) provider.put(`${100 + i}`, [md5(i)])
    const logins: string[] = []
    const { fetch } = desk.world
    desk.world.fetch = async (request) => {
      if (request.method === 'POST') logins.push(request.url)
      return fetch(request)
    }
    expect(await desk.sync(ledger, 'tcap')).toMatchObject({ state: 'complete', records: 24 })
    expect(logins).toHaveLength(3)
  })
})
