import { beforeEach, describe, expect, it } from 'vitest'
import { syncExchange } from '../../src/desk/exchanges/runner.ts'
import type { Exchange, ExchangePage, ListedRecord } from '../../src/desk/exchanges/exchange.ts'
import { LeaseLostError, LeaseTakenError, OtherDeskKeyError } from '../../src/desk/ledger/errors.ts'
import { Lease, LEASE_MS } from '../../src/desk/ledger/lease.ts'
import { Ledger } from '../../src/desk/ledger/ledger.ts'
import { migrate } from '../../src/desk/ledger/migrations.ts'
import { publishLedger, rebuildBank } from '../../src/desk/ledger/publication.ts'
import { findSource, tallyOf } from '../../src/desk/ledger/source.ts'
import { toHex } from '../../src/util/bytes.ts'
import { readManifest } from '../../src/list/manifest.ts'
import type { ListStore } from '../../src/list/store.ts'
import { verifyList } from '../../src/list/verify.ts'
import { randomBytes } from '../support/random.ts'
import { CutOffStore, kvStore, seal, WatchedStore } from '../support/stores.ts'
import { emptyDesk, ledgerDatabase, liveInLedger, livePublished } from './desk.ts'

let ledger: Ledger
let clock = 0
const now = () => clock

beforeEach(async () => {
  ledger = await emptyDesk()
  clock = Date.parse('2026-11-26T00:00:00Z')
})

const md5 = (seed: number) => ({ kind: 'md5', value: toHex(randomBytes(16, seed)) })
const pdq = (seed: number) => ({ kind: 'pdq', value: toHex(randomBytes(32, seed)) })

function record(key: string, updated: number, ...hashes: ListedRecord['hashes']): ListedRecord {
  return { key, id: key, hashes, updated }
}

/** An exchange that gives these pages, one run after another; each run ends with its last. */
function scripted(runs: Partial<ExchangePage>[][], staleDays?: number): Exchange {
  let run = 0
  return {
    ...(staleDays !== undefined && { staleDays }),
    whoAmI: async () => ({ name: 'script', can: [] }),
    async *pages() {
      const pages = runs[run++] ?? []
      for (const [i, page] of pages.entries()) {
        yield {
          upserts: [],
          deletes: [],
          checkpoint: { run, page: i },
          isComplete: i === pages.length - 1,
          ...page,
        }
      }
    },
  }
}

function sync(
  exchange: Exchange,
  options: { name?: string; refetch?: boolean; maxPages?: number } = {},
) {
  return syncExchange(ledger, exchange, { name: 'a', bank: 'csam', now, ...options })
}

function publish(store: ListStore = kvStore(), accept: string[] = []) {
  return publishLedger(ledger, store, { now, accept })
}

