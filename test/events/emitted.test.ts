// Each kind of event as it is really told. recordIn holds all of them to docs/schema/; here is seen that none is missing.

import { createMessageBatch } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import schema from '../../docs/schema/events-v1.json'
import { toHex } from '../../src/util/bytes.ts'
import { formatHash } from '../../src/util/hash.ts'
import { deliverEvents } from '../../src/events/deliver.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import { eventSinks } from '../../src/events/sinks.ts'
import { sweepQuarantine } from '../../src/quarantine/sweep.ts'
import { publishBank } from '../../src/list/publish.ts'
import type { StagedUpload } from '../../src/upload/staging/staged-upload.ts'
import { keyFor, setUpApi } from '../support/api.ts'
import { flipBits } from '../support/entries.ts'
import { recordIn } from '../support/event-recorder.ts'
import { fixture } from '../support/fixtures.ts'
import { hashOf, publish, setUp } from '../support/gate.ts'
import { quarantineWith } from '../support/quarantine.ts'
import { setUpRemote } from '../support/remote.ts'
import { askAgain } from '../../src/upload/recheck.ts'
import { readConfig } from '../../src/config/config.ts'
import { brokenStore, kvStore } from '../support/stores.ts'

const known = fixture('jpeg')
const other = fixture('otherJpeg')
const stripes = fixture('stripes')
const knownHash = await hashOf(known)
const near = flipBits(knownHash, 36)
const events: GateEvent[] = []

/** Fields of a part of the schema, which all have to be seen. */
function fieldsOf(name: 'verdict' | 'match'): Set<string> {
  return new Set(Object.keys(schema.$defs[name].properties))
}

async function uploads(): Promise<void> {
  const review = { threshold: 40, action: 'flag' }
  const routes = [
    { paths: ['/shadow'], mode: 'shadow', label: 'public' },
    { paths: ['/strict'], onUnscannable: 'refuse', label: 'private' },
  ]
  for (const [policy, path, body] of [
    [{}, '/a', other],
    [{}, `/by-content/${formatHash(knownHash)}`, known],
    [{ banks: { csam: { action: 'flag', harm: 'abuse' } } }, '/a', known],
    [{ banks: { csam: { action: 'quarantine' } } }, '/a', known],
    [{ banks: { near: { threshold: 31, review } } }, '/a', known],
    [{ exempt: ['csam/known-0'] }, '/a', known],
    [{}, '/a', stripes],
    [{ routes }, '/shadow', known],
    [{ routes }, '/strict', known.slice(0, 300)],
    [{ routes }, '/strict/..%2fa', known],
  ] as const) {
    const gate = setUp({ policy: policy }, { quarantine: quarantineWith() })
    await gate.send(body, {}, `https://files.example${path}`)
    events.push(...gate.events)
  }
}

async function remoteBanks(): Promise<void> {
  const vars = { policy: { banks: { arachnid: {} } } }
  const gate = setUpRemote({ onFailed: 'allow' }, vars)
  gate.know(await hashOf(other), 'test')
  gate.provider.faults.push({ type: 'status', status: 500 })
  await gate.send(other)
  await gate.send(other)
  await askAgain(gate.remote, { config: readConfig({}), onEvent: recordIn(gate.events) })
  events.push(...gate.events)
}

async function manyFiles(): Promise<void> {
  const form = new FormData()
  for (let i = 0; i < 201; i++) form.append('file', new File([known.slice(0, 300)], `${i}.jpg`))
  const gate = setUp({ body: { maxFiles: 300 } })
  await gate.send(form)
  events.push(...gate.events)
}

async function flood(): Promise<void> {
  const policy = { banks: { csam: { onFlood: 'flag' } } }
  const gate = setUp({ flood: { bound: 1 }, policy })
  for (const last of [1, 2]) await gate.send(new Uint8Array([...known, last]))
  events.push(...gate.events)
}

async function failures(): Promise<void> {
  const list = setUp({}, { store: brokenStore() })
  await list.send(known)
  const origin = { forward: () => Promise.reject(new TypeError('connection refused')) }
  const noOrigin = setUp({}, { origin })
  await noOrigin.send(null, { method: 'GET' })
  events.push(...list.events, ...noOrigin.events)
}

