// Prints one line: all that hashgate stores or sends, as the code at hand writes it, with made-up content and keys. It is run by
// scripts/stored-values.ts, which keeps the line for the tests of the versions that follow.

import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it } from 'vitest'
import { toHex } from '../../src/util/bytes.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import type { FloodCounter } from '../../src/gate/flood/counter.ts'
import type { Entry } from '../../src/list/entry.ts'
import { publishBank } from '../../src/list/publish.ts'
import { MemoryStore } from '../../src/list/store.ts'
import { Quarantine } from '../../src/quarantine/quarantine.ts'
import type { StagedUpload } from '../../src/upload/staging/staged-upload.ts'
import { formatHash } from '../../src/util/hash.ts'
import type { ListPin } from '../../src/match/list-pin.ts'
import { LaterQuestions } from '../../src/match/remote/later.ts'
import type { RemoteFailure } from '../../src/match/remote/remote-bank.ts'
import { RemoteError } from '../../src/match/remote/service.ts'
import type { TicketUse } from '../../src/doors/tickets/ticket-use.ts'
import { TicketSigner } from '../../src/doors/tickets/ticket.ts'
import { needle, randomDigests, randomEntries } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'
import { fixture } from '../support/fixtures.ts'
import { hashOf, publish, setUp } from '../support/gate.ts'
import { bucket } from '../support/quarantine.ts'
import { KEY, seal } from '../support/stores.ts'

const { FLOOD_COUNTERS, LIST_PIN, TICKET_USES, UPLOADS } = env as unknown as {
  FLOOD_COUNTERS: DurableObjectNamespace<FloodCounter>
  LIST_PIN: DurableObjectNamespace<ListPin>
  TICKET_USES: DurableObjectNamespace<TicketUse>
  UPLOADS: DurableObjectNamespace<StagedUpload>
}

const FAR = Date.UTC(2100, 0, 1)
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** A list of two banks, published twice, so that an entry of it was removed. */
async function writeList() {
  const sealed = new MemoryStore()
  const store = seal(sealed)
  const entries = randomEntries(8, 7)
  const digests = randomDigests(6, 8)
  const labelled = (all: Entry[]) => all.map((one) => ({ ...one, labels: { source: 'old' } }))
  await publishBank(store, labelled(entries), { bank: 'csam', threshold: 30 })
  await publishBank(store, labelled(digests), { bank: 'files' })
  await publishBank(store, labelled(entries.slice(0, 7)), { bank: 'csam' })
  const told = ({ kind, id, hash }: Entry) => ({ kind, id, hash: toHex(hash) })
  return {
    key: KEY,
    values: Object.fromEntries([...sealed.values].map(([key, value]) => [key, base64(value)])),
    entries: [...entries.slice(0, 7), ...digests].map(told),
    removed: entries.slice(7).map(told),
  }
}

async function writeQuarantine() {
  const identity = await generateIdentity()
  const recipients = [await identityToRecipient(identity)]
  const bytes = new TextEncoder().encode('a body')
  const caseId = crypto.randomUUID()
  const facts = { caseId, method: 'POST', host: 'files.example', path: '/a', files: [] }
  const quarantine = new Quarantine({ bucket, recipients, days: 30 })
  const kept = await quarantine.keep(facts, { length: bytes.length, chunks: () => [bytes] })
  if (!kept.kept) throw new Error(kept.reason)
  const object = await bucket.get(kept.key)
  const { customMetadata: metadata } = object!
  const sealed = base64(new Uint8Array(await object!.arrayBuffer()))
  return { identity, key: kept.key, caseId, metadata, sealed, body: base64(bytes) }
}

/** What a Durable Object has stored under keys. */
function keysOf(stub: DurableObjectStub<FloodCounter | ListPin | TicketUse>) {
  return runInDurableObject(stub, async (_, { storage }) =>
    Object.fromEntries(await storage.list()),
  )
}

async function writeFlood() {
  const stub = FLOOD_COUNTERS.getByName('old')
  for (const upload of ['a', 'b'])
    await stub.note({ upload, network: 'n', at: FAR }, { bound: 20, holdMs: 1000 })
  return { at: FAR, keys: await keysOf(stub) }
}

async function writePin() {
  const stub = LIST_PIN.getByName('old')
  const version = 5
  await stub.note(version)
  return { version, keys: await keysOf(stub) }
}

/** What is kept of an upload that a service gave no answer for. */
async function writeLater() {
  const sealed = new MemoryStore()
  const asked = needle(randomBytes(32, 1))
  const failure: RemoteFailure = {
    bank: 'arachnid',
    onFailed: 'allow',
    error: new RemoteError('no answer'),
    unanswered: [asked],
  }
  await new LaterQuestions(seal(sealed), () => FAR).keep('a case', failure)
  const [[key, value] = ['', new Uint8Array()]] = sealed.values
  return { listKey: KEY, key, value: base64(value), hash: formatHash(asked.hash) }
}

async function writeTicket() {
  const ticketKey = 'ab'.repeat(32)
  const grant = { key: 'a/b.jpg', maxBytes: 1000, type: 'image/jpeg' }
  const seconds = Math.floor((FAR - Date.now()) / 1000)
  const { ticket, expires } = await new TicketSigner([ticketKey]).issue(grant, seconds)
  const use = TICKET_USES.getByName('old')
  await use.take(FAR)
  return { ticketKey, ticket, grant, expires, use: await keysOf(use) }
}

/** An upload in parts: what its object has in keys, and the statements that make what it has in tables. */
async function writeUpload() {
  const stub = UPLOADS.get(UPLOADS.newUniqueId())
  const headers = { 'content-type': 'image/jpeg' }
  await stub.begin({ target: '/files?a=b', headers, length: 100, owner: 'somebody' }, FAR)
  await stub.append(0, [{ number: 0, key: 'uploads/x/0', bytes: 40, md5: '00' }])
  return runInDurableObject(stub, async (_, { storage }) => {
    const { sql, kv } = storage
    const tables = sql.exec("SELECT sql FROM sqlite_master WHERE name = 'parts'").toArray()
    const parts = sql.exec('SELECT * FROM parts').toArray()
    return { keys: Object.fromEntries(kv.list()), tables: tables.map((row) => row['sql']), parts }
  })
}

/** Events as the queue has them: of a block, of an upload that passed, and of a list that cannot be read. */
async function writeEvents(): Promise<GateEvent[]> {
  const known = fixture('jpeg')
  const { events, send } = setUp()
  await send(known)
  await publish(await hashOf(known))
  const { events: later, send: sendLater } = setUp()
  await sendLater(known)
  await sendLater(fixture('otherJpeg'))
  return [...events, ...later]
}

it('prints all that is stored and sent', async () => {
  const values = {
    events: await writeEvents(),
    list: await writeList(),
    quarantine: await writeQuarantine(),
    flood: await writeFlood(),
    pin: await writePin(),
    later: await writeLater(),
    ticket: await writeTicket(),
    upload: await writeUpload(),
  }
  console.log(`stored values: ${JSON.stringify(values)}`)
  expect(values.events.length).toBeGreaterThan(2)
})
