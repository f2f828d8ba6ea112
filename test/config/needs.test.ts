import { describe, expect, it } from 'vitest'
import { checkNeeds, readConfig } from '../../src/config/config.ts'
import { missingOf } from '../../src/config/needs.ts'
import { recipient } from '../support/quarantine.ts'

const BASE = ['HASH_LISTS', 'LIST_KEY']
const quarantined = { policy: { banks: { csam: { action: 'quarantine' } } } }
const reviewed = {
  policy: { banks: { csam: { threshold: 3, review: { threshold: 9, action: 'quarantine' } } } },
}
const dayOne = {
  list: { onMissing: 'remote' },
  remote: { banks: { arachnid: { service: 'arachnid', user: 'us' } } },
}
const webhook = { events: { sinks: ['queue'], webhook: { url: 'https://hooks.example/' } } }

function missing(settings: object, ...names: string[]): string[] {
  return missingOf(readConfig({ HASHGATE: settings }), (name) => names.includes(name))
}

describe('what a Worker needs', () => {
  it.each([
    [{}, [], ['the binding HASH_LISTS, a KV namespace', 'the secret LIST_KEY']],
    [{ events: { sinks: ['queue'] } }, BASE, ['the binding EVENT_QUEUE, a queue']],
    [{ events: { sinks: ['console', 'analytics'] } }, BASE, ['the binding EVENT_ANALYTICS']],
    [webhook, [...BASE, 'EVENT_QUEUE'], ['events.webhook.url needs the secret WEBHOOK_SECRET']],
    [{ quarantine: { recipients: [recipient] } }, BASE, ['QUARANTINE, an R2 bucket']],
    [
      quarantined,
      BASE,
      [
        'policy.banks.csam with quarantine needs the binding QUARANTINE',
        'policy.banks.csam with quarantine needs quarantine.recipients',
      ],
    ],
    [reviewed, BASE, ['the binding QUARANTINE', 'quarantine needs quarantine.recipients']],
    [quarantined, [...BASE, 'QUARANTINE'], ['QUARANTINE needs quarantine.recipients']],
    [{}, [...BASE, 'OBJECTS'], ['TICKETS, a Durable Object namespace', 'the secret TICKET_KEY']],
    [{}, [...BASE, 'TICKET_KEY'], ['OBJECTS', 'namespace of class TicketUse']],
    [{ tus: { path: '/files' } }, BASE, ['tus.path needs the binding STAGING', 'UPLOADS']],
    [
      {},
      [...BASE, 'S3_CLIENT_KEYS'],
      ['STAGING', 'UPLOADS, a Durable Object namespace of class StagedUpload', 'S3_ORIGIN_KEY'],
    ],
    [
      dayOne,
      [...BASE, 'ARACHNID_PASSWORD'],
      ['list.onMissing with remote needs the binding LIST_PIN'],
    ],
    [{}, [...BASE, 'WEBHOOK_SECRET'], ['WEBHOOK_SECRET needs events.webhook.url']],
    [{}, [...BASE, 'QUARANTINE'], ['QUARANTINE needs quarantine.recipients']],
    [
      {},
      [...BASE, 'ORIGIN', 'ORIGIN_URL'],
      ['only one origin may be set, not ORIGIN_URL and ORIGIN'],
    ],
    [
      { tus: { path: '/files' }, upload: { methods: ['PUT'] } },
      [...BASE, 'STAGING', 'UPLOADS'],
      ['upload.methods must list POST if tus.path is set'],
    ],
    [
      { upload: { methods: ['POST'] } },
      [...BASE, 'STAGING', 'UPLOADS', 'S3_CLIENT_KEYS', 'ORIGIN_BUCKET'],
      ['upload.methods must list PUT if S3_CLIENT_KEYS is set'],
    ],
  ])('%j with %j lacks %j', (settings, names, lacking) => {
    const problems = missing(settings, ...names)
    expect(problems).toHaveLength(lacking.length)
    for (const [i, words] of lacking.entries()) expect(problems[i]).toContain(words)
  })

  it.each([
    [{}, BASE],
    [webhook, [...BASE, 'EVENT_QUEUE', 'WEBHOOK_SECRET']],
    [quarantined, [...BASE, 'QUARANTINE'], recipient],
    [{ tus: { path: '/files' } }, [...BASE, 'STAGING', 'UPLOADS']],
    [{}, [...BASE, 'STAGING', 'UPLOADS', 'S3_CLIENT_KEYS', 'ORIGIN_BUCKET']],
    [{}, [...BASE, 'OBJECTS', 'TICKETS', 'TICKET_KEY']],
  ])('%j with %j lacks nothing', (settings: object, names, key?: string) => {
    const kept = key === undefined ? {} : { quarantine: { recipients: [key] } }
    expect(missing({ ...settings, ...kept }, ...names)).toEqual([])
  })

  it('stops the deployment with all of it', () => {
    const check = () => checkNeeds(readConfig({ HASHGATE: webhook }), () => false)
    expect(check).toThrow(/HASH_LISTS.*LIST_KEY.*EVENT_QUEUE.*WEBHOOK_SECRET/)
    expect(() => checkNeeds(readConfig({}), (name) => BASE.includes(name))).not.toThrow()
  })
})
