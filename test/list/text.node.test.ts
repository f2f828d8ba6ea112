import { describe, expect, it } from 'vitest'
import { formatHash } from '../../src/core/hash.ts'
import { BadListLineError } from '../../src/list/errors.ts'
import { parseList } from '../../src/list/text.ts'

const A = '0123456789abcdef'.repeat(4)
const B = 'f'.repeat(64)
const C = '0'.repeat(64)

const UNNAMED = 'where only a hash is expected; a header line such as hash,id names them'

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

  it('keeps the first of the lines with the same hash, and counts the others', async () => {
    const { entries, duplicates } = await read(`hash,id\n${A},1\n${A.toUpperCase()},2\n${B},3\n`)
    expect(entries.map(({ id }) => id)).toEqual(['1', '3'])
    expect(duplicates).toBe(1)
  })

  it.each([
    [`${A}\n${B.slice(1)}\n${C}`, 2, 'has 63 characters where a hash has 64 hex digits'],
    [`# list\n\n${A.replace('3', 'x')}`, 3, 'has a character that is no hex digit at position 4'],
    [`${A}\n${B},note`, 2, `has 2 columns ${UNNAMED}`],
    [`hash,id\n${A},1,2`, 2, 'has 3 columns where the header names 2'],
    ['hash,id\n,5', 2, 'has no hash'],
    ['id,label\n1,2', 1, `has 2 columns ${UNNAMED}`],
  ])('refuses a bad line with its number and what is wrong: %#', async (text, line, problem) => {
    await expect(read(text)).rejects.toEqual(new BadListLineError(line, problem))
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

  it('reads text in pieces of any size, and an empty one', async () => {
    const bytes = new TextEncoder().encode(`hash,label\n${A},"ü, 1"\n# x\n${B},\n`)
    const whole = await read(bytes)
    for (const size of [1, 7, 100]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      expect(await parseList(pieces, { skipBad: false })).toEqual(whole)
    }
    expect((await read('')).entries).toEqual([])
    expect((await read('# nothing\n\n')).entries).toEqual([])
  })

  it('refuses what is no text of a list at all', async () => {
    const binary = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919) & 255)
    await expect(read(binary)).rejects.toThrow(BadListLineError)
  })
})
