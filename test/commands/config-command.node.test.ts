import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type ConfigOptions, showConfig } from '../../src/commands/config-command.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-config-'))
})

afterAll(() => rm(folder, { recursive: true }))

const HEAD = `name = "gate"
main = "worker.ts"
compatibility_date = "2026-10-20"
kv_namespaces = [{ binding = "HASH_LISTS", id = "lists" }]
`

const QUARANTINE = '[[r2_buckets]]\nbinding = "QUARANTINE"\nbucket_name = "kept"\n'
const CRON = '[triggers]\ncrons = ["17 * * * *"]\n'
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

/** The command, without starting a process and loading wrangler anew. */
async function run(options: ConfigOptions) {
  const said = { out: '', err: '' }
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void (said.out += `${line}\n`))
  const error = vi
    .spyOn(console, 'error')
    .mockImplementation((line) => void (said.err += `${line}\n`))
  try {
    return { ok: await showConfig(options), ...said }
  } finally {
    log.mockRestore()
    error.mockRestore()
  }
}

/** Runs the command with a configuration that has these lines. */
async function config(lines: string, options: ConfigOptions = {}, head = HEAD) {
  const file = join(folder, 'wrangler.toml')
  await writeFile(file, head + lines)
  return run({ config: file, ...options })
}

describe('hashgate config', () => {
  it('prints what is set, and the defaults of what is not', async () => {
    const { ok, out } = await config(
      '[vars]\nORIGIN_URL = "https://origin.example"\nHASHGATE = { body = { maxFiles = 7 }, scan = { probes = "plain" } }\n',
    )
    expect(ok).toBe(true)
    expect(out).toMatch(/^body\.maxFiles +7$/m)
    expect(out).toMatch(/^scan\.probes +plain$/m)
    expect(out).toMatch(/^policy\.onFailed +refuse \(default\)$/m)
    expect(out).toMatch(/^ORIGIN_URL +https:\/\/origin.example\/$/m)
    expect(out).toMatch(/^secrets that it needs: LIST_KEY$/m)
    expect(out).toMatch(/^HASHGATE has 49 of 5120 bytes$/m)
  })

  it('says what a preset sets', async () => {
    const { out } = await config(
      `[vars]\nHASHGATE = '{"preset":"strict","scan":{"probes":"plain"}}'\n`,
    )
    expect(out).toMatch(/^scan\.probes +plain$/m)
    expect(out).toMatch(/^policy\.onUnscannable +refuse \(preset\)$/m)
  })

  it('prints a preset without any configuration', async () => {
    const { ok, out } = await run({ preset: 'photos' })
    expect(ok).toBe(true)
    expect(out).toMatch(/^policy\.onUnscannable +refuse \(preset\)$/m)
    expect(out).toMatch(/^body\.maxFiles +20 \(preset\)$/m)
  })

  it('prints JSON that is a HASHGATE again', async () => {
    const vars =
      '[vars.HASHGATE.policy.banks.csam]\nharm = "csam"\n[[vars.HASHGATE.policy.routes]]\npaths = ["/a/*"]\norigin = "https://media.example"\nmode = "shadow"\n'
    const { out } = await config(vars, { json: true })
    const { HASHGATE, secrets } = JSON.parse(out) as { HASHGATE: object; secrets: string[] }
    expect(secrets).toEqual(['LIST_KEY'])
    expect(HASHGATE).toMatchObject({
      policy: {
        mode: 'enforce',
        banks: { csam: { harm: 'csam', action: 'block', enabled: true } },
        routes: [{ paths: ['/a/*'], origin: 'https://media.example', mode: 'shadow' }],
      },
    })
    expect((await config(vars)).out).toMatch(/^policy\.routes .*"origin":"https:..media\.example"/m)
    const again = await config(`[vars]\nHASHGATE = '${JSON.stringify(HASHGATE)}'\n`, { json: true })
    expect(JSON.parse(again.out)).toMatchObject({ HASHGATE })
  })

  it('reads a named environment, which inherits nothing', async () => {
    const lines = `[vars]\nHASHGATE = { preset = "photos" }\n[env.staging]\nkv_namespaces = [{ binding = "HASH_LISTS", id = "x" }]\n[env.staging.vars]\nHASHGATE = { preset = "strict" }\n[env.bare]\n`
    expect((await config(lines)).out).toMatch(/^preset +photos$/m)
    expect((await config(lines, { env: 'staging' })).out).toMatch(/^preset +strict$/m)
    const { ok, err } = await config(lines, { env: 'bare' })
    expect(ok).toBe(false)
    expect(err).toContain('the Worker needs the binding HASH_LISTS, a KV namespace')
  })

  it('reads wrangler.jsonc', async () => {
    const file = join(folder, 'wrangler.jsonc')
    await writeFile(
      file,
      `{ "name": "gate", "main": "worker.ts", "compatibility_date": "2026-10-20", // a comment
        "kv_namespaces": [{ "binding": "HASH_LISTS", "id": "lists" }],
        "vars": { "HASHGATE": { "preset": "files" } } }`,
    )
    const { ok, out } = await run({ config: file })
    expect(ok).toBe(true)
    expect(out).toMatch(/^preset +files$/m)
  })

  it.each([
    [
      '[vars.HASHGATE.policy.banks.csam]\naction = "blokc"\n',
      'HASHGATE.policy.banks.csam.action must be block or quarantine or flag; did you mean block?',
    ],
    ['[vars]\nHASHGTE = {}\n', 'did you mean HASHGATE?'],
    ['[vars]\nHASHGATE = "{"\n', 'HASHGATE must be a table, or JSON'],
    ['[vars]\nLIST_KEY = "00"\n', 'LIST_KEY is a secret and must not be a variable'],
    [
      '[[r2_buckets]]\nbinding = "HASH_LIST"\nbucket_name = "bucket"\n',
      'HASH_LIST is not a name that hashgate reads; did you mean HASH_LISTS?',
    ],
    ['[ai]\nbinding = "IMAGE"\n', 'IMAGE is not a name that hashgate reads; did you mean IMAGES?'],
    [
      '[[d1_databases]]\nbinding = "UPLOAD"\ndatabase_name = "a"\ndatabase_id = "b"\n',
      'did you mean UPLOADS?',
    ],
    [
      '[secrets]\nrequired = ["LIST_KEY", "API_KEY"]\n',
      'API_KEY is not a name that hashgate reads; did you mean API_KEYS?',
    ],
    ['[vars]\nHASHGATE = { events = { sinks = ["queue"] } }\n', 'needs the binding EVENT_QUEUE'],
    [
      '[[queues.producers]]\nbinding = "EVENT_QUEUE"\nqueue = "a"\n[vars]\nHASHGATE = { events = { sinks = ["queue"], webhook = { url = "https://h.example/" } } }\n',
      'events.webhook.url needs a consumer of the queue',
    ],
    [
      `${QUARANTINE}[vars]\nHASHGATE = { quarantine = { recipients = ["${RECIPIENT}"] } }\n`,
      'QUARANTINE needs a schedule',
    ],
    [
      '[vars]\nHASHGATE = { remote = { banks = { arachnid = { service = "arachnid", user = "us", onFailed = "allow" } } } }\n',
      'remote.banks.arachnid.onFailed with allow needs a schedule',
    ],
    [`${QUARANTINE}${CRON}`, 'QUARANTINE needs quarantine.recipients'],
    [
      '[[kv_namespaces]]\nbinding = "STAGING"\nid = "x"\n[vars]\nHASHGATE = { tus = { path = "/files" } }\n',
      'STAGING must be an R2 bucket, not a KV namespace',
    ],
    [
      '[[durable_objects.bindings]]\nname = "LIST_SHARDS"\nclass_name = "FloodCounter"\n',
      'LIST_SHARDS must be a Durable Object namespace of class ListShard, not a Durable Object namespace of class FloodCounter',
    ],
    ['[secrets]\nrequired = ["TICKET_KEY"]\n', 'the Worker needs the secret LIST_KEY'],
    ['[secrets]\nrequired = ["LIST_KEY", "TICKET_KEY"]\n', 'TICKET_KEY needs the binding OBJECTS'],
    [
      '[vars]\nHASHGATE = { health = { path = "/status" }, api = { access = { teamDomain = "a.example", audience = ["b"] } } }\n',
      'health.path is a path of the API',
    ],
  ])('finds what would stop the Worker: %j', async (lines, message) => {
    const head = lines.startsWith('[[kv')
      ? HEAD.replace(/kv_.*\n/, '') + '[[kv_namespaces]]\nbinding = "HASH_LISTS"\nid = "lists"\n'
      : HEAD
    const { ok, err } = await config(lines, {}, head)
    expect(err).toContain(message)
    expect(ok).toBe(false)
  })

  it('finds what is missing besides unreadable settings', async () => {
    const head = HEAD.replace(/kv_.*\n/, '')
    const lines = '[secrets]\nrequired = ["TICKET_KEY"]\n[vars]\nHASHGATE = { polcy = {} }\n'
    const { ok, err } = await config(lines, {}, head)
    expect(ok).toBe(false)
    for (const found of ['polcy', 'binding HASH_LISTS', 'secret LIST_KEY', 'binding OBJECTS'])
      expect(err).toContain(found)
  })

  it('accepts a complete setup', async () => {
    const { ok, err } = await config(
      `${QUARANTINE}${CRON}[vars]\nHASHGATE = { quarantine = { recipients = ["${RECIPIENT}"] } }\n`,
    )
    expect([ok, err]).toEqual([true, ''])
  })

  it('counts the bytes of HASHGATE, and fails where Cloudflare would', async () => {
    const exempt = (bytes: number) => {
      const rest = bytes - JSON.stringify({ policy: { exempt: ['csam/'] } }).length
      return `[vars]\nHASHGATE = { policy = { exempt = ["csam/${'x'.repeat(rest)}"] } }\n`
    }
    const most = await config(exempt(5120))
    expect([most.ok, most.out.includes('HASHGATE has 5120 of 5120 bytes')]).toEqual([true, true])
    const over = await config(exempt(5121))
    expect(over.ok).toBe(false)
    expect(over.err).toContain('HASHGATE has 5121 bytes, and Cloudflare allows 5120')
  })

  it('asks Cloudflare for the names of secrets', async () => {
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.url)
      response.end(JSON.stringify({ success: true, result: [{ name: 'OTHER' }] }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'token')
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'account')
    vi.stubEnv('CLOUDFLARE_API_BASE_URL', `http://127.0.0.1:${port}`)
    const { ok, err } = await config('', { remote: true })
    vi.unstubAllEnvs()
    server.close()
    expect(asked).toEqual(['/accounts/account/workers/scripts/gate/secrets'])
    expect(ok).toBe(false)
    expect(err).toContain('the Worker needs the secret LIST_KEY')
  })

  it('fails as a command', async () => {
    const file = join(folder, 'wrong.toml')
    await writeFile(file, `${HEAD}[vars]\nHASHGATE = { polcy = {} }\n`)
    const command = ['dist/cli.js', 'config', '--config', file]
    await expect(promisify(execFile)(process.execPath, command)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'hashgate: HASHGATE.polcy is not a setting; did you mean',
      ) as string,
    })
  })
})
