import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { readDetails } from '../../src/list/details.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { readPart } from '../../src/list/pdq-segment.ts'
import { publishBank } from '../../src/list/publish.ts'
import type { Bytes } from '../../src/list/store.ts'
import {
  CloudflareApi,
  CloudflareError,
  type CloudflareOptions,
  RemoteStore,
} from '../../src/commands/remote-store.ts'
import { openRemoteStore } from '../../src/commands/stores.ts'
import { randomEntries } from '../support/entries.ts'
import { KvApi } from '../support/kv-api.ts'

let api: KvApi
let folder: string
/** Milliseconds that were waited before other tries. */
let waits: number[]

beforeAll(async () => {
  api = await KvApi.start()
  folder = await mkdtemp(join(tmpdir(), 'hashgate-test-'))
})

afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true })
})

beforeEach(() => {
  api.reset()
  waits = []
})

/** The API, without the waiting. */
function client(options: Partial<CloudflareOptions> = {}): CloudflareApi {
  const wait = async (ms: number) => void waits.push(ms)
  return new CloudflareApi({ token: 'token', baseUrl: api.baseUrl, wait, ...options })
}

function open(namespace = 'namespace', options: Partial<CloudflareOptions> = {}): RemoteStore {
  return new RemoteStore(client(options), 'account', namespace)
}

const bytes = (...values: number[]): Bytes => new Uint8Array(values)

/** What a promise is rejected with. */
async function errorOf(promise: Promise<unknown>): Promise<CloudflareError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  )
  if (!(error instanceof CloudflareError)) throw new Error(`rejected with ${String(error)}`)
  return error
}

/** Values of one byte, in order of their keys. */
function numbered(count: number): Map<string, Bytes> {
  return new Map(Array.from({ length: count }, (_, i) => [`k/${i}`, bytes(i)]))
}

const TOO_MANY = { status: 429, headers: { 'retry-after': '7' } }
const BROKEN = { status: 500 }