describe('the ledger', () => {
  it('keeps a hash on the list while one record has it, whoever else withdraws it', async () => {
    const same = md5(9999)
    await sync(
      scripted([[{ upserts: [record('1-1', 1, same), record('2-1', 1, same), ...many(20)] }]]),
    )
    await sync(scripted([[{ upserts: [record('x', 1, same), ...many(20)] }]]), { name: 'b' })
    const store = kvStore()
    await publish(store)
    expect((await livePublished(store)).filter((line) => line.includes(same.value))).toHaveLength(3)
    await sync(scripted([[{ deletes: [{ key: '1-1', updated: 2 }] }]]))
    await publish(store)
    const left = (await livePublished(store)).filter((line) => line.includes(same.value))
    expect(left).toEqual([`a md5 ${same.value}`, `b md5 ${same.value}`])
  })

  it('keeps and counts kinds that cannot be matched, and reads upper-case hex', async () => {
    const listed = record(
      'k',
      1,
      { kind: 'MD5', value: md5(1).value.toUpperCase() },
      { kind: 'HASH_PDQ', value: pdq(2).value },
      { kind: 'pdna', value: 'x'.repeat(192) },
      { kind: 'tmk-pdqf', value: '' },
      { kind: 'Never heard of', value: 'y' },
      { kind: 'sha1', value: 'no hash' },
      { kind: 'md5', value: 'd41d8cd98f00b204e9800998ecf8427e' },
    )
    const tombless = { ...record('other', 1, { kind: 'pdna', value: 'z' }), tier: 'A1' }
    const done = await sync(scripted([[{ upserts: [listed, tombless] }]]))
    expect(done.skipped).toEqual({
      'sha1: not 40 hex digits': 1,
      'md5: digest of an empty file': 1,
    })
    expect(await liveInLedger(ledger)).toEqual([`a md5 ${md5(1).value}`, `a pdq ${pdq(2).value}`])
    const source = await findSource(ledger.db, 'a')
    expect(await tallyOf(ledger.db, source!)).toEqual({
      records: 2,
      matchable: 1,
      kinds: { md5: 1, pdq: 1, pdna: 2, tmkpdqf: 1, 'never-heard-of': 1 },
      tiers: { A1: 1 },
    })
  })

  it('keeps the later state of a record, in whatever order they come', async () => {
    const pages = [
      [record('k', 5, md5(5))],
      [record('k', 3, md5(3)), record('k', 4, md5(4))],
      [record('k', 5, md5(5))],
    ]
    await sync(scripted([pages.map((upserts) => ({ upserts }))]))
    expect(await liveInLedger(ledger)).toEqual([`a md5 ${md5(5).value}`])
    await sync(
      scripted([[{ deletes: [{ key: 'k', updated: 7 }] }, { upserts: [record('k', 6, md5(6))] }]]),
    )
    expect(await liveInLedger(ledger)).toEqual([])
    await sync(scripted([[{ upserts: [record('k', 8, md5(8))] }]]))
    expect(await liveInLedger(ledger)).toEqual([`a md5 ${md5(8).value}`])
  })

  it('writes nothing for records that it knows', async () => {
    const run = [{ upserts: many(50) }]
    await sync(scripted([run]))
    const seqs = () =>
      ledger.db.prepare('SELECT max(seq) AS seq, count(*) AS count FROM record').first()
    const before = await seqs()
    await sync(scripted([run]))
    expect(await seqs()).toEqual(before)
  })

  it('applies a page with its checkpoint, or neither', async () => {
    await sync(scripted([[{ upserts: many(3) }]]))
    const before = await findSource(ledger.db, 'a')
    const lease = await Lease.take(ledger.db, 'x', now)
    const bad = ledger.db.prepare('UPDATE source SET name = NULL')
    await expect(
      ledger.apply(
        lease,
        before!,
        { upserts: [{ ...record('new', 9, md5(900)), labels: {}, tier: '' }], deletes: [] },
        [bad],
      ),
    ).rejects.toThrow('NOT NULL')
    await lease.release()
    expect(await liveInLedger(ledger)).toHaveLength(3)
    expect((await findSource(ledger.db, 'a'))?.checkpoint).toEqual(before?.checkpoint)
  })

  it('asks for a page while the one before is applied, and for none beyond those of a run', async () => {
    const happened: string[] = []
    const exchange: Exchange = {
      whoAmI: async () => ({ name: 'script', can: [] }),
      async *pages() {
        for (let page = 1; page <= 4; page++) {
          happened.push(`asked ${page}`)
          const upserts = [record(`${page}`, 1, md5(page))]
          yield { upserts, deletes: [], checkpoint: { page }, isComplete: page === 4 }
        }
        happened.push('went on')
      },
    }
    const told = { name: 'a', bank: 'csam', now, maxPages: 2 }
    const onPage = ({ pages }: { pages: number }) => happened.push(`applied ${pages}`)
    await syncExchange(ledger, exchange, { ...told, onPage })
    expect(happened).toEqual(['asked 1', 'asked 2', 'applied 1', 'applied 2'])
    expect(await findSource(ledger.db, 'a')).toMatchObject({ checkpoint: { page: 2 } })
  })

  it('takes thousands of records in one page, and long ones', async () => {
    const long = Array.from({ length: 600 }, (_, i) => ({
      ...record(`long-${i}`, 1, md5(i), { kind: 'pdna', value: 'p'.repeat(4000) }),
    }))
    await sync(scripted([[{ upserts: [...many(2500), ...long] }]]))
    const source = await findSource(ledger.db, 'a')
    expect((await tallyOf(ledger.db, source!)).records).toBe(3100)
  })

  it('withdraws unlisted records at the end of a run from the start, and not before', async () => {
    await sync(scripted([[{ upserts: many(30) }]]))
    const exchange = scripted([[{ upserts: many(10) }, { upserts: many(29) }]])
    expect(await sync(exchange, { refetch: true, maxPages: 1 })).toMatchObject({ state: 'more' })
    expect(await liveInLedger(ledger)).toHaveLength(30)
    const rest = scripted([[{ upserts: many(29) }]])
    expect(await sync(rest)).toMatchObject({ state: 'complete', deleted: 1 })
    expect(await liveInLedger(ledger)).toHaveLength(29)
  })

  it('reads a source from its start when it was not read for too long', async () => {
    await sync(scripted([[{ upserts: many(30) }]], 30))
    clock += 29 * 86_400_000
    await sync(scripted([[{ upserts: [] }]], 30))
    expect(await liveInLedger(ledger)).toHaveLength(30)
    clock += 31 * 86_400_000
    await sync(scripted([[{ upserts: many(28) }]], 30))
    expect(await liveInLedger(ledger)).toHaveLength(28)
  })

  it('continues a sweep that was cut off', async () => {
    await sync(scripted([[{ upserts: many(30) }]]))
    await sync(scripted([[{ upserts: many(28) }, {}]]), { refetch: true, maxPages: 1 })
    await ledger.db.prepare(`UPDATE source SET phase = 'sweep'`).run()
    await sync(scripted([[{}]]))
    expect(await liveInLedger(ledger)).toHaveLength(28)
  })

  it('deletes rows withdrawn 90 days ago, once they are off the published list', async () => {
    const rows = async () => {
      const { results } = await ledger.db.prepare('SELECT deleted FROM record').all()
      return (results as { deleted: number }[]).map(({ deleted }) => deleted)
    }
    const day = 86_400_000
    const store = kvStore()
    await sync(scripted([[{ upserts: [record('1', 1, md5(1)), ...many(20)] }]]))
    await publish(store)
    await sync(scripted([[{ deletes: [{ key: '1', updated: 2 }] }]]))
    clock += day
    await sync(scripted([[{}]]))
    clock += 90 * day
    await sync(scripted([[{}]]))
    expect(await rows()).toHaveLength(21) // it is not published yet
    await publish(store)
    clock += day
    await sync(scripted([[{}]]))
    expect(await rows()).toEqual(Array.from({ length: 20 }, () => 0))
  })

  it('keeps rows withdrawn 89 days ago', async () => {
    await sync(scripted([[{ upserts: [record('1', 1, md5(1)), ...many(20)] }]]))
    await sync(scripted([[{ deletes: [{ key: '1', updated: 2 }] }]]))
    await publish()
    clock += 89 * 86_400_000
    await sync(scripted([[{ upserts: [record('1', 1, md5(1))] }]]))
    expect((await liveInLedger(ledger)).length).toBe(20)
  })

  it('refuses another key, and can be set up by several processes at once', async () => {
    await expect(Ledger.open(ledgerDatabase(), 'cd'.repeat(32))).rejects.toThrow(OtherDeskKeyError)
    await Promise.all([migrate(ledger.db), migrate(ledger.db)])
  })
})

