import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter, Encrypter } from 'age-encryption'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { unpackTar } from 'modern-tar'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { R2Api } from '../support/r2-api.ts'
import { randomBytes } from '../support/random.ts'
import { bundleWorker, workerFrom } from '../support/workerd.ts'

const WORKER = await bundleWorker(new URL('../support/quarantine-worker.ts', import.meta.url))
const BUCKET = 'hashgate-test-quarantine'
const CASE = '01234567-89ab-4cde-8f01-23456789abcd'

let folder: string
let api: R2Api
let recipient: string
let identity: string

interface Run {
  code: number
  out: string
  err: string
}

interface Stored {
  caseId: string
  key: string
  kept: boolean
  bytes: number
}

const path = (name: string) => join(folder, name)

/** Runs the command as it is installed: built, by this Node. */
function hashgate(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      CLOUDFLARE_API_BASE_URL: api.baseUrl,
      CLOUDFLARE_API_TOKEN: 'token',
      CLOUDFLARE_ACCOUNT_ID: 'account',
    }
    execFile(process.execPath, ['dist/cli.js', 'quarantine', ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

const local = () => ['--config', path('wrangler.toml'), '--persist-to', path('state')]
const remote = () => ['--config', path('wrangler.toml'), '--remote']

/** Has workerd quarantine a body, in the bucket that `wrangler dev` has on this machine. */
async function store(
  bodies: readonly Uint8Array<ArrayBuffer>[],
  contentType = 'image/jpeg',
): Promise<Stored[]> {
  const text = (value: string) => ({ type: 'text', value }) as const
  const worker = workerFrom('quarantine', WORKER, {
    QUARANTINE: { type: 'r2', name: BUCKET },
    HASHGATE: text(JSON.stringify({ quarantine: { recipients: [recipient], days: 90 } })),
  })
  const miniflare = new Miniflare({
    log: new Log(LogLevel.NONE),
    resourcePersistencePath: path('state/v3'),
    workers: [worker],
  })
  try {
    const url = new URL('/albums/1', await miniflare.unsafeGetDirectURL('quarantine'))
    const headers = { 'content-type': contentType }
    const sent = bodies.map((body) => fetch(url, { method: 'POST', body, headers }))
    return await Promise.all(
      (await Promise.all(sent)).map(async (response) => (await response.json()) as Stored),
    )
  } finally {
    await miniflare.dispose()
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-test-'))
  api = await R2Api.start(BUCKET)
  const { out } = await hashgate('keygen', '--out', path('identity.txt'))
  recipient = out.trim()
  identity = await readFile(path('identity.txt'), 'utf8')
  await hashgate('keygen', '--out', path('other.txt'))
  const settings = [
    'name = "x"',
    'main = "x.js"',
    'compatibility_date = "2026-10-20"',
    '[[r2_buckets]]',
    'binding = "QUARANTINE"',
    `bucket_name = "${BUCKET}"`,
  ]
  await writeFile(path('wrangler.toml'), settings.join('\n'))
  await writeFile(path('without.toml'), settings.slice(0, 3).join('\n'))
})

beforeEach(() => api.reset())

afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true })
})

describe('hashgate quarantine keygen', () => {
  it('prints an identity as age-keygen does', async () => {
    const { code, out } = await hashgate('keygen')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^# created: 20\S+Z\n# public key: age1[a-z0-9]{58}\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n$/,
    )
    expect((await hashgate('keygen')).out).not.toBe(out)
  })

  it('writes it to a new file for its owner alone, and prints the recipient', async () => {
    expect(recipient).toMatch(/^age1[a-z0-9]{58}$/)
    expect(identity).toContain(`# public key: ${recipient}\n`)
    expect((await stat(path('identity.txt'))).mode & 0o777).toBe(0o600)
    const again = await hashgate('keygen', '--out', path('identity.txt'))
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('it already exists')])
    expect(await readFile(path('identity.txt'), 'utf8')).toBe(identity)
  })
})

