import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { workerParts } from '../../src/worker/bindings.ts'
import { allFeatures } from '../../src/worker/features.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import { sweepQuarantine } from '../../src/quarantine/sweep.ts'
import { publishBank } from '../../src/list/publish.ts'
import type { Quarantine } from '../../src/quarantine/quarantine.ts'
import { randomEntries } from '../support/entries.ts'
import { fixture } from '../support/fixtures.ts'
import { hashOf, publish, setUp as setUpGate } from '../support/gate.ts'
import {
  bucket,
  bucketThat,
  emptyBucket,
  identity,
  keys,
  openObject,
  quarantineWith,
  recipient,
} from '../support/quarantine.ts'
import { KEY, kvNamespace, kvStore } from '../support/stores.ts'
import { environmentOf } from '../support/environment.ts'
import { recordIn, STAMP } from '../support/event-recorder.ts'

const known = fixture('jpeg')

beforeEach(async () => {
  await emptyBucket()
  await publish(await hashOf(known))
})

const asPolicy = (action: 'quarantine' | 'block') => ({ banks: { csam: { action } } })

function setUp(quarantine: Quarantine | undefined, vars: object = {}) {
  const settings = { policy: asPolicy('quarantine'), ...vars }
  const { gate, forwarded, verdicts } = setUpGate(settings, quarantine && { quarantine })
  const start = (body: BodyInit, headers: Record<string, string> = {}) => {
    const context = createExecutionContext()
    const url = 'https://files.example/albums/7?token=secret'
    const request = new Request(url, { method: 'PUT', body, headers })
    const response = Promise.resolve(gate.fetch(request, {}, context))
    return { response, ended: () => waitOnExecutionContext(context) }
  }
  return {
    start,
    send: async (...given: Parameters<typeof start>) => {
      const { response, ended } = start(...given)
      const answer = await response
      await ended()
      return answer
    },
    forwarded: () => forwarded.length,
    verdict: () => verdicts()[0]!,
  }
}

/** What an uploader can see of an answer. */
async function seen(response: Response) {
  const { caseId: _, ...body } = await response.json<{ caseId: string }>()
  return { status: response.status, headers: [...response.headers], body }
}