describe('a lease', () => {
  it('lets one process work at a time, and another take over when it expires', async () => {
    const first = await Lease.take(ledger.db, 'x', now)
    await expect(Lease.take(ledger.db, 'x', now)).rejects.toThrow(LeaseTakenError)
    clock += LEASE_MS
    const second = await Lease.take(ledger.db, 'x', now)
    const write = ledger.db.prepare(`INSERT INTO source (name, bank) VALUES ('n', 'b')`)
    await expect(first.write([write])).rejects.toThrow(LeaseLostError)
    expect(await findSource(ledger.db, 'n')).toBeUndefined()
    await second.write([write])
    expect(await findSource(ledger.db, 'n')).toBeDefined()
    await first.release()
    expect(await second.isHeld()).toBe(true)
  })

  it('makes a second run of a source wait', async () => {
    let inner: string | undefined
    const exchange = scripted([[{ upserts: many(1) }]])
    const nested: Exchange = {
      ...exchange,
      async *pages(from) {
        inner = (await sync(scripted([[{}]]))).state
        yield* exchange.pages(from)
      },
    }
    expect(await sync(nested)).toMatchObject({ state: 'complete' })
    expect(inner).toBe('busy')
  })
})

describe('publishing the ledger', () => {
  it('holds a source that lost more than a tenth, until that is accepted or it comes back', async () => {
    const store = kvStore()
    await sync(scripted([[{ upserts: many(40) }]]))
    await sync(scripted([[{ upserts: many(5) }]]), { name: 'b' })
    await publish(store)
    await sync(scripted([[{ upserts: many(35) }]]), { refetch: true })
    const held = { name: 'a', live: 35, publishedLive: 40 }
    expect(await publish(store)).toMatchObject({ held: [held], version: undefined })
    expect((await findSource(ledger.db, 'a'))?.heldLive).toBe(35)
    expect(await livePublished(store)).toHaveLength(45)
    await sync(scripted([[{ upserts: [record('new', 1, md5(77))] }]]), { name: 'b' })
    expect(await publish(store)).toMatchObject({ held: [held], added: 1 })
    expect(await publish(store, ['a'])).toMatchObject({ held: [], removed: 5 })
    expect((await findSource(ledger.db, 'a'))?.heldLive).toBeUndefined()
    expect(await livePublished(store)).toHaveLength(41)
    await sync(scripted([[{ upserts: many(32) }]]), { refetch: true })
    expect(await publish(store)).toMatchObject({ held: [], removed: 3 })
  })

  it('holds a source that answers with nothing at all', async () => {
    const store = kvStore()
    await sync(scripted([[{ upserts: many(40) }]]))
    await publish(store)
    await sync(scripted([[{}]]), { refetch: true })
    expect(await publish(store)).toMatchObject({ held: [{ name: 'a', live: 0 }] })
    expect(await livePublished(store)).toHaveLength(40)
  })

  it('ends with the same list wherever it was cut off', async () => {
    const watched = new WatchedStore()
    await sync(scripted([[{ upserts: many(30) }]]))
    await publish(watched.sealed)
    for (let writes = 0; writes < 16; writes++) {
      const changed = record('k', writes + 2, md5(5000 + writes))
      await sync(
        scripted([[{ upserts: [changed], deletes: [{ key: `m-${writes}`, updated: 2 }] }]]),
      )
      await publish(seal(new CutOffStore(watched, writes)), ['a']).catch(() => undefined)
      clock += 1
    }
    clock += 3_600_000
    await publish(watched.sealed, ['a'])
    expect(await livePublished(watched.sealed)).toEqual(await liveInLedger(ledger))
    expect((await verifyList(watched.sealed)).problems).toEqual([])
    const { results } = await ledger.db.prepare('SELECT * FROM retired').all()
    expect(results).toEqual([])
  })

  it('removes deleted records first if it needs several steps', async () => {
    const store = kvStore()
    await sync(scripted([[{ upserts: many(50) }]]))
    await publish(store)
    const pages = [1, 2, 3].map((page) => ({
      upserts: many(10, page * 1000),
      deletes: page === 3 ? [{ key: 'm-1', updated: 9 }] : [],
    }))
    await sync(scripted([pages]))
    await publishLedger(ledger, store, { now, maxSteps: 1 })
    expect(await livePublished(store)).not.toContain(`a md5 ${md5(1).value}`)
  })

  it('builds on a list that others publish to, and leaves their banks alone', async () => {
    const store = kvStore()
    await sync(scripted([[{ upserts: many(3) }]]))
    await publish(store)
    const { publishBank } = await import('../../src/list/publish.ts')
    const mine = {
      kind: 'md5' as const,
      hash: randomBytes(16, 9),
      id: 'mine',
      labels: { source: 'me' },
    }
    await publishBank(store, [mine], { bank: 'own' })
    await sync(scripted([[{ upserts: [record('n', 1, md5(500))] }]]))
    await publish(store)
    expect((await readManifest(store)).banks.map(({ id }) => id)).toEqual(['csam', 'own'])
    expect(await livePublished(store)).toContain(`me md5 ${toHex(randomBytes(16, 9))}`)
  })

  it('rewrites a bank if the list is damaged', async () => {
    const watched = new WatchedStore()
    await sync(scripted([[{ upserts: many(10) }]]))
    await publish(watched.sealed)
    for (const key of watched.inner.values.keys()) {
      if (key.startsWith('digests/')) watched.inner.values.delete(key)
    }
    await sync(scripted([[{ upserts: [record('n', 1, md5(500))] }]]))
    await expect(publish(watched.sealed)).rejects.toThrow('has no value')
    await rebuildBank(ledger, watched.sealed, 'csam', { now })
    expect(await livePublished(watched.sealed)).toEqual(await liveInLedger(ledger))
    await publish(watched.sealed)
    expect(await livePublished(watched.sealed)).toEqual(await liveInLedger(ledger))
  })

  it('names source, record and classification in the entries', async () => {
    const store = kvStore()
    const listed = { ...record('42-1', 1, md5(1)), tier: 'A1', labels: { member: 'M' } }
    const hashKeyed = { key: md5(2).value, hashes: [md5(2)], updated: 1 }
    await sync(scripted([[{ upserts: [listed, hashKeyed] }]]))
    await publish(store)
    const { readEntries } = await import('../../src/list/segment.ts')
    const [bank] = (await readManifest(store)).banks
    const entries = await readEntries(store, bank!.segments[0]!)
    const named = entries.find(({ id }) => id === '42-1')
    expect(named?.labels).toEqual({ member: 'M', tier: 'A1', source: 'a' })
    const other = entries.find(({ id }) => id !== '42-1')
    expect(other?.id).toMatch(/^r-[0-9a-f]{16}$/)
  })
})

/** Records with a digest each. */
function many(count: number, first = 0): ListedRecord[] {
  return Array.from({ length: count }, (_, i) => record(`m-${first + i}`, 1, md5(first + i)))
}
