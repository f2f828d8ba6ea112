// A ledger that an earlier version made is brought up to date, and one that a later version has added to is still used: during
// a gradual deployment, and after a rollback, both work on it.

import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Exchange } from '../../src/desk/exchanges/exchange.ts'
import { syncExchange } from '../../src/desk/exchanges/runner.ts'
import { rowsOf } from '../../src/desk/ledger/database.ts'
import { Ledger } from '../../src/desk/ledger/ledger.ts'
import { addOpinion, waitingOpinions } from '../../src/desk/ledger/opinions.ts'
import { publishLedger, rebuildBank } from '../../src/desk/ledger/publication.ts'
import { findSource, tallyOf } from '../../src/desk/ledger/source.ts'
import { dropTables, ledgerDatabase, liveInLedger, livePublished } from '../desk/desk.ts'
import { kvStore } from '../support/stores.ts'
import first from './values/ledger-1.json'

const now = () => Date.parse('2026-11-26T00:00:00Z')
const md5 = (i: number) => ({
  kind: 'md5',
  value: createHash('md5').update(`ledger fixture ${i}`).digest('hex'),
})
const lines = (...numbers: number[]) => numbers.map((i) => `ncmec md5 ${md5(i).value}`).toSorted()

/** The ledger of the first version, as this one opens it. */
async function openFirst(): Promise<Ledger> {
  const db = ledgerDatabase()
  await dropTables(db)
  await db.batch(first.statements.map((sql) => db.prepare(sql)))
  return Ledger.open(db, first.key)
}

/** Goes on with the run that was cut off, and takes one record back. */
async function goOn(ledger: Ledger) {
  const from: unknown[] = []
  const exchange: Exchange = {
    whoAmI: async () => ({ name: 'script', can: [] }),
    async *pages(checkpoint) {
      from.push(checkpoint)
      const upserts = [{ key: '42-9', id: '42-9', hashes: [md5(9)], tier: 'A1', updated: 3 }]
      const deletes = [{ key: '42-3', updated: 3 }]
      yield { upserts, deletes, checkpoint: { page: 3 }, isComplete: true }
    },
  }
  const { state } = await syncExchange(ledger, exchange, { name: 'ncmec', bank: 'csam', now })
  return { state, from }
}

/** What a ledger must do, whoever made it. */
async function expectWorks(ledger: Ledger): Promise<void> {
  expect(await goOn(ledger)).toEqual({ state: 'complete', from: [{ page: 2 }] })
  expect(await liveInLedger(ledger)).toEqual(lines(101, 4, 5, 6, 8, 9))
  const source = await findSource(ledger.db, 'ncmec')
  expect(await tallyOf(ledger.db, source!)).toMatchObject({
    records: 7,
    matchable: 6,
    kinds: { md5: 6, photodna: 1 },
    tiers: { A1: 6, B2: 1 },
  })
  const opinion = { source: 'ncmec', entry: '42-9', decision: 'seen', kind: 'md5' } as const
  await addOpinion(ledger.db, opinion, now())
  expect(await waitingOpinions(ledger.db, 'ncmec', 10)).toHaveLength(1)
  await rebuildBank(ledger, kvStore(), 'csam', { now })
  expect(await livePublished(kvStore())).toEqual(lines(101, 4, 5, 6, 8, 9))
  expect(await publishLedger(ledger, kvStore(), { now })).toMatchObject({
    added: 0,
    removed: 0,
    isComplete: true,
  })
}

it('brings a ledger of the first version up to date, with all that it has', async () => {
  const ledger = await openFirst()
  expect(await liveInLedger(ledger)).toEqual(lines(101, 3, 4, 5, 6, 8))
  expect(await findSource(ledger.db, 'ncmec')).toMatchObject({
    checkpoint: { page: 2 },
    isRunning: true,
    publishedSeq: 1,
    publishedLive: 6,
  })
  await expectWorks(ledger)
})

it('works on a ledger that a later version has added columns and tables to', async () => {
  const { db } = await openFirst()
  const [{ count } = { count: 0 }] = await rowsOf<{ count: number }>(
    db,
    'SELECT count(*) AS count FROM migration',
  )
  const later = [
    `INSERT INTO migration VALUES (${count})`,
    ...['record', 'retired', 'source', 'ledger', 'lease', 'tally', 'opinion', 'day'].map(
      (table) => `ALTER TABLE ${table} ADD COLUMN later TEXT NOT NULL DEFAULT 'new'`,
    ),
    'CREATE TABLE later (a INTEGER PRIMARY KEY)',
  ]
  await db.batch(later.map((sql) => db.prepare(sql)))
  await expectWorks(await Ledger.open(db, first.key))
  expect(await rowsOf(db, 'SELECT DISTINCT later FROM record')).toEqual([{ later: 'new' }])
})
