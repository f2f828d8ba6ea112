// `hashgate doctor` on deployments that `hashgate init` writes: with wrangler, a Worker and an origin on this machine.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drillPicture } from '../../src/commands/doctor/pictures.ts'
import { PRESET_NAMES } from '../../src/config/presets.ts'
import { readModules } from '../../src/core/node.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { distance } from '../../src/util/hash.ts'
import { OriginServer } from '../support/origin-server.ts'
import { type Running, startWrangler } from '../support/wrangler-dev.ts'
import { needlesOf } from '../../src/scan/scanned.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BANK = 'hashgate-drill'

interface Report {
  ok: boolean
  checks: { check: string; state: string; message: string }[]
}

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'hashgate-doctor-test-'))
})
afterAll(() => rm(parent, { recursive: true }))

const { LIST_KEY: __, ...rest } = process.env
const env = { ...rest, CLOUDFLARE_API_TOKEN: '', WRANGLER_SEND_METRICS: 'false', HOME: tmpdir() }

/** Runs the command line. Returns its exit code and what it printed. */
async function hashgate(cwd: string, ...args: string[]) {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`${ROOT}/dist/cli.js`, ...args],
      { cwd, env },
    )
    return { code: 0, stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

async function deployment(name: string, ...args: string[]): Promise<string> {
  const { code } = await hashgate(parent, 'init', name, '--yes', ...args)
  expect(code).toBe(0)
  const folder = join(parent, name)
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules/hashgate'))
  return folder
}

async function doctor(cwd: string, ...args: string[]): Promise<Report & { code: number }> {
  const { code, stdout } = await hashgate(cwd, 'doctor', '--json', ...args)
  return { code, ...(JSON.parse(stdout) as Report) }
}

const stateOf = ({ checks }: Report, check: string) =>
  checks.find((one) => one.check === check)?.state

describe('the pictures of the drill', () => {
  it('have hashes that say much, and are far from each other', async () => {
    const [known, other] = await Promise.all(
      (['known', 'other'] as const).map(async (name) => {
        const scanned = await scanFile({ modules: readModules() }, drillPicture(name))
        return needlesOf(scanned)[0]
      }),
    )
    expect(known?.quality).toBeGreaterThanOrEqual(80)
    expect(other?.quality).toBeGreaterThanOrEqual(80)
    expect(known && other && distance(known.hash, other.hash)).toBeGreaterThan(60)
  })
})

describe('hashgate doctor', () => {
  it.each(PRESET_NAMES)('passes what init writes with the preset %s', async (preset) => {
    const folder = await deployment(
      preset,
      '--preset',
      preset,
      '--route',
      'files.example.com/*',
      '--zone',
      'example.com',
      '--webhook',
      'https://t.example/hook',
    )
    const report = await doctor(folder)
    expect(report).toMatchObject({ ok: true, code: 0 })
    for (const check of [
      'a known picture is refused',
      'another picture passes',
      'a long file with a known picture is refused',
    ])
      expect(stateOf(report, check), `the check: ${check}`).toBe('ok')
  })

  it('fails for a setting that does not exist, and for a binding that is missing', async () => {
    const folder = await deployment('broken')
    const file = join(folder, 'wrangler.jsonc')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('"preset"', '"presett"').replace('HASH_LISTS', 'LISTS'))
    const report = await doctor(folder, '--no-drill')
    expect(report).toMatchObject({ ok: false, code: 1 })
    expect(report.checks.map(({ message }) => message).join()).toContain('preset')
  })

  it('fails for a gate that is open where the drill uploads', async () => {
    const folder = await deployment('open')
    const file = join(folder, 'wrangler.jsonc')
    const text = await readFile(file, 'utf8')
    const routes = '"routes": [{ "paths": ["/open/*"], "gated": false }], "mode"'
    await writeFile(file, text.replace('"mode"', routes))
    const report = await doctor(folder, '--path', '/open')
    expect(report.code).toBe(1)
    expect(stateOf(report, 'a known picture is refused')).toBe('failed')
    expect(stateOf(report, 'another picture passes')).toBe('ok')
  })
})

