import { createServer, type Server } from 'node:http'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { showConfig } from '../../src/commands/config-command.ts'
import { init, type InitOptions } from '../../src/commands/init/init-command.ts'
import { readWranglerConfig } from '../../src/commands/stores.ts'

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
const EVERYTHING = {
  ...{ route: 'files.example.com/*', zone: 'example.com', origin: 'https://origin.example.com' },
  ...{ action: 'quarantine', recipient: RECIPIENT, webhook: 'https://t.example/hook' },
  heic: 'images',
}

let folder: string
let said: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'hashgate-init-')), 'my-gate')
  said = ''
  vi.spyOn(console, 'log').mockImplementation((line) => void (said += `${line}\n`))
  // A login of the machine's must not be used.
  vi.stubEnv('CLOUDFLARE_API_TOKEN', '')
  vi.stubEnv('XDG_CONFIG_HOME', join(folder, '../home'))
  vi.stubEnv('HOME', join(folder, '../home'))
})

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(join(folder, '..'), { recursive: true })
})

const run = (options: InitOptions = {}) => init(folder, { yes: true, ...options })
const read = (name: string) => readFile(join(folder, name), 'utf8')
const files = async () =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(folder)).map(
        async (name) => [name, await read(name).catch(() => '')] as const,
      ),
    ),
  )

