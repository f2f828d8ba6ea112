// `hashgate list add`, `remove`, `diff` and `export`, over the local KV of wrangler.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KNOWN = join(ROOT, 'examples/known.jpg')
const MD5 = 'ab'.repeat(16)

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-own-'))
  const lines = ['name = "own"', 'compatibility_date = "2026-10-20"']
  lines.push('kv_namespaces = [{ binding = "HASH_LISTS", id = "lists" }]')
  await writeFile(join(folder, 'wrangler.toml'), lines.join('\n'))
  await writeFile(join(folder, 'note.txt'), 'a text')
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the command line. Returns its exit code and what it printed. */
async function hashgate(...args: string[]) {
  const options = { cwd: folder, env: { ...process.env, LIST_KEY: 'cd'.repeat(32) } }
  try {
    const run = promisify(execFile)
    return { code: 0, ...(await run(process.execPath, [`${ROOT}/dist/cli.js`, ...args], options)) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

const list = (...args: string[]) => hashgate('list', ...args, '--bank', 'own')

describe('lists by hand', () => {
  it('adds files and hashes, and what is there only once', async () => {
    const first = await list('add', KNOWN, MD5)
    expect(first.stdout).toContain('(added 3, removed 0, kept 0)')
    const second = await list('add', join(folder, 'note.txt'), KNOWN)
    expect(second.stdout).toContain('(added 1, removed 0, kept 3)')
    expect(second.stderr).toMatch(/note\.txt is not a picture .* only identical files match/)
    expect(first.stderr).not.toContain('not a picture')
  })

  it('refuses a hash list, and says how to publish it', async () => {
    await writeFile(join(folder, 'hashes.csv'), `hash,kind\n${MD5},md5\n`)
    const { code, stderr } = await list('add', join(folder, 'hashes.csv'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/hashes\.csv is a hash list; publish it with `hashgate list push/)
  })

  it('exports what was added, for its owner alone, as a list that is the same bank', async () => {
    expect(await list('export', 'own.csv')).toMatchObject({ code: 0 })
    const path = join(folder, 'own.csv')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toContain(`${MD5},md5,`)
    expect(await list('diff', 'own.csv')).toMatchObject({ code: 0 })
    const matched = await hashgate('match', '--list', 'own.csv', KNOWN)
    expect(matched.stdout).toContain('"verdict":"match"')
    expect((await list('export', 'own.csv')).stderr).toContain('it already exists')
  })

  it('removes by hash, by file and by id, and diff says what a push would bring back', async () => {
    const lines = (await readFile(join(folder, 'own.csv'), 'utf8')).trim().split('\n').slice(1)
    const [, , id = ''] = lines.find((line) => line.includes(',pdq,'))?.split(',') ?? []
    const removed = await list('remove', MD5, join(folder, 'note.txt'), id)
    expect(removed.stdout).toContain('(added 0, removed 3, kept 1)')
    const diff = await list('diff', 'own.csv')
    expect(diff.code).toBe(1)
    expect(diff.stdout).toContain('a push would add 3, remove 0 and keep 1')
    expect(diff.stdout).toContain(`+ ${id} (pdq)`)
    expect(diff.stdout).not.toContain(MD5)
  })

  it('never exports a list that was pushed', async () => {
    await hashgate('list', 'push', join(ROOT, 'examples/list.csv'), '--bank', 'csam')
    const { code, stdout, stderr } = await hashgate('list', 'export', 'x.csv', '--bank', 'csam')
    expect(code).toBe(1)
    expect(stdout + stderr).not.toMatch(/[0-9a-f]{32}/)
    await expect(stat(join(folder, 'x.csv'))).rejects.toThrow('ENOENT')
  })

  it.each([
    [['add', 'nothing.jpg'], 'nothing.jpg: there is no such file'],
    [['add', '.'], '.: it is a folder; name a file'],
    [['add', '0f'.repeat(32)], '--kind pdq or --kind sha256'],
    [['add', 'd41d8cd98f00b204e9800998ecf8427e'], 'has the md5 digest of an empty file'],
    [['remove', 'h-none'], 'bank own has no entry with the id h-none'],
    [['diff', 'nothing.csv'], 'nothing.csv: there is no such file'],
  ])('says in a sentence what is wrong with %j', async (args, message) => {
    const { code, stderr } = await list(...args)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/\bE[A-Z]{4,}\b|^ +at /m)
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      version: string
    }
    expect((await hashgate('--version')).stdout.trim()).toBe(version)
  })
})
