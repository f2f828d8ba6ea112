import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { publishLedger } from '../../src/desk/ledger/publication.ts'
import { FAKE_LIST_NAMES, type FakeListName, type Fault } from '../../src/desk/fake/state.ts'
import { toHex } from '../../src/util/bytes.ts'
import { randomBytes } from '../support/random.ts'
import { WatchedStore } from '../support/stores.ts'
import { FAULTS, emptyDesk, liveAt, liveInLedger, livePublished, trial } from './desk.ts'

/** What may happen to a provider and to the desk. */
type Step =
  | { do: 'put'; key: number; hash: number }
  | { do: 'delete'; key: number }
  | { do: 'fault'; fault: Fault }
  | { do: 'sync'; maxPages: number }
  | { do: 'refetch' }
  | { do: 'cut-off publish'; writes: number }
  | { do: 'wait'; ms: number }
  | { do: 'skew'; ms: number }

const anyKey = integer({ min: 0, max: 12 })
const fault: Arbitrary<Fault> = oneof(
  record({ type: constant('cut' as const), at: integer({ min: 0, max: 1500 }) }),
  record({ type: constant('status' as const), status: constantFrom(401, 429, 500, 503) }),
  ...(['notice', 'repeat', 'reorder', 'kill-cursors', 'rewind'] as const).map((type) =>
    constant({ type }),
  ),
)
const expectHolds = assert
const step: Arbitrary<Step> = oneof(
  { weight: 6, arbitrary: record({ do: constant('put' as const), key: anyKey, hash: nat(9) }) },
  { weight: 3, arbitrary: record({ do: constant('delete' as const), key: anyKey }) },
  { weight: 6, arbitrary: record({ do: constant('fault' as const), fault }) },
  {
    weight: 5,
    arbitrary: record({
      do: constant('sync' as const),
      maxPages: integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: record({ do: constant('refetch' as const) }) },
  {
    weight: 2,
    arbitrary: record({ do: constant('cut-off publish' as const), writes: nat(12) }),
  },
  {
    weight: 2,
    arbitrary: record({
      do: constant('wait' as const),
      ms: constantFrom(0, 9000, 7_200_000),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      do: constant('skew' as const),
      ms: constantFrom(-3_600_000, -2000, 0),
    }),
  },
)

const md5 = (seed: number) => ({ kind: 'md5', value: toHex(randomBytes(16, seed)) })

const EACH_FAULT: readonly Fault[] = [
  { type: 'cut', at: 300 },
  ...[401, 429, 500].map((status) => ({ type: 'status' as const, status })),
  ...(['notice', 'repeat', 'reorder', 'kill-cursors', 'rewind'] as const).map((type) => ({ type })),
]

/** Each fault once in the middle of a list that changes, so that none depends on chance. */
const EXAMPLE: Step[] = [
  ...Array.from({ length: 9 }, (_, key): Step => ({ do: 'put', key, hash: 0 })),
  { do: 'sync', maxPages: 1 },
  ...EACH_FAULT.flatMap((one, i): Step[] => [
    { do: 'fault', fault: one },
    { do: 'sync', maxPages: 2 },
    { do: 'put', key: i, hash: 1 },
    { do: 'delete', key: (i + 4) % 9 },
  ]),
  { do: 'sync', maxPages: 9 },
]

/** Does the steps, and adds the faults that answers really had. */
async function runSteps(
  name: FakeListName,
  steps: readonly Step[],
  played: Set<string>,
): Promise<void> {
  const ledger = await emptyDesk()
  const desk = trial()
  const provider = desk.server.providers[name]
  provider.pageSize = 4
  const watched = new WatchedStore()
  const store = watched.sealed
  const keyOf = (i: number) => (name === 'ncmec' ? `4${i % 3}-${100 + i}` : `${100 + i}`)
  // StopNCII and ThreatExchange know a record by its hash, which is of one key alone.
  const hashOf = (i: number, hash: number) =>
    name === 'stopncii' || name === 'graph' ? md5(i) : md5(i * 100 + hash)
  const publish = () => publishLedger(ledger, store, { now: desk.world.now, accept: [name] })

  /** What was deleted before the last complete run began, and not listed again. */
  let gone = new Set<string>()
  const ever = new Set<string>()
  const sync = async (options: { maxPages?: number; refetch?: boolean }) => {
    const live = new Set(liveAt(desk, name))
    const { state } = await desk.sync(ledger, name, options)
    // What changed less than 5 seconds before is read by a later run.
    if (state === 'complete') gone = new Set([...ever].filter((line) => !live.has(line)))
    return state
  }
  const checkList = async () => {
    if (!watched.inner.values.has('manifest')) return
    const listed = await livePublished(store)
    expect(listed.filter((line) => gone.has(line))).toEqual([])
  }

  for (const what of steps) {
    switch (what.do) {
      case 'put':
        provider.put(keyOf(what.key), [hashOf(what.key, what.hash)])
        for (const line of liveAt(desk, name)) ever.add(line)
        break
      case 'delete':
        provider.delete(keyOf(what.key))
        break
      case 'fault':
        provider.faults.push(what.fault)
        break
      case 'sync':
        desk.server.clock.advance(10_000)
        if ((await sync(what)) === 'complete' && desk.skew === 0) {
          await publish()
          await checkList()
        }
        break
      case 'refetch':
        desk.server.clock.advance(10_000)
        await sync({ refetch: true, maxPages: 3 })
        break
      case 'cut-off publish': {
        let left = what.writes
        watched.onWrite = () => {
          if (left-- <= 0) throw new Error('cut off')
        }
        await publish().catch(() => undefined)
        watched.onWrite = () => {}
        break
      }
      case 'wait':
        desk.server.clock.advance(what.ms)
        break
      case 'skew':
        desk.skew = what.ms
        break
    }
  }

  for (const type of provider.played) played.add(type)
  provider.faults.length = 0
  desk.skew = 0
  desk.server.clock.advance(10_000)
  for (let runs = 0; (await sync({ maxPages: 50 })) !== 'complete'; runs++) {
    expect(runs).toBeLessThan(3)
  }
  expect(await liveInLedger(ledger)).toEqual(liveAt(desk, name))
  await publish()
  const published = watched.inner.values.has('manifest') ? await livePublished(store) : []
  expect(published).toEqual(liveAt(desk, name))
}

describe.each(FAKE_LIST_NAMES)('whatever happens with %s', (name) => {
  it('the ledger equals what is listed after a run without faults, and nothing deleted is published', async () => {
    const played = new Set<string>()
    await expectHolds(
      asyncProperty(array(step, { minLength: 3, maxLength: 25 }), (steps) =>
        runSteps(name, steps, played),
      ),
      { numRuns: 6, seed: 20261126, endOnFailure: true, examples: [[EXAMPLE]] },
    )
    expect([...played].toSorted()).toEqual(FAULTS[name].toSorted())
  })
})
