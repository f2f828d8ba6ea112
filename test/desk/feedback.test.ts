import { EntryGuard } from '../../src/list/entry-guard.ts'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Desk } from '../../src/desk/desk.ts'
import { planFeedback, sendFeedback } from '../../src/desk/feedback.ts'
import type { Ledger } from '../../src/desk/ledger/ledger.ts'
import { addOpinion, type Decision, waitingOpinions } from '../../src/desk/ledger/opinions.ts'
import type { FakeListName } from '../../src/desk/fake/state.ts'
import { toHex } from '../../src/util/bytes.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { readBankEntries } from '../../src/list/bank-entries.ts'
import { publishLedger } from '../../src/desk/ledger/publication.ts'
import { randomBytes } from '../support/random.ts'
import { kvStore } from '../support/stores.ts'
import { emptyDesk, ENV, SETTINGS, type Trial, trial } from './desk.ts'

const md5 = toHex(randomBytes(16, 1))
const REASON = '01234567-89ab-cdef-0123-456789abcdef'

let ledger: Ledger
let made: Trial

beforeEach(async () => {
  ledger = await emptyDesk()
  made = trial()
})

function desk(name: FakeListName): Desk {
  return {
    settings: { exchanges: { [name]: SETTINGS[name] }, allowLarge: false },
    ledger,
    store: kvStore(),
    guard: new EntryGuard(new Uint8Array(0)),
    env: ENV,
    world: made.world,
    report: () => {},
  }
}

/** Syncs one record of a provider, and publishes it. Returns how an event names it. */
async function listed(name: FakeListName, key: string): Promise<string> {
  made.server.providers[name].put(key, [{ kind: 'md5', value: md5 }])
  made.server.clock.advance(60_000)
  expect((await made.sync(ledger, name)).state).toBe('complete')
  const store = kvStore()
  await publishLedger(ledger, store, { now: made.world.now })
  const entries = await readBankEntries(store, await readManifest(store), 'csam')
  return entries.find(({ hash, labels }) => toHex(hash) === md5 && labels['source'] === name)!.id
}

async function tell(name: FakeListName, entry: string, decision: Decision, reason?: string) {
  const opinion = { source: name, entry, decision, kind: 'md5' }
  await addOpinion(ledger.db, { ...opinion, ...(reason && { reason }) }, made.world.now())
}

describe('feedback', () => {
  it.each([
    ['ncmec', '42-7', ['affirmative 42-7 MD5', `negative ${REASON} 42-7 MD5`]],
    ['stopncii', '7', [`Blocked ${md5}`, `NotBlocked ${md5}`, `PendingReview ${md5}`]],
    ['graph', '7', ['HELPFUL 97', 'DISAGREE_WITH_TAGS 97', 'SAW_THIS_TOO 97']],
    ['tcap', '7', []],
  ] as const)('tells %s what it takes, once', async (name, key, wanted) => {
    const entry = await listed(name, key)
    await tell(name, entry, 'confirmed')
    await tell(name, entry, 'disputed', REASON)
    await tell(name, entry, 'seen')
    expect(await planFeedback(desk(name), name)).toHaveLength(3)
    expect(made.server.providers[name].feedback).toEqual([])
    const done = await sendFeedback(desk(name), name)
    expect(done).toEqual({ sent: wanted.length, failed: 0, unaccepted: 3 - wanted.length })
    await tell(name, entry, 'confirmed')
    await sendFeedback(desk(name), name)
    expect(made.server.providers[name].feedback.toSorted()).toEqual([...wanted].toSorted())
  })

  it('is kept with why it could not be sent, and sent by the next run', async () => {
    const entry = await listed('ncmec', '42-7')
    await tell('ncmec', entry, 'confirmed')
    made.server.providers.ncmec.faults.push({ type: 'status', status: 403 })
    expect(await sendFeedback(desk('ncmec'), 'ncmec')).toMatchObject({ sent: 0, failed: 1 })
    const [waiting] = await waitingOpinions(ledger.db, 'ncmec', 10)
    expect(waiting?.error).toContain('not-authorized')
    expect(await sendFeedback(desk('ncmec'), 'ncmec')).toMatchObject({ sent: 1, failed: 0 })
    expect(await waitingOpinions(ledger.db, 'ncmec', 10)).toEqual([])
  })
})
