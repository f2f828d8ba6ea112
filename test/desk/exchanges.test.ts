import { beforeEach, describe, expect, it } from 'vitest'
import { publishLedger } from '../../src/desk/ledger/publication.ts'
import type { Ledger } from '../../src/desk/ledger/ledger.ts'
import { findSource, tallyOf } from '../../src/desk/ledger/source.ts'
import { FAKE_LIST_NAMES } from '../../src/desk/fake/state.ts'
import { toHex } from '../../src/util/bytes.ts'
import { randomBytes } from '../support/random.ts'
import { kvStore } from '../support/stores.ts'
import { emptyDesk, liveAt, liveInLedger, livePublished, type Trial, trial } from './desk.ts'

let ledger: Ledger
let desk: Trial

beforeEach(async () => {
  ledger = await emptyDesk()
  desk = trial()
})

const md5 = (seed: number) => ({ kind: 'md5', value: toHex(randomBytes(16, seed)) })
const pdq = (seed: number) => ({ kind: 'pdq', value: toHex(randomBytes(32, seed)) })

describe.each(FAKE_LIST_NAMES)('the exchange with %s', (name) => {
  /** Keys that each provider can have. */
  const keyOf = (i: number) => (name === 'ncmec' ? `4${i % 3}-${1000 + i}` : `${100 + i}`)

  function fill(count: number): void {
    const provider = desk.server.providers[name]
    provider.pageSize = 7
    for (let i = 0; i < count; i++) provider.put(keyOf(i), [i % 2 ? md5(i) : pdq(i)])
    desk.server.clock.advance(60_000)
  }

  it('tells who the credentials are for', async () => {
    const account = await desk.exchange(name).whoAmI()
    expect(account.can).toEqual(name === 'ncmec' ? ['read', 'feedback'] : ['read'])
    expect(account.name).not.toBe('')
  })

  it('reads all pages into the ledger, and follows changes', async () => {
    fill(40)
    expect(await desk.sync(ledger, name)).toMatchObject({ state: 'complete' })
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
    const provider = desk.server.providers[name]
    provider.delete(keyOf(3))
    provider.put(keyOf(50), [md5(50)])
    provider.put(keyOf(4), [pdq(4)])
    desk.server.clock.advance(60_000)
    expect(await desk.sync(ledger, name)).toMatchObject({ state: 'complete' })
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
    expect(liveAt(desk, name)).toHaveLength(40)
  })

  it('continues where a run was cut off', async () => {
    fill(40)
    let runs = 0
    for (let state = 'more'; state === 'more'; runs++) {
      state = (await desk.sync(ledger, name, { maxPages: 1 })).state
      expect(runs).toBeLessThan(50)
    }
    expect(runs).toBeGreaterThan(name === 'list' ? 0 : 3)
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
  })

  it.each([
    { fault: { type: 'status', status: 401 }, error: 'not-authorized' },
    { fault: { type: 'status', status: 429, retryAfter: '120' }, error: 'rate-limited' },
    { fault: { type: 'notice' }, error: 'bad-answer' },
  ] as const)('fails with $error and withdraws nothing', async ({ fault, error }) => {
    fill(20)
    await desk.sync(ledger, name)
    // TCAP logs in anew when a token is not accepted, and StopNCII asks for smaller pages.
    desk.server.providers[name].faults.push(...Array.from({ length: 12 }, () => fault))
    const sync = await desk.sync(ledger, name)
    expect(sync).toMatchObject({ state: 'failed', error: { code: error } })
    const source = await findSource(ledger.db, name)
    expect(source?.failure).toContain(error)
    const wait = (source!.retryAt! - desk.world.now()) / 1000
    expect(wait).toBe({ 'not-authorized': 3600, 'rate-limited': 120, 'bad-answer': 300 }[error])
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
    desk.server.providers[name].faults.length = 0
    expect(await desk.sync(ledger, name)).toMatchObject({ state: 'complete' })
    expect((await findSource(ledger.db, name))?.failure).toBeUndefined()
  })

  it('reads what is cut off, repeated or reordered until it has all of it', async () => {
    fill(30)
    const provider = desk.server.providers[name]
    for (const at of [0, 30, 200, 900]) {
      provider.faults.push({ type: 'cut', at }, { type: 'repeat' }, { type: 'reorder' })
      await desk.sync(ledger, name, { maxPages: 2 })
    }
    provider.faults.length = 0
    for (let state = 'more'; state !== 'complete';) state = (await desk.sync(ledger, name)).state
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
  })

  it('reads everything again on request, and withdraws what is no longer listed', async () => {
    fill(30)
    await desk.sync(ledger, name)
    const provider = desk.server.providers[name]
    provider.records.delete(keyOf(7)) // without a tombstone
    desk.server.clock.advance(3_600_000)
    await desk.sync(ledger, name, { refetch: true })
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
  })

  it('publishes its records, and removes withdrawn ones', async () => {
    fill(30)
    await desk.sync(ledger, name)
    const store = kvStore()
    const publish = () => publishLedger(ledger, store, { now: desk.world.now })
    expect(await publish()).toMatchObject({ version: 1, added: 30, removed: 0, isComplete: true })
    expect(await livePublished(store)).toEqual(liveAt(desk, name))
    desk.server.providers[name].delete(keyOf(3))
    desk.server.clock.advance(60_000)
    await desk.sync(ledger, name)
    expect(await publish()).toMatchObject({ version: 2, added: 0, removed: 1 })
    expect(await livePublished(store)).toEqual(liveAt(desk, name))
    expect(await publish()).toMatchObject({ version: undefined })
    const source = await findSource(ledger.db, name)
    expect(await tallyOf(ledger.db, source!)).toMatchObject({ records: 29, matchable: 29 })
  })

  it('seals what lies in the ledger', async () => {
    fill(10)
    await desk.sync(ledger, name)
    const { results } = await ledger.db.prepare('SELECT *, hex(sealed) AS hex FROM record').all()
    expect(results).toHaveLength(10)
    const stored = JSON.stringify(results).toLowerCase()
    const values = liveAt(desk, name).map((line) => line.split(' ')[2])
    expect(values).toHaveLength(10)
    for (const value of values) expect(stored).not.toContain(value)
  })
})
