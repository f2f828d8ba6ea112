import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseHex } from '../src/util/bytes.ts'
import { formatHash } from '../src/util/hash.ts'
import { flipBits } from './support/entries.ts'
import { picture } from './support/sharp-images.ts'

let folder: string
let hash: string

interface Run {
  code: number
  out: string
  err: string
}

const KEY = 'ab'.repeat(32)
const CASE = '00000000-0000-4000-8000-000000000000'

/** What is said where the checkout has a .dev.vars of its own. */
const OTHER_KEY = /^hashgate: using LIST_KEY of the environment;.*\n/m

/** Runs the command as it is installed: built, by this Node. */
function hashgate(...args: string[]): Promise<Run> {
  return hashgateWithKey(KEY, ...args)
}

function hashgateWithKey(key: string, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const env = { ...process.env, LIST_KEY: key }
    execFile(process.execPath, ['dist/cli.js', ...args], { env }, (error, out, err) =>
      resolve({
        code: typeof error?.code === 'number' ? error.code : 0,
        out,
        err: err.replace(OTHER_KEY, ''),
      }),
    )
  })
}

const path = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-test-'))
  const image = picture(400, 300, 3, 1)
  await image.clone().jpeg().toFile(path('a.jpg'))
  await image.clone().resize(200).webp().toFile(path('b.webp'))
  await picture(400, 300, 3, 2).png().toFile(path('c, "d".png'))
  await writeFile(path('text.txt'), 'no image')
  await writeFile(path('empty.jpg'), '')
  await picture(3, 3).png().toFile(path('tiny.png'))
  const { out } = await hashgate('hash', path('a.jpg'))
  hash = out.slice(0, 64)
  await writeFile(path('list.csv'), `hash,id,source\n${hash},7,IWF\n`)
  await writeFile(path('bad.txt'), `${hash}\nnonsense\n`)
})

afterAll(() => rm(folder, { recursive: true }))

describe('hashgate hash', () => {
  it('prints hash, quality and file', async () => {
    const { code, out } = await hashgate('hash', path('a.jpg'), path('c, "d".png'))
    expect(code).toBe(0)
    const lines = out.trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(new RegExp(`^[0-9a-f]{64},\\d+,${path('a.jpg')}$`))
    expect(lines[1]?.endsWith(`,"${path('c, ""d"".png')}"`)).toBe(true)
  })

  it('prints the eight dihedral variants', async () => {
    const { out } = await hashgate('hash', '--dihedral', path('a.jpg'))
    const lines = out
      .trim()
      .split('\n')
      .map((line) => line.split(','))
    expect(lines.map(([, , variant]) => variant)).toEqual([
      ...['original', 'rotate90', 'rotate180', 'rotate270'],
      ...['flipX', 'flipY', 'flipPlus1', 'flipMinus1'],
    ])
    expect(lines[0]?.[0]).toBe(hash)
    expect(new Set(lines.map(([variantHash]) => variantHash)).size).toBe(8)
  })

  it('prints JSON: the hash, or why there is none', async () => {
    const files = ['a.jpg', 'text.txt', 'tiny.png', 'empty.jpg'].map(path)
    const { code, out } = await hashgate('hash', '--json', ...files)
    expect(code).toBe(1)
    const objects = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(objects).toEqual([
      {
        file: files[0],
        format: 'jpeg',
        width: 400,
        height: 300,
        quality: expect.any(Number),
        hash,
      },
      { file: files[1], reason: 'unknown-format' },
      { file: files[2], format: 'png', width: 3, height: 3, reason: 'too-small' },
      { file: files[3], width: 0, height: 0, reason: 'empty' },
    ])
  })

  it('reports files without a hash, continues, and exits with 1', async () => {
    const { code, out, err } = await hashgate(
      'hash',
      path('none.jpg'),
      path('text.txt'),
      folder,
      path('a.jpg'),
    )
    expect(code).toBe(1)
    expect(out.trim().split('\n')).toHaveLength(1)
    expect(err).toContain(`${path('none.jpg')}: there is no such file`)
    expect(err).toContain(`${folder}: it is a folder`)
    expect(err).toContain(`${path('text.txt')}: it cannot be read as an image (unknown-format)`)
  })
})

