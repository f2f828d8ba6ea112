// `hashgate/worker` and `hashgate/features` as they are published, in examples/deployment: packed, installed, built by wrangler and run.

import { cp, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { KvStore } from '../../src/list/kv-store.ts'
import { publishBank } from '../../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { needlesOf } from '../../src/scan/scanned.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { startBuilt } from '../support/built-worker.ts'
import { Consumer } from '../support/consumer.ts'
import { OriginServer } from '../support/origin-server.ts'
import { picture } from '../support/sharp-images.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/deployment', import.meta.url))
const KEY = 'ef'.repeat(32)
/** Words that only the code of a feature has. */
const SIGNS = {
  api: 'An OpenAPI document.',
  hma: 'index not yet ready',
  quarantine: 'age-encryption.org',
  remote: 'failed recently and is not asked at the moment',
  s3: 'AWS4-HMAC-SHA256',
  tickets: 'hashgate objects',
  tus: 'the upload is complete; processing',
}

const ALL = "export { default, StagedUpload } from 'hashgate/worker'\n"
const WITHOUT_ANY = `import { createWorker } from 'hashgate/features'
export { StagedUpload } from 'hashgate/objects'
export default createWorker({ features: [] })
`

const MIDDLEWARE = `import { Hono } from 'hono'
import { gate } from 'hashgate'
const app = new Hono()
app.use(gate({ hashLists: ({ LISTS }) => LISTS, listKey: ({ KEY }) => KEY, /* more */ }))
export { StagedUpload } from 'hashgate/objects'
export default app
`

let consumer: Consumer
let origin: OriginServer
const known = await picture(400, 300, 3, 61).jpeg().toBuffer()
const other = await picture(400, 300, 3, 62).jpeg().toBuffer()

beforeAll(async () => {
  consumer = await Consumer.install()
  origin = await OriginServer.start()
  await cp(EXAMPLE, consumer.path('example'), { recursive: true })
})

afterAll(async () => {
  await origin.stop()
  await consumer.remove()
})

/** Builds the example with another index.ts, if one is given. Returns the folder of what wrangler made of it. */
async function build(name: string, source?: string): Promise<string> {
  if (source !== undefined) await writeFile(consumer.path('example/index.ts'), source)
  const config = consumer.path('example/wrangler.toml')
  await consumer.run(
    'wrangler',
    'deploy',
    '--config',
    config,
    '--dry-run',
    '--outdir',
    `../${name}`,
  )
  return consumer.path(name)
}

const text = (value: string) => ({ type: 'text', value }) as const

const upload = (url: URL, body: Uint8Array) =>
  fetch(new URL('/a.jpg', url), { method: 'PUT', body: new Uint8Array(body) })

async function publishKnown(worker: Miniflare): Promise<void> {
  const namespace = await worker.getKVNamespace('HASH_LISTS', 'uploads')
  const hash = needlesOf(await scanFile({ modules: readModules() }, known))[0]?.hash
  if (!hash) throw new Error('the picture has no hash')
  const store = new SealedStore(new KvStore(namespace), parseListKeys(KEY))
  await publishBank(store, [{ kind: 'pdq', hash, id: '7', labels: {} }], { bank: 'csam' })
}

/** Features whose code is in what was built. */
async function featuresIn(folder: string): Promise<string[]> {
  const code = await readFile(`${folder}/index.js`, 'utf8')
  return Object.entries(SIGNS).flatMap(([name, sign]) => (code.includes(sign) ? [name] : []))
}

describe('examples/deployment', () => {
  it('is three lines, and judges uploads on their way to an origin', async () => {
    const lines = (await readFile(`${EXAMPLE}/index.ts`, 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    const env = {
      HASH_LISTS: { type: 'kv', id: 'lists' } as const,
      LIST_KEY: text(KEY),
      ORIGIN_URL: text(origin.url),
    }
    const worker = await startBuilt(await build('example-out'), 'uploads', env)
    try {
      const url = await worker.unsafeGetDirectURL('uploads')
      await publishKnown(worker)
      expect((await upload(url, known)).status).toBe(451)
      expect((await upload(url, other)).status).toBeLessThan(300)
    } finally {
      await worker.dispose()
    }
  })

  it('has the code of the features that it names, and of no others', async () => {
    expect(await featuresIn(consumer.path('example-out'))).toEqual(['quarantine', 'tus'])
    const all = await build('all', ALL)
    expect(await featuresIn(all)).toEqual(Object.keys(SIGNS))
    expect(await featuresIn(await build('none', WITHOUT_ANY))).toEqual([])
  })

  it('leaves the quarantine out of a Worker with the middleware, unless it is named', async () => {
    expect(await featuresIn(await build('middleware', MIDDLEWARE))).toEqual([])
    const named = MIDDLEWARE.replace('/* more */', 'quarantine: quarantine(({ KEPT }) => KEPT),')
    const withQuarantine = `import { quarantine } from 'hashgate/quarantine'\n${named}`
    expect(await featuresIn(await build('keeping', withQuarantine))).toEqual(['quarantine'])
  })

  it('asks services in a Worker with the middleware only if that is named', async () => {
    const named = MIDDLEWARE.replace('/* more */', 'remote: remote(() => ({})),')
    const withServices = `import { remote } from 'hashgate/remote'\n${named}`
    expect(await featuresIn(await build('asking', withServices))).toEqual(['remote'])
  })

  it.each([
    ['tus', { HASHGATE: '{"tus":{"path":"/files"}}' }],
    ['s3', { S3_CLIENT_KEYS: `ONE:${'a'.repeat(16)}` }],
    ['tickets', { TICKET_KEY: KEY }],
    ['quarantine', { HASHGATE: '{"policy":{"banks":{"csam":{"action":"quarantine"}}}}' }],
    ['api', { API_KEYS: `a verdict sha256:${KEY}` }],
  ])('does not start with settings for %s, which it does not name', async (name, vars) => {
    const texts = Object.entries(vars).map(([variable, value]) => [variable, text(value)])
    const env = {
      HASH_LISTS: { type: 'kv', id: 'lists' } as const,
      LIST_KEY: text(KEY),
      ...(Object.fromEntries(texts) as Record<string, ReturnType<typeof text>>),
    }
    const worker = await startBuilt(consumer.path('none'), 'uploads', env)
    try {
      await expect(worker.unsafeGetDirectURL('uploads')).rejects.toThrow(
        `settings or bindings are for ${name},`,
      )
    } finally {
      await worker.dispose().catch(() => undefined)
    }
  })
})
