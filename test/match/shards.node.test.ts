// Durable Objects between real requests: what one request made, another may not use.

import { createTestHarness } from 'wrangler'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publishBank } from '../../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { type KvNamespace, KvStore } from '../../src/list/kv-store.ts'
import { FileDigester } from '../../src/scan/digests.ts'
import { randomEntries } from '../support/entries.ts'
import { randomBytes } from '../support/random.ts'
import { newWatcher } from '../support/watcher.ts'

const KEY = 'ab'.repeat(32)
const known = randomBytes(5000, 1)

const watcher = newWatcher()
const worker = createTestHarness({
  workers: [
    {
      configPath: './wrangler.test.toml',
      vars: { LIST_KEY: KEY, API_KEYS: watcher.API_KEYS, HASHGATE: { list: { maxEntries: 150 } } },
    },
  ],
})
let url: URL

beforeAll(async () => {
  url = (await worker.listen()).url
  const { HASH_LISTS } = await worker.getWorker<{ HASH_LISTS: KvNamespace }>().getEnv()
  const store = new SealedStore(new KvStore(HASH_LISTS), parseListKeys(KEY))
  const digester = FileDigester.ofAllKinds()
  digester.update(known)
  const hash = digester.digest().sha256
  await publishBank(store, randomEntries(100, 1), { bank: 'a' })
  const entry = { kind: 'sha256' as const, hash, id: 'known', labels: {} }
  await publishBank(store, [...randomEntries(100, 2), entry], { bank: 'b' })
})

afterAll(() => worker.close())

describe('a Worker with a list in Durable Objects', () => {
  it('judges request after request', async () => {
    for (let i = 0; i < 4; i++) {
      const blocked = await fetch(new URL(`/${i}`, url), { method: 'PUT', body: known })
      expect(blocked.status).toBe(451)
      const allowed = await fetch(new URL(`/a${i}`, url), {
        method: 'PUT',
        body: randomBytes(5000, 7 + i),
      })
      expect(allowed.status).toBe(201)
    }
    const health = await fetch(new URL('/healthz', url), { headers: watcher.headers })
    expect(await health.json()).toMatchObject({
      list: { state: 'current', where: 'durable objects', entries: { pdq: 200, exact: 1 } },
    })
  })
})