describe('hashgate doctor --url', () => {
  let folder: string
  let origin: OriginServer
  let worker: Running

  beforeAll(async () => {
    origin = await OriginServer.start()
    folder = await deployment('running', '--origin', origin.url, '--mode', 'enforce')
    const list = join(parent, 'list.csv')
    await writeFile(list, `${'0f'.repeat(32)}\n`)
    await hashgate(folder, 'list', 'push', list, '--bank', 'csam', '--kind', 'pdq')
    worker = await startWrangler(
      [
        'dev',
        '--config',
        join(folder, 'wrangler.jsonc'),
        '--var',
        'HASHGATE:{"list":{"refreshSeconds":1}}',
        '--inspector-port',
        '0',
      ],
      { cwd: folder, env },
      `${ROOT}/node_modules/.bin/wrangler`,
    )
  })
  afterAll(async () => {
    await worker.stop()
    await origin.stop()
  })

  it('publishes the bank of the drill once, and passes', async () => {
    const report = await doctor(folder, '--url', worker.url)
    expect(report, `of ${JSON.stringify(report)}`).toMatchObject({ ok: true, code: 0 })
    expect(stateOf(report, 'a known picture is refused')).toBe('ok')
    const { stdout } = await hashgate(folder, 'list', 'show')
    expect(stdout).toContain(`bank ${BANK}: 1 perceptual hash`)
    await doctor(folder, '--url', worker.url)
    expect((await hashgate(folder, 'list', 'show')).stdout.split('\n')[0]).toContain('version 2')
  })

  it('publishes it again if it has another picture, as of an earlier version', async () => {
    const list = join(folder, 'earlier.txt')
    await writeFile(list, `${'0123456789abcdef'.repeat(4)}\n`)
    const pushed = await hashgate(folder, 'list', 'push', list, '--bank', BANK, '--allow-large')
    expect(pushed).toMatchObject({ code: 0 })
    const report = await doctor(folder, '--url', worker.url)
    expect(stateOf(report, 'a known picture is refused')).toBe('ok')
    expect((await hashgate(folder, 'list', 'show')).stdout.split('\n')[0]).toContain('version 4')
  })

  it('fails when the origin answers around the gate, and passes when it wants a login', async () => {
    let status = 200
    const open = createServer((_request, response) => response.writeHead(status).end())
    await once(open.listen(0, '127.0.0.2'), 'listening')
    const around = `http://127.0.0.2:${(open.address() as AddressInfo).port}`
    const look = async () => {
      const args = ['--url', worker.url, '--no-drill', '--origin', around]
      return stateOf(await doctor(folder, ...args), 'the origin is closed')
    }
    expect(await look()).toBe('failed')
    status = 403
    expect(await look()).toBe('ok')
    open.close()
    expect(await look()).toBe('ok')
  })

  it('fails when the Worker cannot be reached, and when something else answers', async () => {
    const gone = await doctor(folder, '--url', 'http://127.0.0.1:9', '--no-drill')
    expect(stateOf(gone, 'the Worker has a list')).toBe('failed')
    const other = await doctor(folder, '--url', origin.url, '--no-drill')
    expect(stateOf(other, 'the Worker has a list')).toBe('failed')
    expect(other.code).toBe(1)
  })

  it('fails with another key', async () => {
    const report = await doctor(folder, '--url', worker.url, '--no-drill', '--max-age', '0.000001')
    expect(stateOf(report, 'the list is fresh')).toBe('failed')
    env['LIST_KEY' as keyof typeof env] = 'ab'.repeat(32)
    try {
      const other = await doctor(folder, '--url', worker.url, '--no-drill')
      expect(stateOf(other, 'LIST_KEY opens the list')).toBe('failed')
    } finally {
      delete env['LIST_KEY' as keyof typeof env]
    }
  })

  it('exits with 2 for options that it does not have', async () => {
    expect(await hashgate(folder, 'doctor', '--url', 'nothing')).toMatchObject({ code: 2 })
  })
})