async function staging(): Promise<void> {
  const { UPLOADS: stubs } = env as unknown as { UPLOADS: DurableObjectNamespace<StagedUpload> }
  const failing = { get: () => Promise.reject(new Error('we encountered an internal error')) }
  const put = () => Promise.reject(new Error('we encountered an internal error'))
  const bucket = { ...failing, put } as unknown as R2Bucket
  const tested = setUp({ tus: { path: '/tus' } }, { staging: { bucket, uploads: stubs } })
  const version = { 'tus-resumable': '1.0.0' }
  const length = { 'upload-length': String(other.length) }
  const host = 'https://files.example'
  const made = await tested.send(null, { headers: { ...version, ...length } }, `${host}/tus`)
  const type = { 'content-type': 'application/offset+octet-stream' }
  const headers = { ...version, ...type, 'upload-offset': '0' }
  const url = `${host}${made.headers.get('location')}`
  expect((await tested.send(other, { method: 'PATCH', headers }, url)).status).toBe(503)
  events.push(...tested.events)
}

async function api(): Promise<void> {
  const { call, events: told } = setUpApi({
    api: { access: { teamDomain: 'http://127.0.0.1:1', audience: ['ab'.repeat(32)] } },
  })
  const query = new URLSearchParams({ signal: formatHash(knownHash), signal_type: 'pdq' })
  await call(`/m/lookup?${query.toString()}`, {}, keyFor('lookup'))
  await call('/v1/verdict', { method: 'POST', body: known }, keyFor('verdict'))
  const token = [{ alg: 'RS256', kid: 'one' }, { exp: 1 }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const headers = { 'cf-access-jwt-assertion': `${token}.AA` }
  await call('/v1/verdict', { method: 'POST', body: known, headers })
  events.push(...told)
}

async function sinksAndSweep(): Promise<void> {
  const record = recordIn(events)
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => {
    const event = JSON.parse(line) as GateEvent
    if (event.event.endsWith('-error')) record(event) // the others were recorded before
  })
  const send = () => Promise.reject(new TypeError('the queue is full'))
  const sending: Promise<unknown>[] = []
  const tell = eventSinks(
    { sinks: ['console', 'queue'], queue: 'all' },
    { EVENT_QUEUE: { send } as unknown as Queue<GateEvent> },
    (promise) => sending.push(promise),
  )
  await sweepQuarantine(quarantineWith(), (event) => {
    record(event)
    tell(event)
  })
  await Promise.all(sending)
  const message = { id: 'm', timestamp: new Date(), attempts: 1, body: events[0] }
  await deliverEvents(createMessageBatch('events', [message]), undefined)
  log.mockRestore()
}

describe('what events contain', () => {
  beforeAll(async () => {
    await publish(knownHash)
    const entry = { kind: 'pdq' as const, hash: near, id: 'near-1', labels: {} }
    await publishBank(kvStore(), [entry], { bank: 'near' })
    const pattern = { ...entry, hash: await hashOf(stripes), id: 'stripes-1' }
    await publishBank(kvStore(), [pattern], { bank: 'patterns' })
    await uploads()
    await manyFiles()
    await remoteBanks()
    await flood()
    await failures()
    await staging()
    await api()
    await sinksAndSweep()
  })

  afterAll(() => {
    vi.restoreAllMocks()
  })

  it('is each event of the schema', () => {
    const kinds = Object.entries(schema.$defs).filter(([, { properties }]) => 'event' in properties)
    // Those of the desk are in test/desk/worker.test.ts.
    const ofGate = kinds.filter(([name]) => !name.startsWith('exchange-'))
    expect(new Set(events.map(({ event }) => event))).toEqual(new Set(ofGate.map(([name]) => name)))
  })

  it('is each action, and each field of verdicts and matches', () => {
    const verdicts = events.filter((event) => event.event === 'verdict')
    const { action } = schema.$defs.verdict.properties
    expect(new Set(verdicts.map((verdict) => verdict.action))).toEqual(new Set(action.enum))
    expect(new Set(verdicts.flatMap(Object.keys))).toEqual(fieldsOf('verdict'))
    const matches = verdicts.flatMap(({ files }) => files.flatMap((file) => file.matches ?? []))
    expect(new Set(matches.flatMap(Object.keys))).toEqual(fieldsOf('match'))
    expect(new Set(verdicts.flatMap(({ label }) => label ?? []))).toEqual(
      new Set(['public', 'private']),
    )
  })

  it('is never a hash of the list', () => {
    const text = JSON.stringify(events)
    for (const hash of [knownHash, near]) {
      const bytes = Buffer.from(hash)
      for (const secret of [toHex(hash), bytes.toString('base64'), bytes.toString('base64url')])
        expect(text.toLowerCase()).not.toContain(secret.toLowerCase())
    }
  })
})
