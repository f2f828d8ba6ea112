import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from '../../src/list/manifest.ts'
import { publishBank } from '../../src/list/publish.ts'
import { readDetails, readSegment } from '../../src/list/segment.ts'
import { openRemoteStore } from '../../src/node/stores.ts'
import { randomEntries } from '../support/entries.ts'
import { KvApi } from '../support/kv-api.ts'

let api: KvApi
let folder: string
let config: string

beforeAll(async () => {
  api = await KvApi.start()
  Object.assign(process.env, api.environment, { LIST_KEY: 'ab'.repeat(32) })
  folder = await mkdtemp(join(tmpdir(), 'hashgate-test-'))
  config = join(folder, 'wrangler.toml')
  const kv = '[[kv_namespaces]]\nbinding = "HASH_LISTS"\nid = "namespace"\n'
  await writeFile(config, `name = "x"\nmain = "x.js"\ncompatibility_date = "2026-10-20"\n${kv}`)
})

afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true })
})

describe('the remote store', () => {
  it('publishes through wrangler, and reads back what it wrote', async () => {
    const { store } = openRemoteStore({ config })
    await expect(readManifest(store)).rejects.toMatchObject({ code: 'list-missing' })
    const entries = randomEntries(1500, 1)
    const manifest = await publishBank(store, entries, { bank: 'csam' })
    expect(await readManifest(store)).toEqual(manifest)
    const ref = manifest.banks[0]!.segments[0]!
    expect((await readSegment(store, ref)).count).toBe(1500)
    expect((await readDetails(store, ref, 1)).at(-1)?.id).toBe(entries.at(-1)?.id)
    expect(api.values.size).toBe(4)
    const writes = api.requests.filter((request) => request.startsWith('PUT'))
    expect(writes).toHaveLength(2) // all values, then the manifest
  }, 60_000)

  it('says what wrangler said when it may not', async () => {
    process.env['CLOUDFLARE_API_TOKEN'] = 'wrong'
    const { store } = openRemoteStore({ config })
    await expect(readManifest(store)).rejects.toMatchObject({
      code: 'wrangler',
      message: expect.stringContaining('403'),
    })
  }, 60_000)
})