describe('hashgate init', () => {
  it.each(['jsonc', 'toml'])(
    'writes a wrangler.%s with everything that was asked for',
    async (format) => {
      await run({ ...EVERYTHING, format })
      const config = await readWranglerConfig({ config: join(folder, `wrangler.${format}`) })
      expect(config).toMatchObject({
        name: 'my-gate',
        workers_dev: false,
        routes: [{ pattern: 'files.example.com/*', zone_name: 'example.com' }],
        kv_namespaces: [{ binding: 'HASH_LISTS' }],
        r2_buckets: [{ binding: 'QUARANTINE', bucket_name: 'my-gate-quarantine' }],
        triggers: { crons: ['17 * * * *'] },
        images: { binding: 'IMAGES' },
        vars: { ORIGIN_URL: EVERYTHING.origin, HASHGATE: { policy: { mode: 'shadow' } } },
      })
      expect(config.queues.consumers).toHaveLength(1)
      vi.spyOn(console, 'error').mockImplementation((line) => void (said += `${line}\n`))
      expect(
        await showConfig({ config: join(folder, `wrangler.${format}`) }),
        `it said: ${said}`,
      ).toBe(true)
    },
  )

  it('writes secrets that only the owner may read, and that git ignores', async () => {
    await run(EVERYTHING)
    for (const name of ['.dev.vars', '.production.vars']) {
      expect(await read(name)).toMatch(/^LIST_KEY=[0-9a-f]{64}\nWEBHOOK_SECRET=whsec_\S+\n$/)
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
      expect(await read('.gitignore')).toContain(`${name}\n`)
    }
    expect(await read('.dev.vars')).not.toBe(await read('.production.vars'))
  })

  it('prints the commands that make what is missing, without a login', async () => {
    await run(EVERYTHING)
    for (const command of [
      'kv namespace create',
      'r2 bucket create',
      'queues create',
      'secret bulk',
    ])
      expect(said).toContain(`npx wrangler ${command}`)
  })

  it('changes nothing when it is run again', async () => {
    await run(EVERYTHING)
    const before = await files()
    await run(EVERYTHING)
    expect(await files()).toEqual(before)
    expect(said.match(/^kept /gm)).toHaveLength(7)
  })

  it('writes nothing in a dry run', async () => {
    await run({ dryRun: true })
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
    expect(said).toContain('would be new')
  })

  it.each(['jsonc', 'toml'])(
    'adds what a wrangler.%s lacks, and keeps what it has',
    async (format) => {
      await run({ format, mode: 'enforce' })
      const file = join(folder, `wrangler.${format}`)
      const comment = format === 'toml' ? '# ours\n' : '// ours\n'
      await writeFile(file, comment + (await readFile(file, 'utf8')))
      await writeFile(join(folder, '.dev.vars'), 'OTHER=1')
      await run({ ...EVERYTHING })
      const text = await readFile(file, 'utf8')
      expect(text).toContain(comment.trim())
      const sign = format === 'toml' ? '#' : '//'
      expect(text).toContain(`${sign} Keeps events until the webhook has taken them.\n`)
      expect(text).not.toContain('\t')
      const config = await readWranglerConfig({ config: file })
      expect(config.r2_buckets).toHaveLength(1)
      expect(config.queues.consumers).toHaveLength(1)
      expect(config.vars['HASHGATE']).toMatchObject({ policy: { mode: 'enforce' } })
      expect(said).toContain('"quarantine":{"recipients"')
      expect(await read('.dev.vars')).toMatch(/^OTHER=1\nLIST_KEY=/)
    },
  )

  it('says above each part that it adds to a configuration what the part is for', async () => {
    await run()
    const other = '{\n  "name": "x", // ours\n  "kv_namespaces": [{ "binding": "A" }],\n}\n'
    await writeFile(join(folder, 'wrangler.jsonc'), other)
    await run(EVERYTHING)
    const lines = (await read('wrangler.jsonc')).split('\n').map((line) => line.trim())
    const after = (comment: string) => lines.slice(lines.indexOf(comment) + 1).slice(0, 2)
    expect(lines).toContain('"name": "x", // ours')
    expect(after('// The hash lists, sealed with the secret LIST_KEY.')).toEqual([
      '{',
      '"binding": "HASH_LISTS"',
    ])
    expect(after('// Keeps the log, which has the events.')[0]).toBe('"observability": {')
    expect(after('// Keeps events until the webhook has taken them.')[0]).toBe('"queues": {')
  })

  it('makes a queue for a program that reads events, without a webhook', async () => {
    await run({ queue: true })
    const config = await readWranglerConfig({ config: join(folder, 'wrangler.jsonc') })
    expect(config.queues).toMatchObject({
      producers: [{ binding: 'EVENT_QUEUE', queue: 'my-gate-events' }],
    })
    expect(config.queues.consumers ?? []).toEqual([])
    expect(config.vars['HASHGATE']).toMatchObject({ events: { sinks: ['console', 'queue'] } })
    expect(said).toContain('queues create my-gate-events')
    expect(said).not.toContain('dead-events')
    vi.spyOn(console, 'error').mockImplementation((line) => void (said += `${line}\n`))
    const isRight = await showConfig({ config: join(folder, 'wrangler.jsonc') })
    expect(isRight, `it said: ${said}`).toBe(true)
  })

  it('keeps the dependencies of a package.json, and adds its own', async () => {
    await run()
    await writeFile(join(folder, 'package.json'), '{"name":"x","dependencies":{"left":"1.0.0"}}')
    await run()
    const { name, dependencies } = JSON.parse(await read('package.json')) as {
      name: string
      dependencies: Record<string, string>
    }
    expect(name).toBe('x')
    expect(Object.keys(dependencies)).toEqual(['hashgate', 'hono', 'left'])
  })

  it('adds to an older index.ts the exports that it lacks, and keeps its code', async () => {
    await run()
    const older = `import { gate } from './ours'\nexport { FloodCounter } from 'hashgate/worker'\nexport default gate\n`
    await writeFile(join(folder, 'index.ts'), older)
    await run()
    const added = `export { ListPin, ListShard, StagedUpload, TicketUse } from 'hashgate/worker'\n`
    expect(await read('index.ts')).toBe(older + added)
    await run()
    expect(await read('index.ts')).toBe(older + added)
  })

  it('names libheif where it is to decode HEIC, and no Images binding', async () => {
    await run({ heic: 'libheif' })
    expect(await read('index.ts')).toContain("from 'hashgate/heic'")
    expect(JSON.parse(await read('package.json'))).toMatchObject({
      dependencies: { 'libheif-js': expect.stringMatching(/^\^1\./) },
    })
    expect(await readWranglerConfig({ config: join(folder, 'wrangler.jsonc') })).not.toHaveProperty(
      'images.binding',
    )
  })

  it('does not leave libheif out of an index.ts that is there', async () => {
    await run()
    await expect(run({ heic: 'libheif' })).rejects.toThrow('needs this index.ts')
  })

  it.each([
    [{ route: 'files.example.com/*' }, '--route needs --zone'],
    [{ action: 'quarantine' }, '--action quarantine needs --recipient'],
    [{ action: 'blok' }, '--action must be block'],
    [{ origin: 'origin.example.com' }, '--origin must be a URL'],
    [{ heic: 'yes' }, '--heic must be no, images or libheif'],
    [{ name: 'My Gate' }, '--name must be'],
    [{ preset: 'filez' }, '--preset must be one of photos'],
    [{ yes: undefined }, 'pass --yes'],
  ])('says what is wrong with %o', async (options, message) => {
    await expect(run(options as InitOptions)).rejects.toThrow(message)
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })
})

