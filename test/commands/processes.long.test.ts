// Commands that work with others, as processes: a folder of `hashgate init --service`, a feed, a file that is imported, and
// opinions, against what `wrangler` keeps on this machine and `hashgate dev exchange`.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressOf, endGroup } from '../../src/commands/child-server.ts'
import { startLocalWorker } from '../../src/commands/doctor/local-worker.ts'
import { readRaw } from '../../src/commands/init/wrangler-file.ts'
import { FAKE_SECRET, FAKE_USER } from '../../src/desk/fake/state.ts'
import { readFeed } from '../../src/list/feed.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = join(ROOT, 'dist/cli.js')
const KNOWN = join(ROOT, 'examples/known.jpg')

let folder: string
let exchange: ChildProcess
let base: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-processes-'))
  const { CLOUDFLARE_API_TOKEN: _, ...rest } = process.env
  env = {
    ...rest,
    ...{ HOME: folder, XDG_CONFIG_HOME: folder, WRANGLER_SEND_METRICS: 'false' },
    ...{ LIST_KEY: 'ab'.repeat(32), DESK_KEY: 'cd'.repeat(32), NCMEC_PASSWORD: FAKE_SECRET },
  }
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules/hashgate'))
  for (const name of ['hono', 'wrangler']) {
    await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  exchange = spawn(process.execPath, [CLI, 'dev', 'exchange'], { env, detached: true })
  base = (await addressOf(exchange, /exchange server at (http:\/\/[\d.:]+),/)) ?? 'no server'
  await writeFile(join(folder, 'wrangler.desk.toml'), deskConfig())
})

afterAll(async () => {
  await endGroup(exchange)
  await rm(folder, { recursive: true, maxRetries: 5 })
})

const deskConfig = () => `name = "desk"
compatibility_date = "2026-10-20"
kv_namespaces = [{ binding = "HASH_LISTS" }]
d1_databases = [{ binding = "LEDGER", database_name = "ledger" }]
[vars.DESK.exchanges.ncmec]
kind = "ncmec"
base = "${base}/ncmec"
user = "${FAKE_USER}"
bank = "csam"
feedback = "send"
[vars.DESK.exchanges.vic]
kind = "vics"
bank = "vic"
categories = { 1 = "A", 2 = "B" }
`

/** Runs the command line as a process. Returns its exit code and what it printed. */
async function hashgate(...args: string[]) {
  try {
    const options = { cwd: folder, env }
    return { code: 0, ...(await promisify(execFile)(process.execPath, [CLI, ...args], options)) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

/** Runs a command that prints one JSON object. */
async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await hashgate(...args, '--json')
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout)
}

describe('hashgate init --service', () => {
  it('makes a folder that has no list, whose settings are right and whose Worker refuses', async () => {
    env['ARACHNID_PASSWORD'] = 'a password'
    const options = ['--service', 'arachnid', '--user', 'us', '--yes']
    const made = await hashgate('init', 'day-one', ...options)
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(join(folder, 'day-one/.dev.vars'), 'utf8')).toContain(
      'ARACHNID_PASSWORD=a password\n',
    )
    const config = ['--config', 'day-one/wrangler.jsonc']
    expect(await hashgate('config', ...config)).toMatchObject({ code: 0, stderr: '' })
    const { ok, checks } = (await json('doctor', ...config)) as { ok: boolean; checks: object[] }
    expect({ ok, checks }).toMatchObject({ ok: true })
    expect(checks).toContainEqual(
      expect.objectContaining({ state: 'ok', check: 'a known picture is refused' }),
    )
  })
})

describe('the folder without a list', () => {
  it('runs, and refuses what the service knows and nothing else', async () => {
    const config = join(folder, 'day-one/wrangler.jsonc')
    const { HASHGATE: made } = (await readRaw(config))['vars'] as { HASHGATE: MadeSettings }
    const service = {
      ...made.remote.banks.arachnid,
      user: FAKE_USER,
      url: `${base}/shield/v1/pdq/`,
    }
    const settings = {
      ...made,
      policy: { ...made.policy, mode: 'enforce' },
      remote: { banks: { arachnid: service } },
    }
    const origin = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(201).end())
    })
    await once(origin.listen(0, '127.0.0.1'), 'listening')
    const worker = await startLocalWorker({
      config,
      persistTo: join(folder, 'day-one-state'),
      vars: {
        HASHGATE: JSON.stringify(settings),
        ARACHNID_PASSWORD: FAKE_SECRET,
        ORIGIN_URL: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
      },
    })
    try {
      const upload = async (file: string) =>
        (await fetch(`${worker.url}/a.jpg`, { method: 'PUT', body: await readFile(file) })).status
      expect(await upload(KNOWN)).toBe(451)
      expect(await upload(join(ROOT, 'examples/other.jpg'))).toBe(201)
    } finally {
      await worker.stop()
      origin.close()
    }
  })
})

