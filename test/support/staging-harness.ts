import { createTestHarness } from 'wrangler'
import { afterAll, beforeEach, expect } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { type KvNamespace, KvStore } from '../../src/list/kv-store.ts'
import { publishBank } from '../../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { randomEntries } from './entries.ts'
import { environmentOf } from './environment.ts'
import { OriginServer } from './origin-server.ts'
import { picture } from './sharp-images.ts'
import { needlesOf } from '../../src/scan/scanned.ts'

const KEY = 'ab'.repeat(32)

/** What tests see of the bucket that parts wait in. */
interface Bucket {
  list: () => Promise<{ objects: { key: string; size: number }[] }>
  delete: (keys: string[]) => Promise<void>
}

/** The Worker in workerd with what resumable uploads need, and an origin on loopback. */
export interface StagingHarness {
  origin: OriginServer
  url: URL
  /** A picture that is on the list, and one that is not. */
  known: Buffer
  unrelated: Buffer
  /** Sizes of the parts that wait. */
  staged: () => Promise<number[]>
  /** Sizes of what is quarantined. */
  quarantined: () => Promise<number[]>
  /** Events about what was sent to a path. An answer may be lost with its connection: they say what it was. */
  toldOf: (path: string) => object[]
  /** Parts are deleted behind requests: waits for that. */
  expectNothingStaged: () => Promise<void>
}

/** Starts the Worker with settings, for all tests of a file. */
export async function startStaging(
  vars: object,
  configPath = './test/upload/staging/wrangler.toml',
): Promise<StagingHarness> {
  const origin = await OriginServer.start()
  const environment = environmentOf(vars) as Record<string, string>
  const known = await picture(640, 480, 3, 1).jpeg().toBuffer()
  const unrelated = await picture(640, 480, 3, 2).jpeg().toBuffer()
  const worker = createTestHarness({
    workers: [
      {
        configPath,
        vars: { LIST_KEY: KEY, ORIGIN_URL: origin.url, ...environment },
      },
    ],
  })
  const { url } = await worker.listen()
  const env = await worker
    .getWorker<{ HASH_LISTS: KvNamespace; STAGING: Bucket; QUARANTINE?: Bucket }>()
    .getEnv()
  const needles = needlesOf(await scanFile({ modules: readModules() }, known))
  const entries = needles.map(({ hash }) => ({
    kind: 'pdq' as const,
    hash,
    id: 'known',
    labels: {},
  }))
  const store = new SealedStore(new KvStore(env.HASH_LISTS), parseListKeys(KEY))
  await publishBank(store, [...entries, ...randomEntries(500, 1)], { bank: 'csam' })
  const quarantined = async () =>
    ((await env.QUARANTINE?.list())?.objects ?? []).map(({ size }) => size)
  const objects = async () => (await env.STAGING.list()).objects
  const staged = async () => (await objects()).map(({ size }) => size)
  const expectNothingStaged = async () => {
    await expect.poll(staged, { timeout: 60_000 }).toEqual([])
  }
  const toldOf = (path: string) =>
    worker
      .getLogs()
      .flatMap(({ message }) => (message.startsWith('{') ? [JSON.parse(message) as object] : []))
      .filter((event) => 'path' in event && event.path === path)
  beforeEach(async () => {
    origin.dropConnections()
    origin.clear()
    await env.STAGING.delete((await objects()).map(({ key }) => key))
  })
  afterAll(async () => {
    await worker.close()
    await origin.stop()
  })
  return { origin, url, known, unrelated, staged, quarantined, toldOf, expectNothingStaged }
}
