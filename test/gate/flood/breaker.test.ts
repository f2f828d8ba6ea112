import { env } from 'cloudflare:workers'
import { runDurableObjectAlarm } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import type { HappeningOf } from '../../../src/events/schema.ts'
import { FloodBreaker, type FloodNamespace } from '../../../src/gate/flood/breaker.ts'
import type { FloodCounter } from '../../../src/gate/flood/counter.ts'
import type { JudgedFile } from '../../../src/gate/verdict.ts'
import type { Match } from '../../../src/match/match.ts'
import type { FloodChoice } from '../../../src/policy/schema.ts'
import { randomBytes } from '../../support/random.ts'

const { FLOOD_COUNTERS } = env as unknown as {
  FLOOD_COUNTERS: DurableObjectNamespace<FloodCounter>
}
const LIMITS = { bound: 10, holdMs: 3_600_000 }

function upload(seed: number, entry: string, probe: Match['probe'] = 'identity'): JudgedFile {
  const digest = randomBytes(32, seed)
  const near = { distance: 3, threshold: 31, tolerance: 0, probe }
  const match = { bank: 'csam', entry, labels: {}, action: 'block', harm: 'csam', ...near } as const
  return {
    scanned: {
      coverage: 'scanned',
      format: 'jpeg',
      bytes: 9,
      needles: [],
      isPartial: false,
      digests: { md5: digest, sha1: digest, sha256: digest },
    },
    matches: [match],
  }
}

/** Has a breaker see uploads, one after another. Returns which matched a flooded entry, and what was reported. */
async function see(
  uploads: readonly JudgedFile[],
  counters?: FloodNamespace,
  limits = LIMITS,
  breakers = 1,
  choice: FloodChoice = 'flag',
) {
  const events: HappeningOf<'flood'>[] = []
  const onFlood = (event: HappeningOf<'flood'>) => void events.push(event)
  const all = Array.from(
    { length: breakers },
    () =>
      new FloodBreaker({
        limits,
        choiceOf: () => choice,
        onFlood,
        ...(counters && { counters }),
      }),
  )
  const flooded: boolean[] = []
  for (const [i, file] of uploads.entries()) {
    const [marked] = await all[i % breakers]!.mark([file], `198.51.${i}.1`)
    flooded.push(marked?.matches[0]?.isFlooded ?? false)
  }
  return { flooded, events }
}

const uploads = (entry: string, count: number, probe?: Match['probe']) =>
  Array.from({ length: count }, (_, i) => upload(i, entry, probe))

describe('a flood breaker', () => {
  it('marks an entry that matches more than its bound, reports it once, and no other', async () => {
    const { flooded, events } = await see([...uploads('bad', 13), upload(99, 'good')])
    expect(flooded).toEqual([...Array<boolean>(10).fill(false), true, true, true, false])
    expect(events).toEqual([
      {
        event: 'flood',
        bank: 'csam',
        entry: 'bad',
        action: 'flag',
        bound: 10,
        until: expect.any(String),
      },
    ])
  })

  it('only reports, once, where the bank does not choose to flag', async () => {
    const { flooded, events } = await see(uploads('known', 40), undefined, LIMITS, 1, 'report')
    expect(flooded).not.toContain(true)
    expect(events).toMatchObject([{ event: 'flood', entry: 'known', action: 'report' }])
  })

  it('never marks what is the same byte for byte', async () => {
    const { flooded } = await see(uploads('file', 30, 'sha256'))
    expect(flooded).not.toContain(true)
  })

  it.each(['isExempt', 'isReview'])('does not count what passes anyway: %s', async (mark) => {
    const marked = uploads('passed', 30).map((file) => ({
      ...file,
      matches: file.matches.map((one) => ({ ...one, [mark]: true })),
    }))
    const { flooded, events } = await see(marked)
    expect([flooded.includes(true), events]).toEqual([false, []])
  })

  it('marks nothing with a bound of 0', async () => {
    const { flooded } = await see(uploads('any', 30), undefined, { ...LIMITS, bound: 0 })
    expect(flooded).not.toContain(true)
  })

  it('counts together what isolates see, in Durable Objects', async () => {
    const { flooded, events } = await see(uploads('shared', 12), FLOOD_COUNTERS, LIMITS, 3)
    expect(flooded).toEqual([...Array<boolean>(10).fill(false), true, true])
    expect(events).toHaveLength(1)
    const alone = await see(uploads('alone', 12), undefined, LIMITS, 3)
    expect(alone.flooded).not.toContain(true)
  })

  it('counts for itself when a counter fails', async () => {
    const failing = {
      getByName: () => ({ note: async () => Promise.reject(new Error('not there')) }),
    }
    const { flooded } = await see(uploads('unlucky', 12), failing)
    expect(flooded.slice(-2)).toEqual([true, true])
  })

  it('forgets in time', async () => {
    const stub = FLOOD_COUNTERS.getByName('forgetful')
    const sighting = { upload: 'a', network: '', at: Date.now() }
    const limits = { bound: 1, holdMs: 3_600_000 } // the alarm does not ring by itself meanwhile
    await stub.note(sighting, limits)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect((await stub.note({ ...sighting, upload: 'b' }, limits)).isFlooded).toBe(false)
  })
})
