import { beforeEach, describe, expect, it } from 'vitest'
import { MANIFEST_KEY } from '../../../src/list/store.ts'
import { modules } from '../../../src/core/workerd.ts'
import { probesOf } from '../../../src/scan/settings.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { CachedNegatives } from '../../../src/match/remote/negatives.ts'
import { askAgain } from '../../../src/upload/recheck.ts'
import { readConfig } from '../../../src/config/config.ts'
import { fixture } from '../../support/fixtures.ts'
import { hashOf, publish } from '../../support/gate.ts'
import { setUpRemote } from '../../support/remote.ts'
import { recordIn } from '../../support/event-recorder.ts'
import { kvStore } from '../../support/stores.ts'
import type { GateEvent } from '../../../src/events/schema.ts'

const noCache = () => Promise.reject(new Error('there is no cache'))

beforeEach(async () => {
  const store = kvStore()
  await store.deleteAll(await store.list('again/'))
})

describe.each(['arachnid', 'tcap'] as const)('a bank that %s answers for', (service) => {
  it('refuses what it knows, and lets pass what it does not', async () => {
    await publish()
    const { upload, verdicts, forwarded, asked } = setUpRemote({ service })
    expect((await upload()).status).toBe(201)
    expect(forwarded).toHaveLength(1)
    expect(asked).toHaveLength(1)
    const other = setUpRemote({ service })
    other.know(await hashOf(fixture('jpeg')), 'csam', 6)
    expect((await other.upload()).status).toBe(451)
    expect(other.forwarded).toHaveLength(0)
    expect(other.verdicts()[0]).toMatchObject({
      action: 'block',
      files: [
        {
          matches: [
            {
              ...{ bank: service, source: service, classification: 'csam', probe: 'identity' },
              entry: service === 'tcap' ? '1' : expect.stringMatching(/^r-[0-9a-f]{16}$/),
            },
          ],
        },
      ],
    })
    expect(verdicts()[0]).toMatchObject({ action: 'allow', reason: 'no-match' })
  })

  it('refuses or allows, as it is set, if its service does not answer', async () => {
    await publish()
    const strict = setUpRemote({ service })
    strict.provider.faults.push({ type: 'status', status: 500 })
    expect((await strict.upload()).status).toBe(503)
    expect(strict.events).toContainEqual(
      expect.objectContaining({ event: 'remote-error', bank: service }),
    )
    const loose = setUpRemote({ service, onFailed: 'allow' })
    loose.provider.faults.push({ type: 'notice' })
    expect((await loose.upload()).status).toBe(201)
    expect(loose.verdicts()[0]).toMatchObject({ action: 'allow', reason: 'failed' })
  })
})

