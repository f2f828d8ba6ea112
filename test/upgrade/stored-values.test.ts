// What earlier versions of hashgate have stored and sent is read by this one: during a gradual deployment both run at once. And
// what a later version may add to it (docs/upgrades.md) is passed over.

import { createMessageBatch, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Validator } from '@cfworker/json-schema'
import { afterEach, describe, expect, it, vi } from 'vitest'
import eventSchema from '../../docs/schema/events-v1.json'
import { parseHex } from '../../src/util/bytes.ts'
import { modules } from '../../src/core/workerd.ts'
import { deliverEvents } from '../../src/events/deliver.ts'
import type { FloodCounter } from '../../src/gate/flood/counter.ts'
import { type HashKind, HASH_LENGTHS } from '../../src/list/entry.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { rollBack } from '../../src/list/rollback.ts'
import { type ListStore, MANIFEST_KEY, MemoryStore } from '../../src/list/store.ts'
import { verifyList } from '../../src/list/verify.ts'
import { BankIndex } from '../../src/match/bank-index.ts'
import type { ListPin } from '../../src/match/list-pin.ts'
import type { ListShard } from '../../src/match/list-shard.ts'
import type { Query } from '../../src/match/match.ts'
import { LaterQuestions } from '../../src/match/remote/later.ts'
import type { RemoteBank } from '../../src/match/remote/remote-bank.ts'
import type { Shard } from '../../src/match/sharded-index.ts'
import { openSealed } from '../../src/quarantine/open.ts'
import { readObject } from '../../src/quarantine/objects.ts'
import type { StagedUpload } from '../../src/upload/staging/staged-upload.ts'
import type { TicketUse } from '../../src/doors/tickets/ticket-use.ts'
import { TicketSigner } from '../../src/doors/tickets/ticket.ts'
import { needle, randomEntries } from '../support/entries.ts'
import { kvStore, seal } from '../support/stores.ts'
import values from './values/0.1.0.json'

const objects = env as unknown as {
  FLOOD_COUNTERS: DurableObjectNamespace<FloodCounter>
  LIST_PIN: DurableObjectNamespace<ListPin>
  LIST_SHARDS: DurableObjectNamespace<ListShard>
  TICKET_USES: DurableObjectNamespace<TicketUse>
  UPLOADS: DurableObjectNamespace<StagedUpload>
}

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const { list } = values

/** The list as it lies in KV. */
function storedList(): ListStore {
  const stored = new MemoryStore()
  for (const [key, value] of Object.entries(list.values)) stored.values.set(key, bytesOf(value))
  return seal(stored, list.key)
}

function queryOf({ kind, hash }: { kind: string; hash: string }): Query {
  const bytes = parseHex(hash, HASH_LENGTHS[kind as HashKind])!
  return kind === 'pdq' ? { needles: [needle(bytes)] } : { needles: [], digests: { [kind]: bytes } }
}

async function indexOf(store: ListStore): Promise<BankIndex> {
  return BankIndex.load(modules, store, await readManifest(store))
}