describe('what workerd quarantines on this machine', () => {
  const bodies = [randomBytes(200_000, 1), randomBytes(10, 2), new Uint8Array(0)]
  let stored: Stored[]

  beforeAll(async () => {
    stored = await store(bodies)
  })

  it('is listed, without a word of what is in it', async () => {
    const { code, out } = await hashgate('list', ...local())
    expect(code).toBe(0)
    const [head, ...lines] = out.trim().split('\n')
    expect(head).toBe('case,stored,expires,bytes')
    const expected = stored.toSorted((a, b) => (a.caseId < b.caseId ? -1 : 1))
    expect(lines.toSorted()).toEqual(
      expected.map(({ caseId, bytes }) =>
        expect.stringMatching(new RegExp(`^${caseId},20\\d\\d-\\d\\d-\\d\\d,20[^,]+Z,${bytes}$`)),
      ),
    )
  })

  it('is opened with the identity, byte for byte', async () => {
    for (const [i, { caseId }] of stored.entries()) {
      const out = path(`out-${i}`)
      const args = [caseId, '--identity', path('identity.txt'), '--out', out]
      const opened = await hashgate('open', ...args, ...local())
      expect(opened).toMatchObject({ code: 0 })
      expect(new Uint8Array(await readFile(out))).toEqual(bodies[i])
      expect((await stat(out)).mode & 0o777).toBe(0o600)
      expect(JSON.parse(opened.out)).toMatchObject({
        caseId,
        method: 'POST',
        path: '/albums/1',
        contentType: 'image/jpeg',
        bytes: bodies[i]!.length,
        files: [{ matches: [{ bank: 'csam', entry: 'entry-1', distance: 3 }] }],
      })
    }
  })

  it('overwrites no file', async () => {
    await writeFile(path('taken'), 'mine')
    const args = ['--identity', path('identity.txt'), '--out', path('taken'), ...local()]
    const { code, out, err } = await hashgate('open', stored[0]!.caseId, ...args)
    expect([code, out, err]).toEqual([1, '', expect.stringContaining('it already exists')])
    expect(await readFile(path('taken'), 'utf8')).toBe('mine')
  })

  it('is not opened with another identity, and no file is left', async () => {
    const { caseId, key } = stored[0]!
    const out = path('nothing')
    const args = [caseId, '--identity', path('other.txt'), '--out', out, ...local()]
    const { code, out: told, err } = await hashgate('open', ...args)
    expect([code, told]).toEqual([1, ''])
    expect(err).toBe(`hashgate: ${key} was not sealed to this identity\n`)
    await expect(stat(out)).rejects.toThrow('ENOENT')
  })

  it('does not repeat a file that is no identity', async () => {
    const { caseId } = stored[0]!
    await writeFile(path('bad.txt'), identity.slice(0, -3))
    await writeFile(path('empty.txt'), '# nothing\n')
    const open = (file: string) =>
      hashgate('open', caseId, '--identity', path(file), '--out', path('nothing'), ...local())
    expect(await open('bad.txt')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^hashgate: line 3 of the identity file is not an AGE-SECRET-KEY-…/,
      ),
    })
    expect((await open('bad.txt')).err).not.toContain(identity.slice(-40, -10))
    expect((await open('empty.txt')).err).toContain('the file contains no age identity')
    expect((await open('missing.txt')).err).toContain('there is no such file')
  })

  it('keeps a terminal from obeying what an uploader wrote', async () => {
    const [one] = await store([randomBytes(1, 1)], 'a/b;\u00c2\u009b31m')
    const out = path('terminal')
    const args = [one!.caseId, '--identity', path('identity.txt'), '--out', out, ...local()]
    const opened = await hashgate('open', ...args)
    expect(opened.code).toBe(0)
    // oxlint-disable-next-line no-control-regex
    expect(opened.out).not.toMatch(/[\u0000-\u0009\u007f-\u009f]/)
    expect(opened.out).toContain(String.raw`\u009b31m`)
  })

  it('is opened by age and tar', async (context) => {
    const found = spawnSync('age', ['--version']).status === 0
    if (!found) context.skip('there is no age on this machine')
    const [sealed] = await sealedLocally(stored[0]!.key)
    await writeFile(path('sealed.age'), sealed!)
    const command = `age --decrypt -i "$1" "$2" | tar --extract -C "$3"`
    const names = ['identity.txt', 'sealed.age', '.'].map(path)
    const run = spawnSync('sh', ['-c', command, 'sh', ...names], { encoding: 'utf8' })
    expect([run.status, run.stderr]).toEqual([0, ''])
    expect(new Uint8Array(await readFile(path('body')))).toEqual(bodies[0])
    expect((await stat(path('body'))).mode & 0o777).toBe(0o600)
    const event = JSON.parse(await readFile(path('event.json'), 'utf8')) as object
    expect(event).toMatchObject({ caseId: stored[0]!.caseId, bytes: 200_000 })
  })

  it('is opened by the library in Node', async () => {
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity.trim().split('\n').at(-1))
    const [sealed] = await sealedLocally(stored[1]!.key)
    const files = await unpackTar(await decrypter.decrypt(sealed!))
    expect(files.map(({ header }) => header.name)).toEqual(['event.json', 'body'])
    expect(files[1]?.data).toEqual(bodies[1])
  })

  it('is reported as missing or deleted, by case', async () => {
    const { caseId } = stored[1]!
    const deleted = await hashgate('delete', caseId, ...local())
    expect(deleted).toMatchObject({ code: 0, out: `deleted the copy of case ${caseId}\n` })
    const identityFile = ['--identity', path('identity.txt')]
    for (const args of [
      ['delete', caseId],
      ['open', caseId, ...identityFile],
      ['delete', CASE],
    ]) {
      const { code, err } = await hashgate(...args, ...local())
      expect(code).toBe(1)
      expect(err).toContain(`the quarantine has no object for case ${args[1]}`)
    }
    const { out } = await hashgate('list', ...local())
    expect(out).not.toContain(caseId)
    expect(out).toContain(stored[0]!.caseId)
  })
})