describe('an upload that is quarantined', () => {
  it('is refused like one that is blocked, and kept with what it matched', async () => {
    const { send, forwarded, verdict } = setUp(quarantineWith())
    const response = await send(known, { 'content-type': 'image/jpeg' })
    const answer = await seen(response)
    expect(answer.status).toBe(451)
    expect(forwarded()).toBe(0)
    const { action: told, caseId, quarantine, files } = verdict()
    expect(told).toBe('quarantine')
    const [key] = await keys()
    const bytes = (await bucket.head(key!))!.size
    expect(key).toContain(caseId)
    expect(quarantine).toEqual({ kept: true, key, bytes, expires: expect.any(String) })
    const { record, body } = await openObject(key!)
    expect(body).toEqual(known)
    expect(record).toMatchObject({
      caseId,
      method: 'PUT',
      host: 'files.example',
      path: '/albums/7',
      contentType: 'image/jpeg',
      listVersion: expect.any(Number),
      bytes: known.length,
      files,
    })
    expect(files[0]?.matches?.[0]).toMatchObject({ bank: 'csam', entry: 'known-0', distance: 0 })
    const blocking = setUp(quarantineWith(), { policy: asPolicy('block') })
    expect(await seen(await blocking.send(known))).toEqual(answer)
    expect(await keys()).toEqual([key])
  })

  it('has no hash in what is kept of it', async () => {
    await setUp(quarantineWith()).send(known)
    const { record } = await openObject((await keys())[0]!)
    expect(JSON.stringify(record)).not.toMatch(/[0-9a-f]{33}/)
  })

  it('is kept as it came: a form, and a body that does not say its length', async () => {
    const form = new FormData()
    form.append('a', new File([known], 'a.jpg'))
    const encoded = new Response(form)
    const type = encoded.headers.get('content-type')!
    const sent = new Uint8Array(await encoded.arrayBuffer())
    const halves = [sent.slice(0, 5000), sent.slice(5000)]
    const chunked = () =>
      new ReadableStream({
        type: 'bytes',
        pull: (c) => (halves.length > 0 ? c.enqueue(halves.shift()!) : c.close()),
      })
    for (const body of [sent, chunked()]) {
      await emptyBucket()
      const { send, verdict } = setUp(quarantineWith())
      expect((await send(body, { 'content-type': type })).status).toBe(451)
      expect(verdict().quarantine).toMatchObject({ kept: true })
      const { record, body: kept } = await openObject((await keys())[0]!)
      expect(kept).toEqual(sent)
      expect(record['contentType']).toBe(type)
    }
  })

  it('is refused when R2 fails, and the event says that nothing was kept', async () => {
    const put = async () => {
      throw new Error('put: internal error (10001)')
    }
    const failing = quarantineWith({ bucket: bucketThat({ put }) })
    const { send, verdict, forwarded } = setUp(failing)
    expect((await send(known)).status).toBe(451)
    expect(forwarded()).toBe(0)
    const quarantine = { kept: false, reason: 'not-stored', error: 'Error 10001' }
    expect(verdict()).toMatchObject({ action: 'quarantine', reason: 'match', quarantine })
  })

  it('is answered before it is stored, as one that is blocked is', async () => {
    const storing = Promise.withResolvers<void>()
    const put = async (...given: Parameters<R2Bucket['put']>) => {
      await storing.promise
      return bucket.put(...given)
    }
    const slow = quarantineWith({ bucket: bucketThat({ put }) })
    const { start, verdict } = setUp(slow)
    const { response, ended } = start(known)
    expect((await response).status).toBe(451)
    expect(verdict()).toBeUndefined()
    storing.resolve()
    await ended()
    expect(verdict().quarantine).toMatchObject({ kept: true })
    expect((await openObject((await keys())[0]!)).body).toEqual(known)
  })

  it('gives back what it held when R2 hangs', async () => {
    const put = () => new Promise<R2Object>(() => {})
    const hanging = bucketThat({ put })
    const { send, verdict } = setUp(quarantineWith({ bucket: hanging, maxKeepMs: 50 }), {
      upload: {
        maxBufferedBytes: known.length,
        maxHeldBytes: known.length,
        maxBodyBytes: known.length,
      },
    })
    const headers = { 'content-length': String(known.length) }
    expect((await send(known, headers)).status).toBe(451)
    expect(verdict().quarantine).toMatchObject({ kept: false, reason: 'not-stored' })
    expect((await send(known, headers)).status).toBe(451)
  })

  it('is refused without a quarantine', async () => {
    const { send, verdict } = setUp(undefined)
    expect((await send(known)).status).toBe(451)
    expect(verdict().quarantine).toEqual({ kept: false, reason: 'not-configured' })
  })

  it('is not kept if it is longer than is held', async () => {
    const { send, verdict } = setUp(quarantineWith(), {
      upload: { maxBufferedBytes: known.length - 1 },
    })
    const length = { 'content-length': String(known.length) }
    expect((await send(known, length)).status).toBe(451)
    expect(verdict().quarantine).toEqual({ kept: false, reason: 'too-long' })
    expect(await keys()).toEqual([])
    const held = setUp(quarantineWith(), { upload: { maxBufferedBytes: known.length } })
    await held.send(known, length)
    expect(held.verdict().quarantine).toMatchObject({ kept: true })
  })

  it('is not kept if another match in it is to be blocked', async () => {
    const other = fixture('otherJpeg')
    const entry = { kind: 'pdq' as const, hash: await hashOf(other), id: 'x', labels: {} }
    const publishOther = (...more: (typeof entry)[]) =>
      publishBank(kvStore(), [...more, ...randomEntries(9, 3)], { bank: 'other' })
    await publishOther(entry)
    onTestFinished(async () => void (await publishOther()))
    const form = new FormData()
    for (const [i, bytes] of [known, other].entries()) form.append(`f${i}`, new File([bytes], 'a'))
    const { send, verdict } = setUp(quarantineWith())
    const body = new Response(form)
    const headers = { 'content-type': body.headers.get('content-type')! }
    expect((await send(await body.bytes(), headers)).status).toBe(451)
    expect(verdict()).toMatchObject({ action: 'block' })
    expect(await keys()).toEqual([])
  })

  it('is only reported in shadow mode', async () => {
    const { send, verdict, forwarded } = setUp(quarantineWith(), {
      policy: { ...asPolicy('quarantine'), mode: 'shadow' },
    })
    expect((await send(known)).status).toBe(201)
    expect(forwarded()).toBe(1)
    expect(verdict()).toMatchObject({ action: 'quarantine', isShadow: true })
    expect(verdict()).not.toHaveProperty('quarantine')
    expect(await keys()).toEqual([])
  })

  it('is the only one that is kept', async () => {
    const { send, verdict } = setUp(quarantineWith())
    expect((await send(fixture('otherJpeg'))).status).toBe(201)
    expect(verdict()).not.toHaveProperty('quarantine')
    expect(await keys()).toEqual([])
  })

  it('is kept beside others at once, and what it held is given back', async () => {
    const { send } = setUp(quarantineWith(), {
      upload: {
        maxBufferedBytes: known.length,
        maxHeldBytes: known.length * 2,
        maxBodyBytes: known.length,
      },
    })
    const headers = { 'content-length': String(known.length) }
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(known, headers)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(451))
    expect(await keys()).toHaveLength(8)
    for (const key of await keys()) expect((await openObject(key)).body).toEqual(known)
  })
})