/** Changes the manifest as a later version might: it has more fields, everywhere. */
async function addFields(store: ListStore): Promise<void> {
  const more = { later: { some: ['thing'] } }
  const { banks, ...manifest } = await readManifest(store)
  const added = {
    ...manifest,
    ...more,
    banks: banks.map(({ segments, ...bank }) => ({
      ...bank,
      ...more,
      segments: segments.map((segment) => ({ ...segment, ...more })),
    })),
  }
  await store.put(MANIFEST_KEY, new TextEncoder().encode(JSON.stringify(added)) as never)
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a list', () => {
  it('is found whole, and matches what was on it', async () => {
    const store = storedList()
    expect((await verifyList(store)).problems).toEqual([])
    const index = await indexOf(store)
    const found = await index.match(list.entries.map(queryOf))
    expect(found.map(({ matches: [first] }) => first?.entry)).toEqual(
      list.entries.map(({ id }) => id),
    )
    for (const { matches } of found) expect(matches[0]!.labels).toEqual({ source: 'old' })
    const gone = await index.match(list.removed.map(queryOf))
    expect(gone.flatMap(({ matches }) => matches)).toEqual([])
    expect((await readManifest(store)).banks.map(({ id, threshold }) => [id, threshold])).toEqual([
      ['csam', 30],
      ['files', 31],
    ])
  })

  it('is built on, and gone back to', async () => {
    const store = storedList()
    const { version } = await readManifest(store)
    const more = randomEntries(3, 99)
    const { added } = await publishBank(store, more, { bank: 'more' })
    expect(added).toBe(3)
    const found = await (
      await indexOf(store)
    ).match(
      [
        ...list.entries,
        ...more.map((one) => ({
          kind: one.kind,
          hash: Buffer.from(one.hash).toString('hex'),
        })),
      ].map(queryOf),
    )
    expect(found.every(({ matches }) => matches.length === 1)).toBe(true)
    expect((await rollBack(store, version)).banks.map(({ id }) => id)).toEqual(['csam', 'files'])
  })

  it('may have fields that are added later, which a publisher carries on', async () => {
    const store = storedList()
    await addFields(store)
    const query = list.entries.map(queryOf)
    const found = await (await indexOf(store)).match(query)
    expect(found.map(({ matches }) => matches.length)).toEqual(query.map(() => 1))
    await publishBank(store, randomEntries(3, 99), { bank: 'more' })
    const manifest = await readManifest(store)
    const csam = manifest.banks.find(({ id }) => id === 'csam')
    for (const object of [manifest, csam, csam?.segments[0]])
      expect(object).toMatchObject({ later: { some: ['thing'] } })
  })

  it('is asked of a shard by what a later version adds to banks and needles', async () => {
    const store = kvStore()
    const [one] = randomEntries(1, 5)
    const { manifest } = await publishBank(store, [one!], { bank: 'csam' })
    const banks = manifest.banks.map((bank) => ({ ...bank, later: 1 }))
    const query = { needles: [{ ...needle(one!.hash), later: 1 }], later: 1 }
    const shard = objects.LIST_SHARDS.getByName('later') as unknown as Shard
    const [result] = await shard.match(banks, [query])
    expect(result!.matches).toMatchObject([{ entry: one!.id, distance: 0 }])
  })
})

describe('a question that a service did not answer', () => {
  it.each([
    ['as it is kept', {}],
    ['with fields that are added later', { later: 1 }],
  ])('is asked again, %s', async (_, more) => {
    const store = seal(new MemoryStore())
    const hash = 'ab'.repeat(32)
    const facts = { quality: 90, stretchedQuality: 95, weakBits: 3, tolerance: 5, frame: 0 }
    const kept = { caseId: 'c', at: 1, needles: [{ hash, probe: 'turns', ...facts, ...more }] }
    const text = JSON.stringify({ ...kept, ...more })
    await store.put('again/arachnid/c', new Uint8Array(new TextEncoder().encode(text)))
    const asked: unknown[] = []
    const bank: Pick<RemoteBank, 'name' | 'maxNeedles' | 'askAbout'> = {
      name: 'arachnid',
      maxNeedles: 10,
      askAbout: async (images) => {
        asked.push(images)
        return { matches: images.map(() => []) }
      },
    }
    await new LaterQuestions(store, Date.now).askAgain(bank as RemoteBank)
    expect(asked).toMatchObject([[[{ ...facts, hash: parseHex(hash, 32), probe: 'turns' }]]])
    expect(await store.list('again/')).toEqual([])
  })
})

describe('an object of the quarantine', () => {
  const { identity, key, caseId, metadata, sealed, body } = values.quarantine

  it.each([
    ['as it was kept', metadata],
    ['with metadata that is added later', { ...metadata, later: '1' }],
  ])('is opened, %s', async (_, known) => {
    const bytes = bytesOf(sealed)
    const object = readObject(key, bytes.length, known)
    expect(object).toMatchObject({ caseId })
    const opened = await openSealed(object!, bytes, [identity])
    expect(opened.body).toEqual(bytesOf(body))
    expect(opened.record).toMatchObject({ caseId, host: 'files.example', path: '/a' })
  })
})