interface MadeSettings {
  policy: object
  remote: { banks: { arachnid: object } }
}

describe('hashgate feed', () => {
  it('publishes an own bank, signed by the key that it made', async () => {
    const where = ['--config', 'wrangler.desk.toml']
    await hashgate('list', 'add', KNOWN, '--bank', 'own', ...where)
    const { stdout: publicKey } = await hashgate('feed', 'key', '--out', 'feed.key')
    const publish = ['feed', 'publish', 'own', '--key', 'feed.key', '--out', 'feed', ...where]
    expect(await hashgate(...publish)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('own: state 1, 2 entries; 2 new, 0 withdrawn'),
    })
    const bytes = await readFile(join(folder, 'feed/feed.ndjson'))
    const key = new Uint8Array(Buffer.from(publicKey.trim(), 'hex'))
    const { header, changes } = await readFeed(new Uint8Array(bytes), key)
    expect(header).toMatchObject({ name: 'own', seq: 1 })
    expect(changes).toHaveLength(2) // PDQ and SHA-256
  })

  it('changes its key, and goes on with what it has published', async () => {
    const where = ['--config', 'wrangler.desk.toml']
    const { stdout: publicKey } = await hashgate('feed', 'key', '--out', 'new.key')
    const publish = ['feed', 'publish', 'own', '--key', 'new.key', '--out', 'feed', ...where]
    expect(await hashgate(...publish)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has an invalid signature'),
    })
    expect(await hashgate(...publish, '--old-key', 'feed.key')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('own: state 2, 2 entries; 0 new, 0 withdrawn'),
    })
    expect(await hashgate(...publish)).toMatchObject({ code: 0 })
    const bytes = await readFile(join(folder, 'feed/feed.ndjson'))
    const key = new Uint8Array(Buffer.from(publicKey.trim(), 'hex'))
    expect((await readFeed(new Uint8Array(bytes), key)).header).toMatchObject({ seq: 3 })
  })

  it('makes no key over one that is there', async () => {
    const { code, stderr } = await hashgate('feed', 'key', '--out', 'feed.key')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('feed.key') })
  })
})

describe('hashgate exchange', () => {
  it('imports a file of Project VIC into the ledger and the list', async () => {
    const value = [1, 2, 3].map((i) => ({
      MediaID: i,
      MD5: String(i).padStart(32, 'A'),
      Category: i,
    }))
    await writeFile(join(folder, 'vic.json'), JSON.stringify({ value }))
    expect(await json('exchange', 'import', 'vic', 'vic.json')).toMatchObject({
      state: 'complete',
      records: 2,
      added: 2,
    })
    const status = (await json('exchange', 'status')) as { sources: object[] }
    expect(status.sources).toContainEqual(
      expect.objectContaining({ name: 'vic', tally: expect.objectContaining({ records: 2 }) }),
    )
  })

  it.each([
    [['import', 'ncmec', 'vic.json'], 'which has no files; expected kind vics'],
    [['import', 'vic', 'nothing.json'], 'nothing.json: there is no such file'],
    [['feedback', 'ncmec', '42-1'], 'needs both an entry and --decision'],
  ])('says in a sentence what is wrong with %j', async (args, message) => {
    const { code, stderr } = await hashgate('exchange', ...args)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/\bE[A-Z]{4,}\b|^ +at /m)
  })

  it('keeps an opinion, shows it, and sends it to the provider once', async () => {
    const hashes = [{ kind: 'md5', value: '0f'.repeat(16) }]
    const body = JSON.stringify({ key: '42-1', hashes, tier: 'A1' })
    await fetch(`${base}/_clock`, { method: 'POST', body: '{"advanceMs":-120000}' })
    const put = await fetch(`${base}/_records/ncmec`, { method: 'POST', body })
    expect(put.status).toBe(204)
    await fetch(`${base}/_clock`, { method: 'POST', body: '{"advanceMs":120000}' })
    expect(await json('exchange', 'sync', 'ncmec')).toMatchObject({ records: 3, added: 3 })
    const opinion = ['42-1', '--decision', 'confirmed', '--kind', 'md5']
    expect(await json('exchange', 'feedback', 'ncmec', ...opinion)).toEqual({
      exchange: 'ncmec',
      entry: '42-1',
      decision: 'confirmed',
      state: 'waits',
    })
    expect(await json('exchange', 'feedback', 'ncmec', '--dry-run')).toMatchObject({
      sent: 0,
      waiting: [{ entry: '42-1', request: expect.stringMatching(/^PUT /) }],
    })
    const done = { exchange: 'ncmec', sent: 1, failed: 0, unaccepted: 0 }
    expect(await json('exchange', 'feedback', 'ncmec')).toEqual(done)
    expect(await json('exchange', 'feedback', 'ncmec')).toEqual({ ...done, sent: 0 })
  })
})