describe('RemoteStore', () => {
  it('reads the bytes that it wrote, under keys with any characters', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    for (const key of ['manifest', 'segment/ab/0', 'a b?c=d#e%2F+ü', 'x//y']) {
      await open().put(key, all)
      expect(await open().get(key)).toEqual(all)
      expect([...api.values.keys()].at(-1)).toBe(key)
    }
    await open().put('empty', bytes())
    expect(await open().get('empty')).toEqual(bytes())
  })

  it('writes a view of a larger buffer as what it shows', async () => {
    const view = bytes(1, 2, 3, 4, 5).subarray(1, 3)
    await open().put('one', view)
    await open().putAll(new Map([['many', view]]))
    expect([...api.values.values()].map((value) => [...value])).toEqual([
      [2, 3],
      [2, 3],
    ])
  })

  it('has no value for a key that is not there', async () => {
    expect(await open().get('segment/none/0')).toBeUndefined()
    expect(waits).toEqual([])
  })

  it('reports a missing namespace as an error', async () => {
    const { code, failure } = await errorOf(open('other').get('manifest'))
    expect(code).toBe('cloudflare')
    expect(failure).toMatchObject({ status: 404, apiCode: 10013, problem: 'namespace not found' })
  })

  it('writes several values in one request', async () => {
    const written: number[] = []
    await open().putAll(numbered(3), (count) => written.push(count))
    expect(api.requests).toEqual(['PUT accounts/account/storage/kv/namespaces/namespace/bulk 3'])
    expect(written).toEqual([3])
    expect(await open().get('k/2')).toEqual(bytes(2))
  })

  it('writes at most 10,000 values in a request', async () => {
    await open().putAll(numbered(10_000))
    expect(bulkSizes()).toEqual([10_000])
    const written: number[] = []
    await open().putAll(numbered(10_001), (count) => written.push(count))
    expect(bulkSizes()).toEqual([10_000, 10_000, 1])
    expect(written).toEqual([10_000, 10_001])
  })

  it('writes at most 50,000,000 bytes in a request', async () => {
    const half = new Uint8Array(25_000_000)
    const values = new Map([
      ['a', half],
      ['b', half],
    ])
    await open().putAll(values)
    expect(bulkSizes()).toEqual([2])
    await open().putAll(new Map([...values, ['c', bytes(1)]]))
    expect(bulkSizes()).toEqual([2, 2, 1])
  })

  it('writes again what Cloudflare could not write, and nothing else', async () => {
    api.refuse('k/1', 2)
    api.refuse('k/2', 1)
    await open().putAll(numbered(4))
    expect(bulkSizes()).toEqual([4, 2, 1])
    expect(waits).toEqual([1000, 2000])
    expect(api.values.size).toBe(4)
  })

  it('gives up when Cloudflare could not write a value six times', async () => {
    api.refuse('k/1', 5)
    await open().putAll(numbered(3))
    api.refuse('k/1', 6)
    const written: number[] = []
    const { message } = await errorOf(open().putAll(numbered(3), (count) => written.push(count)))
    expect(message).toContain('1 of 3 keys were not done in 6 tries')
    expect(written).toEqual([])
  })

  it('lists all keys with a prefix, page by page', async () => {
    await open().putAll(numbered(8))
    await open().put('other', bytes())
    await open().put('k&limit=1', bytes())
    const names = [...numbered(8).keys()]
    api.requests.length = 0
    expect(await open().list('k/')).toEqual(names)
    expect(api.requests).toHaveLength(3) // of 3 keys, 3 and 2
    expect(await open().list('k&')).toEqual(['k&limit=1'])
    expect(await open().list('')).toHaveLength(10)
    expect(await open().list('none')).toEqual([])
  })

  it('lists a number of keys that fills its pages', async () => {
    await open().putAll(numbered(6))
    expect(await open().list('k/')).toHaveLength(6)
  })

  it('deletes keys in one request, including missing ones', async () => {
    await open().putAll(numbered(5))
    await open().deleteAll(['k/1', 'k/3', 'k/7'])
    expect([...api.values.keys()]).toEqual(['k/0', 'k/2', 'k/4'])
    expect(bulkSizes()).toEqual([5, 3])
  })

  it('deletes at most 10,000 keys in a request', async () => {
    await open().deleteAll([...numbered(10_001).keys()])
    expect(bulkSizes()).toEqual([10_000, 1])
  })

  it('deletes again what Cloudflare could not delete, at most six times', async () => {
    await open().putAll(numbered(3))
    api.refuse('k/0', 1)
    await open().deleteAll(['k/0', 'k/1'])
    expect([...api.values.keys()]).toEqual(['k/2'])
    api.refuse('k/2', 6)
    await expect(open().deleteAll(['k/2'])).rejects.toMatchObject({ code: 'cloudflare' })
  })

  it('sends no request if there is nothing to do', async () => {
    await open().putAll(new Map())
    await open().deleteAll([])
    expect(api.requests).toEqual([])
  })

  it('tells what failed, without account, token and value', async () => {
    const store = open('namespace', { token: 'wr0ngsecret' })
    const { message } = await errorOf(store.put('a/b', bytes(0x73, 0x65, 0x63)))
    expect(message).toBe(
      'Cloudflare: PUT storage/kv/namespaces/namespace/values/a%2Fb: 403 Authentication error (10000)',
    )
    expect(api.requests).toHaveLength(1)
  })
})

/** Sizes of all bulk requests. */
function bulkSizes(): number[] {
  return api.requests.flatMap((request) => {
    const [, size] = /\/bulk(?:\/delete)? (\d+)$/.exec(request) ?? []
    return size === undefined ? [] : [Number(size)]
  })
}