describe('hashgate match', () => {
  const lines = ({ out }: Run) =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)

  it('prints a verdict a file', async () => {
    const files = ['a.jpg', 'b.webp', 'c, "d".png', 'text.txt'].map(path)
    const run = await hashgate('match', '--list', path('list.csv'), ...files)
    expect(run.code).toBe(1)
    const match = { entry: '7', source: 'IWF', probe: 'identity' }
    const quality = expect.any(Number) as number
    expect(lines(run)).toEqual([
      {
        file: files[0],
        verdict: 'match',
        quality,
        matches: [{ ...match, distance: 0, margin: 31 }],
      },
      {
        file: files[1],
        verdict: 'match',
        quality,
        matches: [
          {
            entry: '7',
            source: 'IWF',
            distance: expect.any(Number) as number,
            margin: expect.any(Number) as number,
            probe: expect.any(String) as string,
          },
        ],
      },
      { file: files[2], verdict: 'no-match', quality, matches: [] },
      { file: files[3], verdict: 'unscannable', reason: 'unknown-format', matches: [] },
    ])
  })

  it('says of a pattern that it matches only what is very near, and as it is', async () => {
    const stripes = Buffer.from(
      Array.from({ length: 400 * 300 }, (_, i) => (i % 50 < 25 ? 230 : 20)),
    )
    const raw = { width: 400, height: 300, channels: 1 } as const
    await sharp(stripes, { raw }).png().toFile(path('stripes.png'))
    const { out } = await hashgate('hash', path('stripes.png'))
    const itself = parseHex(out.slice(0, 64), 32)!
    const limits = { limited: 'pattern', limitedTo: 16 }
    for (const [bits, verdict] of [
      [0, 'match'],
      [16, 'match'],
      [17, 'no-match'],
    ] as const) {
      await writeFile(path('stripes.csv'), `pdq\n${formatHash(flipBits(itself, bits))}\n`)
      const list = ['--list', path('stripes.csv')]
      const run = await hashgate('match', ...list, path('stripes.png'))
      expect(lines(run)).toMatchObject([{ verdict, ...limits }])
    }
  })

  it('has a threshold', async () => {
    const { out } = await hashgate('match', '--list', path('list.csv'), path('b.webp'))
    const [found] = out.match(/"distance":\d+/) ?? []
    const distance = Number(found?.slice(11))
    const at = async (threshold: number) => {
      const args = ['--list', path('list.csv'), '--threshold', String(threshold), path('b.webp')]
      return lines(await hashgate('match', ...args))
    }
    expect(await at(distance)).toMatchObject([{ verdict: 'match' }])
    if (distance > 0) expect(await at(distance - 1)).toMatchObject([{ verdict: 'no-match' }])
  })

  it('refuses a bad list with the line, or passes over it and says so', async () => {
    const refused = await hashgate('match', '--list', path('bad.txt'), path('a.jpg'))
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain('line 2: has no hash of 32, 40 or 64 hex digits')
    const skipped = await hashgate('match', '--skip-bad', '--list', path('bad.txt'), path('a.jpg'))
    expect(skipped.code).toBe(0)
    expect(skipped.err).toContain('skipped 1 bad line\n')
    expect(lines(skipped)).toMatchObject([{ verdict: 'match' }])
  })
})