describe('the settings of the quarantine', () => {
  const start = (more: object) => () => {
    const env = { HASH_LISTS: kvNamespace(), LIST_KEY: KEY, ...environmentOf(more) }
    return workerParts(env, modules, allFeatures())
  }
  const quarantine = { recipients: [recipient] }

  it('make one, or none', () => {
    expect(start({})().quarantine).toBeUndefined()
    const settings = { QUARANTINE: bucket, quarantine: { ...quarantine, days: 400 } }
    expect(start(settings)().quarantine).toBeDefined()
  })

  it('stop the deployment when they are wrong, and are not repeated', () => {
    const QUARANTINE = bucket
    for (const wrong of ['age1nonsense', identity, `${recipient} ${recipient}`]) {
      const starting = start({ QUARANTINE, quarantine: { recipients: [wrong] } })
      expect(starting).toThrow('quarantine.recipients.0 must be an age public key')
      expect(starting).not.toThrow(wrong)
    }
    expect(start({ QUARANTINE })).toThrow('QUARANTINE needs quarantine.recipients')
    expect(start({ quarantine })).toThrow('quarantine.recipients needs the binding QUARANTINE')
    const review = { threshold: 40, action: 'quarantine' }
    for (const csam of [{ action: 'quarantine' }, { threshold: 31, review }]) {
      const unbound = 'policy.banks.csam with quarantine needs the binding QUARANTINE'
      expect(start({ policy: { banks: { csam } } })).toThrow(unbound)
    }
    for (const days of [0, 401, 1.5, '30']) {
      const bad = start({ QUARANTINE, quarantine: { ...quarantine, days } })
      expect(bad).toThrow('quarantine.days must be a whole number from 1 to 400')
    }
  })

  it('stop it when a private key is anywhere among them', () => {
    const starting = start({ SOME_SECRET: `# created\n${identity}` })
    expect(starting).toThrow(
      'SOME_SECRET contains a private key of age, which the Worker must never have',
    )
    expect(starting).not.toThrow(identity)
  })
})

describe('the trigger', () => {
  it('deletes what has expired, and tells', async () => {
    await setUp(quarantineWith({ days: 1 })).send(known)
    const events: GateEvent[] = []
    await sweepQuarantine(quarantineWith(), recordIn(events))
    const later = quarantineWith({ now: () => Date.now() + 86_400_001 })
    await sweepQuarantine(later, recordIn(events))
    expect(events).toEqual([
      { ...STAMP, event: 'quarantine-sweep', deleted: 0, left: 1, others: 0, isWhole: true },
      { ...STAMP, event: 'quarantine-sweep', deleted: 1, left: 0, others: 0, isWhole: true },
    ])
    expect(await keys()).toEqual([])
  })

  it('tells what it fails by, and fails', async () => {
    const list = async () => {
      throw new TypeError('list: internal error (10001)')
    }
    const events: GateEvent[] = []
    const failing = quarantineWith({ bucket: bucketThat({ list }) })
    const sweeping = sweepQuarantine(failing, recordIn(events))
    await expect(sweeping).rejects.toThrow('internal error')
    expect(events).toEqual([{ ...STAMP, event: 'quarantine-sweep', error: 'TypeError' }])
  })

  it('does nothing without a quarantine', async () => {
    await sweepQuarantine(undefined, () => expect.unreachable())
  })
})
