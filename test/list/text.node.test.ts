import { describe, expect, it } from 'vitest'
import { formatHash } from '../../src/util/hash.ts'
import { BadListLineError, MisleadingLineError } from '../../src/list/errors.ts'
import { parseList } from '../../src/list/text.ts'

const A = '0123456789abcdef'.repeat(4)
const B = 'fedcba9876543210'.repeat(4)
const C = '00ff'.repeat(16)
const OPEN_QUOTE =
  'has a quoted cell that does not end before the next hash; close its quote, or remove it'

function read(text: string | Uint8Array, skipBad = false) {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  return parseList([bytes], { skipBad })
}

async function hashesOf(text: string): Promise<string[]> {
  return (await read(text)).entries.map(({ hash }) => formatHash(hash))
}

describe('parseList', () => {
  it('reads one hash a line', async () => {
    expect(await hashesOf(`${A}\n${B}\n`)).toEqual([A, B])
    expect(await hashesOf(`${A}\n${B}`)).toEqual([A, B])
    expect(await hashesOf(`${A}\r\n${B}\r\n`)).toEqual([A, B])
  })

  it('reads either case, and passes over blank lines, comments, spaces and a byte order mark', async () => {
    const text = `\ufeff# a list\n\n${A.toUpperCase()}\n  \n# more\n  ${B}  \n`
    expect(await hashesOf(text)).toEqual([A, B])
  })

  it('reads columns by the names in a header', async () => {
    const text = `id,Hash,source,label\n7,${A},IWF,"a, b"\n,${B},,\n`
    const { entries } = await read(text)
    expect(entries).toMatchObject([
      { id: '7', labels: { source: 'IWF', label: 'a, b' } },
      { labels: {} },
    ])
    expect(entries.map(({ hash }) => formatHash(hash))).toEqual([A, B])
  })

  it('gives an entry without an id one that stays the same and does not tell the hash', async () => {
    const [first] = (await read(A)).entries
    const [second] = (await read(`# later\n${A}`)).entries
    expect(first?.id).toMatch(/^h-[0-9a-f]{16}$/)
    expect(second?.id).toBe(first?.id)
    expect(A).not.toContain(first?.id.slice(2))
  })

  it('lets no id or label tell the hash', async () => {
    const text = `hash,md5,id,source,note\n${A},${'cd'.repeat(16)},${A.toUpperCase()},pic-${'CD'.repeat(16)},x\n`
    const { entries } = await read(text)
    expect(entries.map(({ kind }) => kind)).toEqual(['pdq', 'md5'])
    for (const { id, labels } of entries) {
      expect(id).toMatch(/^h-[0-9a-f]{16}$/)
      expect(labels).toEqual({ note: 'x' })
    }
  })

  it('keeps the first of the lines with the same hash, and counts the others', async () => {
    const { entries, duplicates } = await read(`hash,id\n${A},1\n${A.toUpperCase()},2\n${B},3\n`)
    expect(entries.map(({ id }) => id)).toEqual(['1', '3'])
    expect(duplicates).toBe(1)
  })

  it.each([
    [`${A}\n${B.slice(1)}\n${C}`, 2, 'has 63 characters where a hash has 32, 40 or 64 hex digits'],
    [
      `# list\n\n${A.replace('3', 'x')}`,
      3,
      'has a character at position 4 that is not a hex digit',
    ],
    [`hash,id\n${A},1,2`, 2, 'has 3 columns where 2 are expected'],
    ['hash,id\n,5', 2, 'has no hash'],
    [
      'id,label\n1,2',
      1,
      'has no hash of 32, 40 or 64 hex digits, and does not name a column of hashes either (hash, pdq, md5, sha1 or sha256)',
    ],
  ])('refuses a bad line with its number and what is wrong: %#', async (text, line, problem) => {
    await expect(read(text)).rejects.toEqual(new BadListLineError(line, problem))
  })

  const MD5 = A.slice(0, 32)
  const SHA1 = A.slice(0, 40)
  const kindsOf = async (text: string) =>
    (await read(text)).entries.map(({ kind, hash }) => `${kind} ${hash.length}`)

  it('tells the kind of a hash by its length', async () => {
    expect(await kindsOf(`${A}\n${MD5}\n${SHA1}\n`)).toEqual(['pdq 32', 'md5 16', 'sha1 20'])
  })

  it('tells the kind of a hash by a column, by any of its names', async () => {
    const text = `hash,kind\n${A},SHA-256\n${B},sha256\n${C},PDQ\n${A},\n${MD5},md5\n${SHA1},SHA1\n`
    const kinds = ['sha256 32', 'sha256 32', 'pdq 32', 'pdq 32', 'md5 16', 'sha1 20']
    expect(await kindsOf(text)).toEqual(kinds)
    for (const name of ['type', 'Algorithm']) {
      expect(await kindsOf(text.replace('kind', name))).toEqual(kinds)
    }
    const { entries } = await read(text)
    expect(entries[0]?.labels).toEqual({})
  })

  it('reads several hashes of a line from columns of their kinds', async () => {
    const { entries } = await read(`id,md5,SHA-1,sha256,pdq,source\n7,${MD5},,${A},${B},x\n`)
    expect(entries.map(({ kind, id, labels }) => [kind, id, labels])).toEqual([
      ['md5', '7', { source: 'x' }],
      ['sha256', '7', { source: 'x' }],
      ['pdq', '7', { source: 'x' }],
    ])
  })

  it('takes the same digits of two kinds for two hashes', async () => {
    const { entries, duplicates } = await read(`hash,kind\n${A},pdq\n${A},sha256\n${A},pdq\n`)
    expect(entries.map(({ kind }) => kind)).toEqual(['pdq', 'sha256'])
    expect(duplicates).toBe(1)
    expect(new Set(entries.map(({ id }) => id)).size).toBe(2)
  })

  it.each([
    [`hash,kind\n${A},crc`, 2, 'has an unknown kind; expected one of pdq, md5, sha1, sha256'],
    [`hash,kind\n${A},md5`, 2, 'has 64 characters where a md5 hash has 32 hex digits'],
    [`md5\n${SHA1}`, 2, 'has 40 characters where a md5 hash has 32 hex digits'],
    ['D41D8CD98F00B204E9800998ECF8427E', 1, 'has the md5 digest of an empty file'],
    ['da39a3ee5e6b4b0d3255bfef95601890afd80709', 1, 'has the sha1 digest of an empty file'],
    [
      'sha256\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      2,
      'has the sha256 digest of an empty file',
    ],
  ])('refuses an invalid digest: %#', async (text, line, problem) => {
    await expect(read(text)).rejects.toEqual(new BadListLineError(line, problem))
  })

  it.each([false, true])(
    'refuses a quote that runs over lines, whose hashes would be lost; skipping bad lines: %s',
    async (skipBad) => {
      for (const end of ['\n', '\r\n', '\r']) {
        const lines = [`${A},x`, `${B},"Smith & co`, `${C},y`, `${A.replace('0', '1')},"z"`]
        const text = ['hash,label', ...lines, ''].join(end)
        await expect(read(text, skipBad)).rejects.toEqual(new MisleadingLineError(3, OPEN_QUOTE))
      }
    },
  )

  it('refuses a quote that never ends', async () => {
    await expect(read(`hash,label\n${A},x\n${B},"y\n${C},z\n`, true)).rejects.toEqual(
      new MisleadingLineError(3, OPEN_QUOTE),
    )
  })

  it.each(['\n', '\r\n', '\r'])(
    'reads quoted cells with separators, quotes and line ends (%j), and counts their lines',
    async (end) => {
      const lines = [
        `"PDQ${end}Hash",note`,
        `${A},"a, ""b""${end}${end}c;${end}"`,
        `${B},x`,
        'bad,y',
      ]
      const text = lines.join(end) + end
      const { entries, skipped } = await read(text, true)
      expect(entries.map(({ labels }) => labels)).toEqual([{ note: 'a, "b" c;' }, { note: 'x' }])
      expect(skipped.map(({ line }) => line)).toEqual([8])
    },
  )

  it('reads the header of a file that was put behind another', async () => {
    const text = `hash,kind,id\n${A},pdq,1\nhash,kind,id\n${B},pdq,2\n`
    expect((await read(text)).entries.map(({ id }) => id)).toEqual(['1', '2'])
    await expect(read(`${text}id,kind,hash\n`)).rejects.toThrow('line 5')
  })

  it('says of a title that it has no hash, and reads on behind it if bad lines are skipped', async () => {
    for (const delimiter of [',', ';', '\t']) {
      const text = `Export of 2026, all\n\nHash${delimiter}Kind\n${A}${delimiter}PDQ\n`
      await expect(read(text)).rejects.toThrow(/^line 1: has no hash .*name a column/)
      expect((await read(text, true)).entries.map(({ kind }) => kind)).toEqual(['pdq'])
    }
  })

  it('refuses a header that names a column twice', async () => {
    const error = new MisleadingLineError(1, 'names a column twice; rename one of the two')
    await expect(read(`md5,md5\n${MD5},${MD5}\n`)).rejects.toEqual(error)
  })

  it('passes over bad lines if it is told to, and reports them', async () => {
    const { entries, skipped } = await read(`${A}\nbad\n${B}\nworse!\n`, true)
    expect(entries).toHaveLength(2)
    expect(skipped.map(({ line }) => line)).toEqual([2, 4])
  })

  it('does not repeat what stands on a bad line', async () => {
    const secret = A.slice(1)
    await expect(read(secret)).rejects.not.toThrow(secret.slice(0, 8))
    await expect(read(`${A.slice(0, 63)}g`)).rejects.not.toThrow(A.slice(0, 8))
  })

  it('reads text in chunks of any size, and an empty one', async () => {
    const bytes = new TextEncoder().encode(`hash,label\n${A},"ü, 1"\n# x\n${B},\n`)
    const whole = await read(bytes)
    for (const size of [1, 7, 100]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      expect(await parseList(chunks, { skipBad: false })).toEqual(whole)
    }
    expect((await read('')).entries).toEqual([])
    expect((await read('# nothing\n\n')).entries).toEqual([])
  })

  it('fails with its source, and gives no part of a list', async () => {
    const broken = new Error('the disk is gone')
    async function* chunks() {
      yield new TextEncoder().encode(`${A}\n${B}\n`)
      await Promise.resolve()
      throw broken
    }
    await expect(parseList(chunks(), { skipBad: true })).rejects.toBe(broken)
  })

  it('refuses text that is not a list at all', async () => {
    const binary = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919) & 255)
    await expect(read(binary)).rejects.toThrow(BadListLineError)
  })
})
