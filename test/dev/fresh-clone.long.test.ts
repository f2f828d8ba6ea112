import { execFile, execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startWrangler } from '../support/wrangler-dev.ts'

const run = promisify(execFile)
const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

/** The environment of somebody who has set nothing. */
const { LIST_KEY: _, ...env } = process.env

let clone: string

/** What a clone has after `npm ci`, but for what `postprepare` makes beside the build. */
beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'hashgate-clone-'))
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: PROJECT })
  for (const file of files.toString().trim().split('\n')) {
    if (!/^(assets|src|scripts|examples|test\/support)\/|^[^/]+$/.test(file)) continue
    await mkdir(dirname(join(clone, file)), { recursive: true })
    await cp(join(PROJECT, file), join(clone, file))
  }
  for (const folder of ['build', 'dist']) {
    await cp(join(PROJECT, folder), join(clone, folder), { recursive: true })
  }
  await symlink(join(PROJECT, 'node_modules'), join(clone, 'node_modules'))
})
afterAll(() => rm(clone, { recursive: true }))

const prepare = () => run(process.execPath, ['scripts/dev-vars.ts'], { cwd: clone, env })
const devVars = () => readFile(join(clone, '.dev.vars'), 'utf8')

/** Runs the command line in the clone. */
const hashgate = (args: string[], more: Record<string, string> = {}) =>
  run(process.execPath, ['dist/cli.js', ...args], { cwd: clone, env: { ...env, ...more } })

describe('npm run postprepare', () => {
  it('makes no .dev.vars outside a checkout', async () => {
    await prepare()
    await expect(devVars()).rejects.toThrow('ENOENT')
  })

  it('makes one with a key in a checkout, and leaves one that is there as it is', async () => {
    await mkdir(join(clone, '.git'))
    await prepare()
    const made = await devVars()
    expect(made).toMatch(/^LIST_KEY=[0-9a-f]{64}\n$/)
    await prepare()
    expect(await devVars()).toBe(made)
    await writeFile(join(clone, '.dev.vars'), 'API_KEYS=x\n')
    await prepare()
    expect(await devVars()).toBe('API_KEYS=x\n')
    await writeFile(join(clone, '.dev.vars'), made)
  })
})

describe('wrangler dev in a fresh clone', () => {
  let worker: Running

  beforeAll(async () => {
    worker = await startWrangler(['dev', '--inspector-port', '0'], { cwd: clone, env })
  })
  afterAll(() => worker.stop())

  const put = async (file: string) => {
    const body = await readFile(join(clone, file))
    return fetch(new URL(`/${file}`, worker.url), { method: 'PUT', body })
  }

  it('says at / what is running', async () => {
    const answer = await fetch(worker.url)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('hashgate list push examples/list.csv --bank demo')
  })

  it('refuses a picture of the list that comes with it, and lets others pass', async () => {
    await hashgate(['list', 'push', 'examples/list.csv', '--bank', 'demo'])
    expect((await put('examples/known.jpg')).status).toBe(451)
    expect((await put('README.md')).status).toBe(502)
  })

  it('is told of by the command line when another key is exported', async () => {
    const { stderr } = await hashgate(['list', 'show'], {
      LIST_KEY: `${'cd'.repeat(32)},${(await devVars()).trim().slice('LIST_KEY='.length)}`,
    })
    expect(stderr).toContain('`wrangler dev` uses that of .dev.vars')
  })
})

describe('npm run dev with an exported LIST_KEY', () => {
  it('runs a Worker that reads what is published with it, and what was before', async () => {
    const exported = { LIST_KEY: 'cd'.repeat(32) }
    const worker = await startWrangler(
      ['scripts/dev.ts', '--list', 'examples/list.csv'],
      { cwd: clone, env: { ...env, ...exported } },
      process.execPath,
    )
    try {
      const state = async () => {
        const answer = await fetch(new URL('/healthz', worker.url))
        return ((await answer.json()) as { list: object }).list
      }
      const body = await readFile(join(clone, 'examples/known.jpg'))
      const sent = await fetch(new URL('/a.jpg', worker.url), { method: 'PUT', body })
      expect(sent.status).toBe(451)
      expect(await state()).toMatchObject({ state: 'current' })
      const { stdout } = await hashgate(['list', 'show'], exported)
      expect(stdout).toContain('version 2')
    } finally {
      await worker.stop()
    }
  })
})
