// The Worker as it is deployed, with a quarantine.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleWorker, workerFrom } from '../support/workerd.ts'

const WORKER = new URL('../../src/worker.ts', import.meta.url)

let folder: string
let manifest: Awaited<ReturnType<typeof bundleWorker>>
let recipient: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-test-'))
  manifest = await bundleWorker(WORKER)
  recipient = await identityToRecipient(await generateIdentity())
})

afterAll(() => rm(folder, { recursive: true }))

function start(key: string) {
  const log: string[] = []
  const text = (value: string) => ({ type: 'text', value }) as const
  const miniflare = new Miniflare({
    log: new Log(LogLevel.NONE),
    resourcePersistencePath: folder,
    unsafeTriggerHandlers: true,
    handleStructuredLogs: ({ message }) => {
      if (message.startsWith('{')) log.push(message) // an event, and no warning
    },
    workers: [
      workerFrom('gate', manifest, {
        HASH_LISTS: { type: 'kv', id: 'hash-lists' },
        LIST_KEY: text('ab'.repeat(32)),
        QUARANTINE: { type: 'r2', name: 'quarantine' },
        HASHGATE: text(JSON.stringify({ quarantine: { recipients: [key] } })),
      }),
    ],
  })
  return { miniflare, log }
}

describe('the Worker with a quarantine', () => {
  it('deletes what has expired when its trigger fires', async () => {
    const { miniflare, log } = start(recipient)
    try {
      await miniflare.ready
      const bucket = await miniflare.getR2Bucket('QUARANTINE', 'gate')
      for (const expires of ['2026-01-31T00:00:00.000Z', '2999-01-31T00:00:00.000Z']) {
        const caseId = crypto.randomUUID()
        const customMetadata = { case: caseId, expires, format: '1' }
        await bucket.put(`2026-01-01-${caseId}.tar.age`, 'sealed', { customMetadata })
      }
      const response = await miniflare.dispatchFetch('http://gate/cdn-cgi/local/scheduled')
      expect(await response.text()).toBe('ok')
      expect((await bucket.list()).objects).toHaveLength(1)
      expect(log.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { event: 'quarantine-sweep', deleted: 1, left: 1, others: 0, isWhole: true },
      ])
    } finally {
      await miniflare.dispose()
    }
  })

  it('does not start with a wrong key', async () => {
    const { miniflare } = start(recipient.slice(0, -1))
    const words = 'quarantine.recipients.0 must be an age public key'
    await expect(miniflare.ready).rejects.toThrow(words)
    await miniflare.dispose().catch(() => undefined) // it fails as `ready` did
  })

  it('has nothing in it that opens what is sealed', () => {
    const { contents } = manifest.modules['worker.js'] as { contents: string }
    expect(contents).toContain('age-encryption.org/v1')
    expect(contents).not.toContain('openSealed')
  })
})