describe('CloudflareApi', () => {
  it('waits for as long as a Retry-After says, in seconds or with a date', async () => {
    api.failNext(TOO_MANY)
    expect(await open().list('')).toEqual([])
    expect(waits).toEqual([7000])
    const now = Date.UTC(2026, 0, 1)
    vi.useFakeTimers({ toFake: ['Date'], now })
    try {
      const date = new Date(now + 90_000).toUTCString()
      api.failNext({ status: 503, headers: { 'retry-after': date } })
      await open().list('')
    } finally {
      vi.useRealTimers()
    }
    expect(waits[1]).toBe(90_000)
  })

  it('waits for five minutes, and no longer', async () => {
    api.failNext({ status: 429, headers: { 'retry-after': '300' } })
    await open().list('')
    expect(waits).toEqual([300_000])
    api.failNext({ status: 429, headers: { 'retry-after': '301' } })
    expect((await errorOf(open().list(''))).failure.status).toBe(429)
    expect(waits).toHaveLength(1)
  })

  it('waits twice as long each time, also where a Retry-After asks for less', async () => {
    const soon = { status: 429, headers: { 'retry-after': '1' } }
    api.failNext(BROKEN, soon, BROKEN, { status: 429 }, { status: 502 })
    await open().put('a', bytes(1))
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000])
    expect(api.values.size).toBe(1)
  })

  it('gives up after six tries', async () => {
    api.failNext(...Array.from({ length: 6 }, () => BROKEN))
    expect((await errorOf(open().get('a'))).failure.status).toBe(500)
    expect(api.requests).toHaveLength(6)
    expect(waits).toHaveLength(5)
  })

  it('tries again when the connection breaks, before the answer or within it', async () => {
    await open().put('a', bytes(1))
    api.failNext('drop', 'cut')
    expect(await open().get('a')).toEqual(bytes(1))
    expect(waits).toEqual([1000, 2000])
  })

  it('tries again when there is no answer in time', async () => {
    await open().put('a', bytes(1))
    api.failNext('hang')
    expect(await open('namespace', { timeoutMs: 100 }).get('a')).toEqual(bytes(1))
    api.failNext(...Array.from({ length: 6 }, () => 'hang' as const))
    const { message } = await errorOf(open('namespace', { timeoutMs: 20 }).get('a'))
    expect(message).toContain('no answer in time')
  })

  it('has a minute for an answer, and a second more for each 250,000 bytes of a request', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout')
    await open().get('a')
    await open().put('a', new Uint8Array(250_000))
    expect(timeout.mock.calls).toEqual([[60_000], [61_000]])
    timeout.mockRestore()
  })

  it('tells why there is no connection', async () => {
    const baseUrl = 'http://127.0.0.1:4' // a port that no program gets by chance
    const { message, failure } = await errorOf(open('namespace', { baseUrl }).get('a'))
    expect(message).toContain('ECONNREFUSED')
    expect(failure.status).toBeUndefined()
    expect(waits).toHaveLength(5)
  })

  it('does not retry permanent failures', async () => {
    for (const status of [400, 401, 403, 404, 413]) {
      api.failNext({ status })
      expect((await errorOf(open().get('a'))).failure.status).toBe(status)
    }
    expect(waits).toEqual([])
  })

  it('refuses answers that do not match the documentation', async () => {
    const shapes = ['{}', '{"success":true,"result":[{}]}', '{"success":false,"result":[]}']
    const bodies = ['', '<html>', ...shapes]
    for (const body of bodies) {
      api.failNext({ status: 200, body })
      expect((await errorOf(open().list(''))).message).toContain('does not match the documentation')
    }
    const errors = [{ code: 10001, message: 'service temporarily unavailable' }]
    api.failNext({ status: 200, body: JSON.stringify({ success: false, errors }) })
    expect((await errorOf(open().list(''))).message).toContain('temporarily unavailable (10001)')
  })

  it('refuses a token that no header can have, without repeating it', () => {
    for (const token of ['', 'se cret', 'secret\nx', 'secret…']) {
      expect(() => client({ token })).toThrow(
        /^(?!.*secret).*contains characters that a token may not contain$/s,
      )
    }
  })

  it('refuses an invalid address', () => {
    expect(() => client({ baseUrl: 'api' })).toThrow('Cloudflare: api: is not a URL')
  })

  it('tells the accounts of the token', async () => {
    api.accounts = ['a', 'b']
    expect(await client().accounts()).toEqual(['a', 'b'])
  })
})

