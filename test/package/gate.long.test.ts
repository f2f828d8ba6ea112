// `hashgate` as it is published, in examples/worker: packed, installed, built by wrangler and run.

import { cp, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { KvStore } from '../../src/list/kv-store.ts'
import { publishBank } from '../../src/list/publish.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { startBuilt } from '../support/built-worker.ts'
import { Consumer } from '../support/consumer.ts'
import { randomEntries } from '../support/entries.ts'
import { picture } from '../support/sharp-images.ts'
import { needlesOf } from '../../src/scan/scanned.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/worker', import.meta.url))
const KEY = 'cd'.repeat(32)

let consumer: Consumer
let worker: Miniflare
let url: URL
const known = await picture(400, 300, 3, 61).jpeg().toBuffer()
const other = await picture(400, 300, 3, 62).jpeg().toBuffer()

beforeAll(async () => {
  consumer = await Consumer.install()
  await cp(EXAMPLE, consumer.path('example'), { recursive: true })
  const config = consumer.path('example/wrangler.toml')
  await consumer.run('wrangler', 'deploy', '--config', config, '--dry-run', '--outdir', '../out')
  worker = await startBuilt(consumer.path('out'), 'files', {
    LISTS: { type: 'kv', id: 'lists' },
    FILES: { type: 'r2', name: 'files' },
    LIST_KEY: { type: 'text', value: KEY },
  })
  url = await worker.unsafeGetDirectURL('files')
  const namespace = await worker.getKVNamespace('LISTS', 'files')
  const store = new SealedStore(new KvStore(namespace), parseListKeys(KEY))
  const hash = needlesOf(
    await scanFile({ modules: readModules(), probes: PROBE_SETS.plain }, known),
  )[0]?.hash
  if (!hash) throw new Error('the picture has no hash')
  const entry = { kind: 'pdq' as const, hash, id: '7', labels: {} }
  await publishBank(store, [entry, ...randomEntries(50, 1)], { bank: 'csam' })
})

afterAll(async () => {
  await worker.dispose()
  await consumer.remove()
})

const put = (name: string, body: Uint8Array) =>
  fetch(new URL(`/files/${name}`, url), { method: 'PUT', body: new Uint8Array(body) })

describe('the example', () => {
  it('has fifteen lines', async () => {
    const lines = (await readFile(`${EXAMPLE}/index.ts`, 'utf8')).trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(15)
  })

  it('stores what is allowed, as it came, and nothing that is known', async () => {
    const bucket = await worker.getR2Bucket('FILES', 'files')
    const blocked = await put('known.jpg', known)
    expect([blocked.status, blocked.headers.get('content-type')]).toEqual([
      451,
      'application/problem+json',
    ])
    const mirrored = await picture(400, 300, 3, 61).flop().png().toBuffer()
    expect((await put('mirrored.png', mirrored)).status).toBe(451)
    const allowed = await put('other.jpg', other)
    expect([allowed.status, await allowed.text()]).toEqual([201, 'stored'])
    expect((await bucket.list()).objects.map(({ key }) => key)).toEqual(['other.jpg'])
    const stored = await bucket.get('other.jpg')
    expect(new Uint8Array(await stored!.arrayBuffer())).toEqual(new Uint8Array(other))
  })

  it('has types that fit an app, that has the types of no platform', async () => {
    const strict = ['--strict', '--skipLibCheck', 'false', '--noEmit', '--ignoreConfig']
    const target = ['--target', 'es2024', '--module', 'esnext', '--moduleResolution', 'bundler']
    const check = (...args: string[]) => consumer.run('tsc', ...strict, ...target, ...args)
    await expect(
      check('--lib', 'es2024,dom', '--types', '', 'use-gate.ts'),
    ).resolves.toBeUndefined()
  })
})