describe('a remote bank', () => {
  it('asks once for an upload of several pictures, eight needles each at most', async () => {
    await publish()
    const { asked, send } = setUpRemote()
    const form = new FormData()
    for (const name of ['jpeg', 'png', 'gif'] as const)
      form.append(name, new File([fixture(name)], name))
    expect((await send(form)).status).toBe(201)
    expect(asked).toHaveLength(1)
    const { hashes } = asked[0] as { hashes: string[] }
    expect(hashes.length).toBeGreaterThan(3)
    expect(hashes.length).toBeLessThanOrEqual(24)
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('does not ask about what the list has', async () => {
    await publish(await hashOf(fixture('jpeg')))
    const { asked, upload } = setUpRemote()
    expect((await upload()).status).toBe(451)
    expect(asked).toHaveLength(0)
  })

  it('does not ask again for a day about what the service did not know, in any isolate', async () => {
    await publish()
    const { asked, upload, banks, advance, know } = setUpRemote()
    expect([(await upload()).status, (await upload()).status]).toEqual([201, 201])
    expect(asked).toHaveLength(1)
    const probes = probesOf(readConfig({}).scan)
    const files = [await scanFile({ modules, probes }, fixture('jpeg'))]
    know(await hashOf(fixture('jpeg')), 'csam')
    // Another isolate of the data centre has the same cache.
    expect((await banks().ask(files)).matches).toEqual([[]])
    expect(asked).toHaveLength(1)
    advance(25 * 3_600_000)
    expect(
      (await banks(new CachedNegatives(noCache, Date.now)).ask(files)).matches[0],
    ).toHaveLength(1)
    expect(asked).toHaveLength(2)
  })

  it('matches at the threshold of its bank and not beyond', async () => {
    await publish()
    const hash = await hashOf(fixture('jpeg'))
    const near = setUpRemote()
    near.know(hash, 'csam', 31)
    expect((await near.upload()).status).toBe(451)
    expect(near.verdicts()[0]?.files[0]?.matches?.[0]).toMatchObject({ distance: 31, margin: 0 })
  })

  it('gives up after its deadline', async () => {
    await publish()
    const { provider, upload, events } = setUpRemote({ deadlineMs: 100 })
    provider.faults.push({ type: 'delay', ms: 3000 })
    expect((await upload()).status).toBe(503)
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'remote-error', error: expect.stringContaining('100 ms') }),
    )
  })

  it('leaves a service alone after five failures, and tries one question after a minute', async () => {
    await publish()
    const { provider, upload, asked, advance, events } = setUpRemote()
    for (let i = 0; i < 5; i++) provider.faults.push({ type: 'status', status: 502 })
    for (let i = 0; i < 8; i++) expect((await upload()).status).toBe(503)
    expect(asked).toHaveLength(5)
    const errors = events.filter(({ event }) => event === 'remote-error')
    expect(errors).toHaveLength(5)
    expect(errors.at(-1)).toMatchObject({ pausedSeconds: 60 })
    advance(59_000)
    expect((await upload()).status).toBe(503)
    expect(asked).toHaveLength(5)
    advance(2000)
    expect((await upload()).status).toBe(201)
    expect(asked).toHaveLength(6)
  })

  it('leaves it alone at once if the credentials are wrong, and as long as it is told', async () => {
    await publish()
    const wrong = setUpRemote({ password: 'other' })
    await wrong.upload()
    await wrong.upload()
    expect(wrong.asked).toHaveLength(1)
    const busy = setUpRemote()
    busy.provider.faults.push({ type: 'status', status: 429, retryAfter: '300' })
    await busy.upload()
    busy.advance(299_000)
    expect((await busy.upload()).status).toBe(503)
    busy.advance(2000)
    expect((await busy.upload()).status).toBe(201)
  })

  it('refuses an entry for tests, and marks it', async () => {
    await publish()
    const { know, upload, verdicts } = setUpRemote()
    know(await hashOf(fixture('jpeg')), 'test')
    expect((await upload()).status).toBe(451)
    const [match] = verdicts()[0]?.files[0]?.matches ?? []
    expect(match).toMatchObject({ isTest: true, classification: 'test', distance: 0 })
  })

  it('takes a classification that nobody documents for a match', async () => {
    await publish()
    const { know, upload } = setUpRemote()
    know(await hashOf(fixture('jpeg')), 'something-new')
    expect((await upload()).status).toBe(451)
  })

  it('never tells a hash in an event', async () => {
    await publish()
    const { know, upload, events } = setUpRemote()
    know(await hashOf(fixture('jpeg')), 'csam', 5)
    await upload()
    expect(events).toMatchObject([{ event: 'verdict', action: 'block' }])
    expect(JSON.stringify(events)).not.toMatch(/(ab){8}|A{16}|[\da-f]{32}/)
  })

  it('asks again about what it let pass, and reports what that finds', async () => {
    await publish()
    const { provider, upload, know, verdicts, remote, advance } = setUpRemote({ onFailed: 'allow' })
    provider.faults.push({ type: 'status', status: 500 })
    expect((await upload()).status).toBe(201)
    know(await hashOf(fixture('jpeg')), 'csam', 2)
    const events: GateEvent[] = []
    const config = readConfig({})
    await askAgain(remote, { config, onEvent: recordIn(events) })
    expect(events).toEqual([
      expect.objectContaining({
        event: 'late-answer',
        caseId: verdicts()[0]?.caseId,
        matches: [expect.objectContaining({ classification: 'csam', distance: 2 })],
      }),
    ])
    advance(60_000)
    await askAgain(remote, { config, onEvent: recordIn(events) })
    expect(events).toHaveLength(1)
  })

  it('gives up after a week, and says so', async () => {
    await publish()
    const { provider, upload, remote, advance } = setUpRemote({ onFailed: 'allow' })
    for (let i = 0; i < 3; i++) provider.faults.push({ type: 'status', status: 500 })
    await upload()
    const events: GateEvent[] = []
    const again = () => askAgain(remote, { config: readConfig({}), onEvent: recordIn(events) })
    advance(7 * 86_400_000)
    await again()
    expect(events).toEqual([])
    advance(1)
    await again()
    expect(events).toEqual([
      expect.objectContaining({ event: 'late-answer', isGivenUp: true, matches: [] }),
    ])
  })
})

describe('a gate without a list', () => {
  it('fails, unless it is set to judge by remote banks alone', async () => {
    const store = kvStore()
    await store.deleteAll([MANIFEST_KEY])
    expect((await setUpRemote().upload()).status).toBe(503)
    const { upload, events, verdicts } = setUpRemote({}, { list: { onMissing: 'remote' } })
    expect((await upload()).status).toBe(201)
    expect(events.filter(({ event }) => event === 'list-error')).toEqual([])
    expect(verdicts()[0]).not.toHaveProperty('listVersion')
    const day = setUpRemote({}, { list: { onMissing: 'remote' } })
    day.know(await hashOf(fixture('jpeg')), 'csam')
    expect((await day.upload()).status).toBe(451)
  })

  it('fails if there was one that is gone', async () => {
    // As a pin is that has seen a list long ago.
    const pin = { note: async (version: number) => version > 0, reset: async () => false }
    await kvStore().deleteAll([MANIFEST_KEY])
    const settings = { list: { onMissing: 'remote' } }
    const { upload, events } = setUpRemote({ pins: { getByName: () => pin } }, settings)
    expect((await upload()).status).toBe(503)
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'list-error',
        error: expect.stringContaining('list-vanished'),
      }),
    )
  })

  it('must have a remote bank to be set so', () => {
    expect(() => readConfig({ HASHGATE: { list: { onMissing: 'remote' } } })).toThrow(
      'list.onMissing must be fail, unless remote.banks has a bank',
    )
  })
})