describe('openRemoteStore', () => {
  beforeEach(() => {
    vi.stubEnv('LIST_KEY', 'ab'.repeat(32))
    vi.stubEnv('CLOUDFLARE_API_BASE_URL', api.baseUrl)
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'token')
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'account')
  })

  afterEach(() => {
    vi.unstubAllEnvs()
  })

  const BINDING = '[[kv_namespaces]]\nbinding = "HASH_LISTS"\nid = "namespace"\n'

  /** Opens the store with such a configuration of wrangler. */
  async function openWith(settings: string) {
    const config = join(folder, 'wrangler.toml')
    const basics = 'name = "x"\nmain = "x.js"\ncompatibility_date = "2026-10-20"\n'
    await writeFile(config, basics + settings)
    const { store } = await openRemoteStore({ config })
    return store
  }

  it('publishes a list, and reads back what it wrote', async () => {
    const store = await openWith(BINDING)
    await expect(readManifest(store)).rejects.toMatchObject({ code: 'list-missing' })
    const entries = randomEntries(1500, 1)
    const { manifest, added } = await publishBank(store, entries, { bank: 'csam' })
    expect(added).toBe(1500)
    expect(await readManifest(store)).toEqual(manifest)
    const ref = manifest.banks[0]!.segments[0]!
    expect((await readPart(store, ref, 0)).heads.length).toBeGreaterThan(0)
    const ids = new Set(entries.map(({ id }) => id))
    expect(ids).toContain((await readDetails(store, ref, 1)).all().at(-1)?.id)
    const folders = [...api.values.keys()].toSorted().map((key) => key.split('/')[0])
    expect(folders).toEqual([
      ...['detail', 'detail', 'digests', 'history', 'manifest', 'segment'],
      ...Array.from({ length: 6 }, () => 'tail'),
    ])
    const writes = api.requests.filter((request) => request.startsWith('PUT'))
    expect(writes).toHaveLength(3) // the segment, the manifest, and that in the history
    expect(writes[0]).toMatch(/bulk 10$/)
  })

  it('seals what it writes, also the keys that are the same for all', async () => {
    const store = await openWith(BINDING)
    await store.put('manifest', new TextEncoder().encode('plain text'))
    expect(api.values.get('manifest')?.toString('latin1')).toMatch(/^HGSEAL01(?!.*plain text)/s)
  })

  it('refuses to open without LIST_KEY', async () => {
    vi.stubEnv('LIST_KEY', '')
    await expect(openWith(BINDING)).rejects.toMatchObject({ code: 'bad-list-key' })
  })

  it('uses the namespace of the binding among others', async () => {
    const other = '[[kv_namespaces]]\nbinding = "OTHER"\nid = "other"\n'
    const store = await openWith(other + BINDING)
    expect(await store.get('manifest')).toBeUndefined()
  })

  it('says that the configuration has no such namespace, no id of it, or cannot be read', async () => {
    const missing = { code: 'wrangler', message: expect.stringContaining('no KV namespace') }
    await expect(openWith('')).rejects.toMatchObject(missing)
    const noId = { code: 'wrangler', message: expect.stringContaining('has no id for') }
    await expect(openWith(BINDING.replace(/id.*\n/, ''))).rejects.toMatchObject(noId)
    const unread = { code: 'wrangler', message: expect.stringContaining('cannot be read') }
    await expect(openWith('"')).rejects.toMatchObject(unread)
    const config = join(folder, 'none.toml')
    await expect(openRemoteStore({ config })).rejects.toMatchObject(unread)
    expect(api.requests).toEqual([])
  })

  it('does not start wrangler where CLOUDFLARE_API_TOKEN is set', async () => {
    vi.stubEnv('PATH', join(folder, 'nothing'))
    expect(await (await openWith(BINDING)).get('manifest')).toBeUndefined()
    vi.stubEnv('CLOUDFLARE_API_TOKEN', '')
    await expect(openWith(BINDING)).rejects.toThrow('wrangler auth token failed: npx')
  })

  it('takes the account of the environment, else of the configuration, else the only one', async () => {
    api.accounts = ['first', 'second']
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'second')
    const settings = `account_id = "first"\n${BINDING}`
    expect(await accountOf(await openWith(settings))).toBe('second')
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '')
    expect(await accountOf(await openWith(settings))).toBe('first')
    expect(api.requests).not.toContain('GET accounts')
    api.accounts = ['only']
    expect(await accountOf(await openWith(BINDING))).toBe('only')
  })

  /** The account that a store asks. */
  async function accountOf(store: { get: (key: string) => Promise<unknown> }) {
    await store.get('manifest')
    return api.requests.at(-1)?.split('/')[1]
  }

  it('asks for CLOUDFLARE_ACCOUNT_ID where there is no account, or several', async () => {
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', '')
    for (const accounts of [[], ['first', 'second']]) {
      api.accounts = accounts
      await expect(openWith(BINDING)).rejects.toMatchObject({
        code: 'wrangler',
        message: expect.stringContaining('CLOUDFLARE_ACCOUNT_ID'),
      })
    }
  })

  it('says what Cloudflare said when it may not', async () => {
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'wrong')
    const store = await openWith(BINDING)
    await expect(readManifest(store)).rejects.toMatchObject({
      code: 'cloudflare',
      message: expect.stringContaining('403'),
    })
  })

  describe('without CLOUDFLARE_API_TOKEN', () => {
    /** A home in which wrangler is logged in, as it keeps that. */
    async function logIn(login: string): Promise<void> {
      const home = await mkdtemp(join(folder, 'home-'))
      await mkdir(join(home, '.wrangler', 'config'), { recursive: true })
      await writeFile(join(home, '.wrangler', 'config', 'default.toml'), login)
      for (const name of ['HOME', 'XDG_CONFIG_HOME']) vi.stubEnv(name, home)
    }

    beforeEach(() => {
      for (const name of ['TOKEN', 'KEY', 'EMAIL']) vi.stubEnv(`CLOUDFLARE_API_${name}`, undefined)
      vi.stubEnv('WRANGLER_SEND_METRICS', 'false')
    })

    it("uses wrangler's login, whatever wrangler logs", async () => {
      await logIn('oauth_token = "token"\nexpiration_time = "2999-01-01T00:00:00.000Z"\n')
      for (const level of ['debug', 'none']) {
        vi.stubEnv('WRANGLER_LOG', level)
        expect(await (await openWith(BINDING)).get('manifest')).toBeUndefined()
      }
    })

    it('says what wrangler said when there is no login', async () => {
      await logIn('')
      await expect(openWith(BINDING)).rejects.toMatchObject({
        code: 'wrangler',
        message: expect.stringContaining('wrangler login'),
      })
    })

    it('asks for a token where the login is a global API key', async () => {
      await logIn('')
      vi.stubEnv('CLOUDFLARE_API_KEY', 'key')
      vi.stubEnv('CLOUDFLARE_EMAIL', 'somebody@example.com')
      const problem = await openWith(BINDING).catch((error: Error) => error.message)
      expect(problem).toBe('wrangler auth token has no token; set CLOUDFLARE_API_TOKEN')
    })

    it('repeats nothing that wrangler printed before it failed', async () => {
      const npx = join(folder, 'npx')
      await writeFile(npx, '#!/bin/sh\necho secret\necho broken >&2\nexit 3\n')
      await chmod(npx, 0o755)
      vi.stubEnv('PATH', folder)
      const error: unknown = await openWith(BINDING).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ message: 'wrangler auth token failed: broken' })
      expect(error).not.toHaveProperty('cause')
    })
  })
})