describe('the quarantine at Cloudflare', () => {
  const body = randomBytes(100_000, 3)

  /** Puts objects there that were sealed on this machine. */
  async function upload(count: number): Promise<Stored[]> {
    const stored = await store(Array.from({ length: count }, () => body))
    const sealed = await sealedLocally(...stored.map(({ key }) => key))
    for (const [i, { key, caseId }] of stored.entries()) {
      const metadata = { case: caseId, expires: '2027-01-01T00:00:00.000Z', format: '1' }
      api.objects.set(key, { bytes: Buffer.from(sealed[i]!), metadata })
    }
    return stored
  }

  it('is listed page by page, opened and deleted', async () => {
    const stored = await upload(5)
    api.objects.set('of-somebody-else', { bytes: Buffer.from('x'), metadata: {} })
    const listed = await hashgate('list', ...remote())
    expect(listed.code).toBe(0)
    expect(listed.out.trim().split('\n')).toHaveLength(6)
    for (const { caseId } of stored) expect(listed.out).toContain(caseId)
    expect(listed.err).toContain('1 objects that do not belong to the quarantine')
    const { caseId, key } = stored[4]!
    const out = path('remote')
    const identityFile = ['--identity', path('identity.txt')]
    const opened = await hashgate('open', caseId, ...identityFile, '--out', out, ...remote())
    expect(opened).toMatchObject({ code: 0 })
    expect(new Uint8Array(await readFile(out))).toEqual(body)
    expect(await hashgate('delete', caseId, ...remote())).toMatchObject({ code: 0 })
    expect([...api.objects.keys()]).not.toContain(key)
    expect(api.objects.size).toBe(5)
  })

  it('reports objects that were changed, truncated or swapped', async () => {
    const [one, other] = await upload(2)
    const open = async () => {
      const args = [one!.caseId, '--identity', path('identity.txt'), '--out', path('damaged')]
      const { code, err } = await hashgate('open', ...args, ...remote())
      await expect(stat(path('damaged'))).rejects.toThrow('ENOENT')
      return [code, err]
    }
    const { bytes } = api.objects.get(one!.key)!
    const put = (changed: Buffer) => (api.objects.get(one!.key)!.bytes = changed)
    const damaged = `hashgate: ${one!.key} does not match its seal: it was changed, or truncated\n`
    const changed = Buffer.from(bytes)
    changed[70_000]! ^= 1
    put(changed)
    expect(await open()).toEqual([1, damaged])
    put(bytes.subarray(0, -100))
    expect(await open()).toEqual([1, damaged])
    put(Buffer.from('no age file'))
    expect(await open()).toEqual([1, damaged])
    put(api.objects.get(other!.key)!.bytes)
    expect(await open()).toEqual([1, `hashgate: ${one!.key} was sealed for another case\n`])
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    put(Buffer.from(await encrypter.encrypt('no TAR')))
    expect((await open())[0]).toBe(1)
  })

  it('tells what the API says', async () => {
    const wrong = await hashgate('list', '--config', path('without.toml'), '--remote')
    expect([wrong.code, wrong.err]).toEqual([
      1,
      expect.stringContaining('has no R2 bucket with the binding QUARANTINE'),
    ])
    api.bucket = 'another'
    const { code, err } = await hashgate('list', ...remote())
    expect([code, err]).toEqual([1, expect.stringContaining('bucket does not exist')])
  })

  it('refuses an invalid case', async () => {
    for (const bad of ['../x', CASE.toUpperCase(), 'x']) {
      expect(await hashgate('delete', bad, ...remote())).toMatchObject({ code: 2 })
    }
    expect(api.requests).toEqual([])
  })
})

/** What lies in the local bucket under some keys. */
async function sealedLocally(...keys: string[]): Promise<Uint8Array[]> {
  const { getPlatformProxy } = await import('wrangler')
  const proxy = await getPlatformProxy<{
    QUARANTINE: { get: (name: string) => Promise<{ arrayBuffer: () => Promise<ArrayBuffer> }> }
  }>({
    configPath: path('wrangler.toml'),
    persist: { path: path('state/v3') },
    remoteBindings: false,
  })
  try {
    return await Promise.all(
      keys.map(async (key) => {
        return new Uint8Array(await (await proxy.env.QUARANTINE.get(key)).arrayBuffer())
      }),
    )
  } finally {
    await proxy.dispose()
  }
}