describe('what Durable Objects have stored', () => {
  it.each([
    ['as it was', {}],
    ['with fields that are added later', { later: 1 }],
  ])('goes on counting, %s', async (name, more) => {
    const { at, keys } = values.flood
    const stub = objects.FLOOD_COUNTERS.getByName(`kept ${name}`)
    await runInDurableObject(stub, (_, { storage }) =>
      storage.put('state', { ...keys.state, ...more }),
    )
    const limits = { bound: 2, holdMs: 1000 }
    const note = (upload: string) => stub.note({ upload, network: '', at }, limits)
    expect(await note('a')).toMatchObject({ isFlooded: false })
    expect(await note('c')).toMatchObject({ isFlooded: true, hasBegun: true })
  })

  it.each([
    ['as it was', {}],
    ['with fields that are added later', { later: 1 }],
  ])('knows the versions of the list that were seen, %s', async (name, more) => {
    const stub = objects.LIST_PIN.getByName(`kept ${name}`)
    const seen = [{ version: 5, at: Date.now() - 3_600_000, ...more }]
    await runInDurableObject(stub, (_, { storage }) =>
      storage.put('state', { seen, resetAt: 0, ...more }),
    )
    expect(await stub.note(4)).toBe(false)
    expect(await stub.note(5)).toBe(true)
    expect(await stub.note(6)).toBe(true)
  })

  it('knows a ticket that was used, and reads one that was given out', async () => {
    const { ticketKey, ticket, grant, expires, use } = values.ticket
    const stub = objects.TICKET_USES.getByName('kept')
    await runInDurableObject(stub, (_, { storage }) => storage.put(use))
    expect(await stub.take(Date.now() + 60_000)).toBe(false)
    expect(await new TicketSigner([ticketKey]).read(ticket)).toMatchObject({ ...grant, expires })
  })

  it.each([
    ['as it was', [], {}],
    [
      'with columns and fields that are added later',
      ["ALTER TABLE parts ADD COLUMN later TEXT DEFAULT 'x'"],
      { later: 1 },
    ],
  ])('takes the next part of an upload, %s', async (_, statements, more) => {
    const { keys, tables, parts } = values.upload
    const stub = objects.UPLOADS.get(objects.UPLOADS.newUniqueId())
    await runInDurableObject(stub, (__, { storage }) => {
      for (const statement of tables) storage.sql.exec(statement)
      for (const { number, key, bytes, md5 } of parts)
        storage.sql.exec('INSERT INTO parts VALUES (?, ?, ?, ?)', number, key, bytes, md5)
      for (const statement of statements) storage.sql.exec(statement)
      storage.kv.put('state', { ...keys.state, ...more })
    })
    expect(await stub.look()).toMatchObject({ phase: 'open', offset: 40, facts: { length: 100 } })
    const next = { number: 1, key: 'uploads/x/1', bytes: 60, md5: '01' }
    expect(await stub.append(40, [next])).toMatchObject({ phase: 'finishing', offset: 100 })
    expect(await stub.parts()).toEqual([...parts, next])
  })
})

describe('an event', () => {
  const validator = new Validator(eventSchema, '2020-12')

  it('is as the schema of its version says, also with what is added later', () => {
    for (const event of values.events) {
      for (const one of [event, { ...event, later: { some: 1 } }])
        expect([event.event, validator.validate(one).errors]).toEqual([event.event, []])
    }
  })

  it('is delivered from the queue as it was put there', async () => {
    const sent: unknown[] = []
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
      sent.push(JSON.parse(init?.body as string))
      return new Response()
    })
    const bodies = [...values.events, { id: crypto.randomUUID(), event: 'later', schema: 2 }]
    const messages = bodies.map((body, i) => ({
      id: `m${i}`,
      timestamp: new Date(),
      attempts: 1,
      body,
    }))
    const webhook = {
      url: 'https://hooks.example/',
      secrets: [Buffer.alloc(24)],
      timeoutMs: 1000,
      retrySeconds: 5,
    }
    await deliverEvents(createMessageBatch('events', messages), webhook)
    expect(sent).toHaveLength(bodies.length)
    for (const body of bodies) expect(sent).toContainEqual(body)
  })
})