describe('hashgate list', () => {
  const store = () => ['--persist-to', path('state')]

  it('publishes to the local namespace, and shows what is there', async () => {
    const none = await hashgate('list', 'show', ...store())
    expect([none.code, none.err]).toEqual([
      1,
      expect.stringContaining('no hash list has been published here'),
    ])
    const pushed = await hashgate(
      'list',
      'push',
      path('list.csv'),
      '--bank',
      'csam',
      '--threshold',
      '20',
      ...store(),
    )
    expect(pushed).toMatchObject({
      code: 0,
      out:
        `read 1 pdq from ${path('list.csv')}\n` +
        'published version 1 on this machine: bank csam has 1 entry (added 1, removed 0, kept 0)\n',
    })
    const shown = await hashgate('list', 'show', ...store())
    expect(shown.code).toBe(0)
    expect(shown.out).toMatch(/^version 1, published 20\S+ \(\d+ seconds? ago\)\n/)
    expect(shown.out).toContain(
      'bank csam: 1 perceptual hash and 0 digests in 1 segment, threshold 20, quality at least 50',
    )
    expect(shown.out).not.toContain(hash.slice(0, 12))
  })

  it('reports what a push changed, and rolls back', async () => {
    const md5 = 'ab'.repeat(16)
    await writeFile(path('longer.csv'), `hash,kind\n${hash},pdq\n${md5},\n${hash},sha256\n`)
    const push = ['list', 'push', path('longer.csv'), '--bank', 'csam', ...store()]
    expect((await hashgate(...push)).out).toBe(
      `read 1 pdq, 1 md5, 1 sha256 from ${path('longer.csv')}\n` +
        'published version 2 on this machine: bank csam has 3 entries (added 3, removed 1, kept 0)\n',
    )
    expect((await hashgate(...push)).out).toContain('(added 0, removed 0, kept 3)')
    const shown = await hashgate('list', 'show', ...store())
    expect(shown.out).toContain('bank csam: 1 perceptual hash and 2 digests in 2 segments')
    expect(shown.out).toContain('earlier versions that are kept: 2, 1\n')
    const verified = await hashgate('list', 'verify', ...store())
    expect(verified).toMatchObject({
      code: 0,
      out: 'version 3 is intact: 3 entries in 13 values\n',
    })
    const back = await hashgate('list', 'rollback', '1', ...store())
    expect(back.out).toBe('published version 4, with the content of version 1\n')
    expect((await hashgate('list', 'show', ...store())).out).toContain('bank csam: 1 perceptual')
    const refused = await hashgate('list', 'rollback', '9', ...store())
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('no longer stored')])
    for (const { out, err } of [shown, verified, back, refused]) {
      expect(out + err).not.toContain(hash.slice(0, 12))
      expect(out + err).not.toContain(md5.slice(0, 12))
    }
  })

  it('refuses a list without entries, unless --allow-empty is given', async () => {
    await writeFile(path('empty.txt'), '# nothing\n')
    const push = ['list', 'push', path('empty.txt'), '--bank', 'none', ...store()]
    const refused = await hashgate(...push)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('has no entries')])
    expect((await hashgate('list', 'show', ...store())).out).not.toContain('none')
    expect((await hashgate(...push, '--allow-empty')).code).toBe(0)
  })

  it('imports nothing of a list with a bad line', async () => {
    const before = await hashgate('list', 'show', ...store())
    const refused = await hashgate('list', 'push', path('bad.txt'), '--bank', 'csam', ...store())
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('line 2')])
    const after = await hashgate('list', 'show', ...store())
    expect(after.out.split('\n').slice(1)).toEqual(before.out.split('\n').slice(1))
  })
})

