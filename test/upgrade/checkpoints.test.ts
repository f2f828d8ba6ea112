// A run that the version before cut off goes on where that one was, and so does one that a later version cut off: checkpoints lie
// in the ledger, as each exchange writes them.

import { beforeEach, describe, expect, it } from 'vitest'
import { FAKE_LIST_NAMES } from '../../src/desk/fake/state.ts'
import type { Ledger } from '../../src/desk/ledger/ledger.ts'
import { emptyDesk, liveAt, liveInLedger, type Trial, trial } from '../desk/desk.ts'
import values from './values/checkpoints-1.json'

let ledger: Ledger
let desk: Trial

beforeEach(async () => {
  ledger = await emptyDesk()
  desk = trial()
})

describe.each(FAKE_LIST_NAMES)('the checkpoint of %s', (name) => {
  const keyOf = (i: number) => (name === 'ncmec' ? `4${i % 3}-${1000 + i}` : `${100 + i}`)

  it.each([
    ['as it was', {}],
    ['with fields that are added later', { later: 1 }],
  ])('is where the next run goes on, %s', async (_, more) => {
    const provider = desk.server.providers[name]
    provider.pageSize = 7
    for (let i = 0; i < 40; i++)
      provider.put(keyOf(i), [{ kind: 'md5', value: String(i).padStart(32, '0') }])
    desk.server.clock.advance(60_000)
    const first = await desk.sync(ledger, name, { maxPages: 1 })
    const kept = JSON.stringify({ ...values[name], ...more })
    await ledger.db
      .prepare('UPDATE source SET checkpoint = ? WHERE name = ?')
      .bind(kept, name)
      .run()
    const next = await desk.sync(ledger, name)
    expect(next.state).toBe('complete')
    // StopNCII lists the end of a page again, and ThreatExchange what is of the same second.
    expect(first.records + next.records).toBeLessThan(40 + provider.pageSize)
    expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
  })
})