describe.skipIf(!hasScript())('hashgate init in a terminal', () => {
  /** Runs init in a terminal that `script` makes, and types an answer at each question. */
  async function answer(args: string, typed: readonly string[]) {
    const command = `"${process.execPath}" "${resolve('dist/cli.js')}" init ${args}`
    const child = spawn('script', ['-qfec', command, '/dev/null'], { cwd: join(folder, '..') })
    let shown = ''
    let asked = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
      const questions = shown.match(QUESTION)?.length ?? 0
      while (asked < questions) child.stdin.write(typed[asked++] ?? '\r')
    })
    const [code] = (await once(child, 'exit')) as [number]
    return { code, shown, asked }
  }

  it('asks for the folder and all else, and takes Enter for what is usual', async () => {
    const { code, shown } = await answer('', ['my-gate\r'])
    expect({ code, shown }).toMatchObject({ code: 0 })
    const { name, vars } = await readWranglerConfig({ config: join(folder, 'wrangler.jsonc') })
    expect(name).toBe('my-gate')
    expect(vars['HASHGATE']).toMatchObject({ policy: { banks: { csam: { action: 'block' } } } })
  })

  it('asks again after a wrong answer, and says what is right', async () => {
    const typed = [
      ...['My Gate\r', '\r', 'origin.example\r', 'https://origin.example\r', '\r', 'x\r', '\r'],
      ...['filez\r', '\r', 'quarantine\r', '\r', `${RECIPIENT}\r`, '\r', 'perhaps\r', 'yes\r'],
      ...['maybe\r', 'no\r'],
    ]
    const { code, shown, asked } = await answer('my-gate', typed)
    expect({ code, shown }).toMatchObject({ code: 0 })
    expect(asked).toBe(typed.length)
    for (const words of [
      'lower-case letters',
      'a URL without',
      'arachnid or tcap',
      'photos, files',
    ])
      expect(shown).toContain(`It must be ${words.replace(/^photos/, 'one of photos')}`)
    expect(shown).toContain('It needs an answer.')
    expect(shown).toContain('It must be no, images or libheif.')
    expect(shown).toContain('It must be yes or no.')
    const { queues } = await readWranglerConfig({ config: join(folder, 'wrangler.jsonc') })
    expect(queues.producers).toHaveLength(1)
  })

  it.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('writes nothing at %s', async (_, key) => {
    const { code, shown } = await answer('my-gate', ['\r', key])
    expect(code).toBe(1)
    expect(shown.trim()).toMatch(/hashgate: stopped; nothing was written$/)
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })
})

/** A question of init, with the control code by which readline puts the cursor behind it. */
// oxlint-disable-next-line no-control-regex
const QUESTION = /: \x1b\[\d+G/g

/** Whether there is the program that makes a terminal. */
function hasScript(): boolean {
  return spawnSync('script', ['--version']).status === 0
}

describe('hashgate init with a login', () => {
  let api: Server
  let requests: string[]

  beforeEach(async () => {
    requests = []
    api = createServer((request, response) => {
      requests.push(`${request.method} ${request.url?.split('?')[0]}`)
      const isCreate = request.method === 'POST' && request.url?.endsWith('/storage/kv/namespaces')
      const isList = request.method === 'GET' && request.url?.includes('/storage/kv/namespaces')
      const result = isCreate ? { id: 'new-id', title: 'my-gate-lists' } : []
      const isKnown = isCreate === true || isList === true
      const errors = isKnown ? [] : [{ code: 10000, message: 'not this one' }]
      response.writeHead(isKnown ? 200 : 403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ success: isKnown, result, errors, messages: [] }))
    }).listen(0, '127.0.0.1')
    await once(api, 'listening')
    vi.stubEnv('CLOUDFLARE_API_TOKEN', 'token')
    vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'account')
    const { port } = api.address() as AddressInfo
    vi.stubEnv('CLOUDFLARE_API_BASE_URL', `http://127.0.0.1:${port}/client/v4`)
  })

  afterEach(() => api.close())

  it('makes the namespace, writes its id, and tells which steps failed', async () => {
    await run()
    const config = await readWranglerConfig({ config: join(folder, 'wrangler.jsonc') })
    expect(config.kv_namespaces).toMatchObject([{ binding: 'HASH_LISTS', id: 'new-id' }])
    expect(requests).toContain('POST /client/v4/accounts/account/storage/kv/namespaces')
    expect(said).toMatch(/^failed {2}secrets: /m)
    expect(said).toContain('npx wrangler secret bulk .production.vars')
    expect(said).not.toContain('kv namespace create')
  })
})