describe('lists of hashgate push', () => {
  const store = () => ['--persist-to', path('forms')]

  it('takes the output of hashgate hash, and so does match', async () => {
    const files = [path('a.jpg'), path('c, "d".png')]
    for (const more of [[], ['--dihedral']]) {
      const { out } = await hashgate('hash', ...more, ...files)
      await writeFile(path('own.csv'), out)
      const push = ['list', 'push', path('own.csv'), '--bank', 'own', ...store()]
      const pushed = await hashgate(...push)
      expect(pushed).toMatchObject({ code: 0, err: '' })
      expect(pushed.out).toContain(`read ${out.trim().split('\n').length} pdq from`)
      const { out: matched } = await hashgate('match', '--list', path('own.csv'), path('a.jpg'))
      expect(JSON.parse(matched)).toMatchObject({ verdict: 'match' })
    }
  })

  it('stops at SHA-256 digests without a kind, and goes on by --kind', async () => {
    const digests = ['a', 'b', 'c'].map((text) => createHash('sha256').update(text).digest('hex'))
    await writeFile(path('digests.txt'), digests.join('\n'))
    const push = ['list', 'push', path('digests.txt'), '--bank', 'files', ...store()]
    const stopped = await hashgate(...push)
    expect([stopped.code, stopped.out]).toEqual([1, ''])
    expect(stopped.err).toContain('--kind sha256 or --kind pdq')
    expect(stopped.err).toContain(path('digests.txt'))
    expect((await hashgate(...push, '--kind', 'sha256')).out).toContain('read 3 sha256 from')
    expect((await hashgate('list', 'show', ...store())).out).toContain(
      'bank files: 0 perceptual hashes and 3 digests',
    )
    expect((await hashgate(...push, '--kind', 'md5')).code).toBe(2)
  })

  it('says what it left out, and what looks wrong', async () => {
    const sha256 = createHash('sha256').update('a').digest('hex')
    await writeFile(path('odd.csv'), `pdq,PhotoDNA\n${sha256},QUJD\n`)
    const { code, err } = await hashgate(
      'list',
      'push',
      path('odd.csv'),
      '--bank',
      'odd',
      ...store(),
    )
    expect(code).toBe(0)
    expect(err).toContain('left out 1 hash of kind photodna')
    expect(err).toContain('do not look like PDQ')
    expect(err).not.toContain('QUJD')
  })

  it('publishes to namespaces of other names, such as that of the example', async () => {
    const example = ['--config', 'examples/worker/wrangler.toml', ...store()]
    const push = ['list', 'push', path('list.csv'), '--bank', 'csam', ...example]
    const refused = await hashgate(...push)
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toContain(
      'no KV namespace with the binding HASH_LISTS; use --binding LISTS',
    )
    const pushed = await hashgate(...push, '--binding', 'LISTS')
    expect(pushed).toMatchObject({ code: 0, out: expect.stringContaining('1 entry') })
    expect((await hashgate('list', 'show', '--binding', 'LISTS', ...example)).code).toBe(0)
  })
})

describe('hashgate list key', () => {
  const store = () => ['--persist-to', path('sealed')]

  it('makes a key that seals the list, and rekey changes it', async () => {
    const [oldKey, newKey] = await Promise.all(
      [1, 2].map(async () => (await hashgate('list', 'key')).out.trim()),
    )
    if (!oldKey || !newKey) throw new Error('no key')
    expect(oldKey).toMatch(/^[0-9a-f]{64}$/)
    expect(newKey).not.toBe(oldKey)
    const push = ['list', 'push', path('list.csv'), '--bank', 'csam', ...store()]
    expect(await hashgateWithKey(oldKey, ...push)).toMatchObject({ code: 0 })
    const rekeyed = await hashgateWithKey(`${newKey},${oldKey}`, 'list', 'rekey', ...store())
    expect(rekeyed).toMatchObject({ code: 0, out: expect.stringContaining('version 2') })
    expect((await hashgateWithKey(newKey, 'list', 'show', ...store())).out).toContain(
      '1 perceptual hash',
    )
    const refused = await hashgateWithKey(oldKey, 'list', 'show', ...store())
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('not in LIST_KEY')])
    expect(refused.err).not.toContain(newKey.slice(0, 8))
  })

  it('is required if it is missing or invalid', async () => {
    for (const key of ['', 'password']) {
      const refused = await hashgateWithKey(key, 'list', 'show', ...store())
      expect(refused).toMatchObject({ code: 1, out: '' })
      expect(refused.err).toContain('LIST_KEY must be a key of 64 hex digits')
    }
  })
})

describe('hashgate key', () => {
  it('makes an API key, and its line for API_KEYS', async () => {
    const { code, out } = await hashgate('key', 'forum', '--scopes', 'verdict,lookup')
    const [, key = '', line = ''] = /(hgk_\S+)\n.*?(forum .*)\n/.exec(out) ?? []
    expect(code).toBe(0)
    const digest = createHash('sha256').update(key).digest('hex')
    expect(line).toBe(`forum verdict,lookup sha256:${digest}`)
    for (const args of [
      ['my forum', '--scopes', 'verdict'],
      ['forum', '--scopes', 'all'],
      ['forum'],
    ])
      expect((await hashgate('key', ...args)).code).toBe(2)
  })
})

describe('wrong use', () => {
  it.each([
    [[]],
    [['nonsense']],
    [['hash']],
    [['hash', '--nonsense', 'x']],
    [['match', 'x']],
    [['match', '--list', 'x', '--threshold', '129', 'x']],
    [['match', '--list', 'x', '--threshold', '1.5', 'x']],
    [['list', 'push', 'x']],
    [['list', 'push', 'x', '--bank', 'Not A Name']],
    [['list', 'show', '--local', '--remote']],
    [['list', 'rollback']],
    [['list', 'rollback', 'one']],
  ])('exits with 2: %j', async (args) => {
    const { code, out, err } = await hashgate(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).not.toBe('')
  })

  it('is not asking for help', async () => {
    const { code, out } = await hashgate('--help')
    expect(code).toBe(0)
    for (const command of ['hash', 'match', 'list']) expect(out).toContain(command)
  })
})

describe('what a command says about wrong arguments', () => {
  const FOLDER = 'it is a folder; name a file'
  it.each([
    [['match', '--list', 'FOLDER', 'a.jpg'], FOLDER],
    [['match', '--list', 'empty.jpg', 'a.jpg'], 'the list has no entries'],
    [['tune', '--list', 'list.csv', '--dir', 'none'], 'there is no such folder'],
    [['tune', '--list', 'list.csv', '--dir', 'a.jpg'], 'it is a file; name a folder'],
    [['tune', '--list', 'list.csv', '--dir', 'FOLDER', '--labels', 'FOLDER'], FOLDER],
    [['list', 'push', 'FOLDER', '--bank', 'csam'], FOLDER],
    [['list', 'add', 'FOLDER', '--bank', 'own'], FOLDER],
    [['list', 'texts', 'FOLDER'], FOLDER],
    [['list', 'show', '--config', 'none.toml'], 'there is no such file'],
    [['list', 'show', '--config', 'FOLDER'], 'must be a configuration of wrangler'],
    [['list', 'show', '--config', 'half.json'], 'half.json, line 1: ValueExpected'],
    [['list', 'show', '--env', 'nope'], 'has no environment nope'],
    [['exchange', 'status', '--config', 'none.toml'], 'there is no such file'],
    [['exchange', 'status', '--config', 'half.json'], 'half.json, line 1: ValueExpected'],
    [['config', '--config', 'none.toml'], 'there is no such file'],
    [['doctor', '--config', 'none.toml'], 'there is no such file'],
    [['init', 'a.jpg', '--yes'], 'is a file; name a folder'],
    [['quarantine', 'open', CASE, '--identity', 'FOLDER'], FOLDER],
    [['quarantine', 'keygen', '--out', 'none/key'], 'there is no folder'],
    [['feed', 'key', '--out', 'a.jpg'], 'it already exists'],
    [['feed', 'publish', 'own', '--key', 'none', '--out', 'FOLDER'], 'there is no such file'],
  ])('%j', async (args, words) => {
    const names = new Set(['FOLDER', 'a.jpg', 'empty.jpg', 'list.csv', 'half.json', 'none.toml'])
    const given = args.map((arg) =>
      names.has(arg) || arg.startsWith('none') ? path(arg === 'FOLDER' ? '.' : arg) : arg,
    )
    await writeFile(path('half.json'), '{"x":')
    const { code, err } = await hashgate(...given)
    expect(code).toBe(1)
    expect(err).toMatch(/^hashgate: /)
    expect(err).toContain(words)
    expect(err).not.toMatch(/\bE[A-Z]{4,}\b|^ +at |syscall/m)
  })
})
