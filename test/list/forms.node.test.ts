import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../src/util/bytes.ts'
import { BadListError, BadListLineError, UnclearKindError } from '../../src/list/errors.ts'
import { type ListOptions, parseList } from '../../src/list/text.ts'

const PDQ = '0123456789abcdef'.repeat(4)
const PDQ_2 = 'fedcba9876543210'.repeat(4)
const MD5 = createHash('md5').update('a').digest('hex')
const SHA1 = createHash('sha1').update('a').digest('hex')
const SHA256 = createHash('sha256').update('a').digest('hex')

async function read(text: string | Uint8Array, options: Partial<ListOptions> = {}) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return parseList([bytes], { skipBad: false, ...options })
}

/** Kinds, hashes and ids of a list. */
async function entriesOf(text: string | Uint8Array, options: Partial<ListOptions> = {}) {
  const { entries } = await read(text, options)
  return entries.map(({ kind, hash, id, labels }) => ({ kind, hash: toHex(hash), id, labels }))
}

const withoutHash = (text: string) => ({ line: Number(/\d+/.exec(text)), text })

describe('parseList: tables as programs export them', () => {
  const rows = [
    ['hash', 'kind', 'id', 'source'],
    [PDQ, 'pdq', '1', 'a'],
    [MD5, 'md5', '2', 'b'],
  ]
  const wanted = [
    { kind: 'pdq', hash: PDQ, id: '1', labels: { source: 'a' } },
    { kind: 'md5', hash: MD5, id: '2', labels: { source: 'b' } },
  ]
  const table = (delimiter: string, end = '\r\n') =>
    rows.map((cells) => cells.join(delimiter) + end).join('')

  it.each([',', ';', '\t', '|'])('reads cells with %j between them', async (delimiter) => {
    expect(await entriesOf(table(delimiter))).toEqual(wanted)
    const quoted = rows.map((cells) => cells.map((cell) => `"${cell}"`).join(delimiter)).join('\n')
    expect(await entriesOf(quoted)).toEqual(wanted)
  })

  it('takes a second cell for a quality only where the first is a hash, and it is one', async () => {
    const [out] = await entriesOf(`${PDQ},7,a.jpg\n`)
    expect(out).toMatchObject({ hash: PDQ, labels: { quality: '7', file: 'a.jpg' } })
    for (const line of [`${PDQ},iwf-1,a.jpg`, `${PDQ},101,a.jpg`, `a.jpg,7,${PDQ}`])
      expect(await entriesOf(`${line}\n`)).toMatchObject([{ hash: PDQ, labels: {} }])
  })

  it('reads the line that tells Excel the delimiter', async () => {
    expect(await entriesOf(`sep=;\r\n${table(';')}`)).toEqual(wanted)
    expect(await entriesOf(`"sep=;";;;\r\n${table(';')}`)).toEqual(wanted)
    expect(await entriesOf(`\ufeffsep=^\n${table('^')}`)).toEqual(wanted)
    const error = new BadListLineError(
      2,
      'has 3 characters where a hash has 32, 40 or 64 hex digits',
    )
    await expect(read('sep=,\nabc\n')).rejects.toEqual(error)
  })

  it.each(['\n', '\r\n', '\r'])('reads lines that end in %j', async (end) => {
    expect(await entriesOf(table(',', end))).toEqual(wanted)
    expect(await entriesOf(`# by hand\n${table(',', end)}`)).toEqual(wanted)
  })

  it('reads UTF-16 of either order, with a byte order mark or without, in chunks', async () => {
    for (const mark of ['\ufeff', '']) {
      const little = Buffer.from(mark + table('\t'), 'utf16le')
      const big = Buffer.from(little).swap16()
      expect(await entriesOf(little)).toEqual(wanted)
      expect(await entriesOf(big)).toEqual(wanted)
      for (const size of [1, 7]) {
        const chunks = Array.from({ length: Math.ceil(big.length / size) }, (_, i) =>
          big.subarray(i * size, (i + 1) * size),
        )
        expect((await parseList(chunks, { skipBad: false })).entries).toHaveLength(2)
      }
    }
  })

  it('reads empty cells at the end of lines, of all or some, and columns without a name', async () => {
    const some = `hash,id\n${PDQ},1,\n${PDQ_2},2,,,\n`
    const all = `hash,id,,\n${PDQ},1,,\n${PDQ_2},2,x,\n`
    const numbered = `,hash,id\n0,${PDQ},1\n1,${PDQ_2},2\n`
    for (const text of [some, all, numbered]) {
      expect((await entriesOf(text)).map(({ id, labels }) => [id, labels])).toEqual([
        ['1', {}],
        ['2', {}],
      ])
    }
    const error = new BadListLineError(2, 'has 3 columns where 2 are expected')
    await expect(read(`hash,id\n${PDQ},1,x\n`)).rejects.toEqual(error)
  })

  it('reads lists without a header by their first line', async () => {
    expect(await entriesOf(`${MD5},${SHA1}\n`)).toMatchObject([{ hash: MD5 }, { hash: SHA1 }])
    expect(await entriesOf(`${MD5} ${SHA1}\n`)).toMatchObject([{ hash: MD5 }, { hash: SHA1 }])
    expect(await entriesOf(`1,sha256,${SHA256}\n2,md5,${MD5}\n`)).toMatchObject([
      { kind: 'sha256', labels: {} },
      { kind: 'md5', labels: {} },
    ])
  })

  it('refuses a hash in a column without a name, which would be lost', async () => {
    const problem =
      'has a hash in column 2, which has no name; a header line such as md5,sha1 names it'
    const error = new BadListLineError(2, problem)
    await expect(read(`${MD5},x\n${MD5},${SHA1}\n`)).rejects.toEqual(error)
    await expect(read(`md5,\n${MD5},${SHA1}\n`)).rejects.toEqual(error)
  })

  it('reads what Excel and databases write', async () => {
    expect(await entriesOf(`md5,sha1\n="${MD5}",NULL\nN/A,"=""${SHA1}"""\n`)).toMatchObject([
      { hash: MD5 },
      { hash: SHA1 },
    ])
    expect(await entriesOf(`md5,sha1\n'${MD5},0x${SHA1}\n`)).toMatchObject([
      { hash: MD5 },
      { hash: SHA1 },
    ])
  })

  it.each([
    'signal_type,signal_str',
    'hash_type,hash_value',
    'Hash Type;Hash Value',
    'algorithm,hash_digest',
    'Type,Indicator',
    'hashName,hashValue',
    'signalType,hashValue',
  ])('reads a list with the header %s', async (header) => {
    const delimiter = header.includes(';') ? ';' : ','
    const lines = [
      ...[
        ['PDQ', PDQ],
        ['SHA-1', SHA1],
        ['SHA256', SHA256],
        ['HASH_MD5', MD5],
      ],
      ...[
        ['video_md5', MD5.replace(/^./, 'f')],
        ['ImagePDQ', PDQ_2],
        ['VideoMD5', MD5.replace(/^./, 'e')],
      ],
    ]
    const text = [header, ...lines.map((cells) => cells.join(delimiter))].join('\n')
    const kinds = ['pdq', 'sha1', 'sha256', 'md5', 'md5', 'pdq', 'md5']
    expect((await entriesOf(text)).map(({ kind }) => kind)).toEqual(kinds)
  })

  it('takes what is said about a hash for no hash', async () => {
    const { entries } = await read(`PDQ Hash,PDQ quality,PDQ hash date,tag,tag\n${PDQ},99,1,x,y\n`)
    expect(entries).toHaveLength(1)
    expect(entries[0]?.labels).toMatchObject({ 'pdq quality': '99', 'pdq hash date': '1' })
  })

  it('takes words that are signals elsewhere for labels', async () => {
    expect(await entriesOf(`md5,url,text\n${MD5},https://a.example,x\n`)).toMatchObject([
      { labels: { url: 'https://a.example', text: 'x' } },
    ])
    expect(await entriesOf(`${MD5},text\n`)).toMatchObject([{ kind: 'md5' }])
  })

  it.each([
    ...['PDQ Hash', 'pdq_hash', 'PDQ', 'image_pdq', 'pdqHash', 'HASH_PDQ', 'Hash (PDQ)'],
    ...['Perceptual Hash (PDQ)', 'PDQ Hash Value'],
  ])('reads a column named %s', async (name) => {
    const list = await read(`Case,${name}\n7,${SHA256}\n`)
    expect(list.entries).toMatchObject([{ kind: 'pdq', labels: { case: '7' } }])
  })

  it('counts hashes of kinds that cannot be matched, keeps none of them, and says no more', async () => {
    const photoDna = 'AbC+/'.repeat(40)
    const list = await read(`MD5,PhotoDNA,Image ID\n${MD5},${photoDna},1\n,${photoDna},2,\n`)
    expect(list.entries).toMatchObject([{ kind: 'md5', id: '1', labels: {} }])
    expect(list.leftOut).toEqual(new Map([['photodna', 2]]))
    const signals = await read(`signal_type,signal_str\nraw_text,some words\npdq,${PDQ}\n`)
    expect(signals.leftOut).toEqual(new Map([['rawtext', 1]]))
    expect(signals.counts).toEqual(new Map([['pdq', 1]]))
  })

  it.each([
    [Buffer.from('PK\u0003\u0004xxxxxxxxxxxxxx', 'latin1'), /Excel workbook .* export it as CSV/],
    [Buffer.from([0x1f, 0x8b, ...Array.from({ length: 20 }, () => 0)]), /gzip: unpack it/],
    [Buffer.from('\ufeff\n<!DOCTYPE html>\n<p>'), /HTML: export it as CSV/],
    [Buffer.from('\ufeff<?xml version="1.0"?>', 'utf16le'), /XML or HTML: export it as CSV/],
    [Buffer.from('{\\rtf1\\ansi x}'), /save it as plain text/],
  ])('says what a file is that is no list: %#', async (bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message)
    await expect(read(bytes)).rejects.toThrow(BadListError)
  })
})

describe('parseList: output of programs', () => {
  let folder: string
  const names = ['a.jpg', 'b, "c" & d.jpg', ' e(1).jpg']

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hashgate-sums-'))
    for (const name of names) await writeFile(join(folder, name), `content of ${name}`)
  })
  afterAll(() => rm(folder, { recursive: true }))

  const digests = (kind: string) =>
    names.map((name) => createHash(kind).update(`content of ${name}`).digest('hex'))

  it.each([
    ['md5sum', [], 'md5'],
    ['sha1sum', ['--binary'], 'sha1'],
    ['sha256sum', [], 'sha256'],
    ['sha256sum', ['--binary'], 'sha256'],
    ['sha256sum', ['--tag'], 'sha256'],
    ['md5sum', ['--tag'], 'md5'],
    ['openssl', ['dgst', '-sha256'], 'sha256'],
  ])('reads that of %s %j', async (program, args, kind) => {
    const output = execFileSync(program, [...args, ...names], { cwd: folder })
    const entries = await entriesOf(output)
    expect(entries.map(({ hash }) => hash)).toEqual(digests(kind))
    expect(entries.every((entry) => entry.kind === kind)).toBe(true)
    expect(entries[0]?.labels).toEqual({ file: 'a.jpg' })
  })

  it('reads lines of threatexchange: a kind and a hash', async () => {
    const { entries, leftOut } = await read(
      `pdq ${PDQ}\nvideo_md5 ${MD5}\nurl https://a.example/\n`,
    )
    expect(entries.map(({ kind }) => kind)).toEqual(['pdq', 'md5'])
    expect(leftOut).toEqual(new Map([['url', 1]]))
  })

  it('reads hash,quality,file and hash,quality,variant,file', async () => {
    const plain = `${PDQ},100,"a, b.jpg"\n${PDQ_2},7,${MD5}\n`
    expect(await entriesOf(plain)).toMatchObject([
      { kind: 'pdq', labels: { quality: '100', file: 'a, b.jpg' } },
      { kind: 'pdq', labels: { quality: '7', file: MD5 } },
    ])
    expect(await entriesOf(`${PDQ},100,rotate90,a.jpg\n`)).toMatchObject([
      { labels: { quality: '100', variant: 'rotate90', file: 'a.jpg' } },
    ])
  })

  it('reads names of files with commas, which the reference does not quote', async () => {
    const text = `${PDQ},100,a.jpg\n${PDQ_2},100,b, c, "d".jpg\n`
    expect((await entriesOf(text)).map(({ labels }) => labels['file'])).toEqual([
      'a.jpg',
      expect.stringMatching(/^b,\s*c,\s*"d".jpg$/),
    ])
  })

  it("reads the reference's detailed output", async () => {
    const line = (hash: string, file: string) =>
      `hash=${hash},norm=128,delta=0,quality=100,filename=${file}\n`
    expect(await entriesOf(line(PDQ, 'a.jpg') + line(PDQ_2, 'b,c.jpg'))).toMatchObject([
      { kind: 'pdq', hash: PDQ, labels: { quality: '100', filename: 'a.jpg' } },
      { hash: PDQ_2, labels: { filename: 'b,c.jpg' } },
    ])
  })

  it('reads names of files that have backslashes or line ends', async () => {
    const text = `\\${MD5}  a\\\\b\\nc.jpg\n${SHA1} *d\\e.jpg\n\\SHA256 (f\\\\g) = ${SHA256}\n`
    const files = (await entriesOf(text)).map(({ labels }) => labels['file'])
    expect(files).toEqual(['a\\b c.jpg', 'd\\e.jpg', 'f\\g'])
  })

  it.each(['\n', '\r\n', '\r'])('reads lines that end in %j', async (end) => {
    const text = [`${MD5}  a.jpg`, '', `${SHA1} *b.jpg`, `pdq ${PDQ}`, 'bad', ''].join(end)
    for (const size of [1, 7, 1000]) {
      const bytes = Buffer.from(text)
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      const { entries, skipped } = await parseList(chunks, { skipBad: true })
      expect(entries.map(({ kind }) => kind)).toEqual(['md5', 'sha1', 'pdq'])
      expect(skipped.map(({ line }) => line)).toEqual([5])
    }
  })

  it('takes no hash behind another for the name of a file', async () => {
    await expect(read(`${MD5}  a.jpg\n${MD5} ${SHA1}\n`)).rejects.toThrow('line 2')
    expect(await entriesOf(`${MD5}  ${SHA1}\n`)).toMatchObject([{ hash: MD5 }])
  })

  it('loses no line that looks like a header', async () => {
    for (const text of [
      `MD5 (a hash of md5.jpg) = ${MD5}\n`,
      `${SHA1}\nMD5 (file hash) = ${MD5}\n`,
    ]) {
      expect((await entriesOf(text)).at(-1)).toMatchObject({ kind: 'md5', hash: MD5 })
    }
  })

  it('reads lines with a kind and a colon, and that of hashdeep', async () => {
    expect(await entriesOf(`sha256:${SHA256}\nMD5: ${MD5}\npdq = ${PDQ}\n`)).toMatchObject([
      { kind: 'sha256', hash: SHA256 },
      { kind: 'md5', hash: MD5 },
      { kind: 'pdq', hash: PDQ },
    ])
    const deep = `%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /\n4,${MD5},${SHA256},/a, b\n`
    expect(await entriesOf(deep.replace('/a, b', '/a'))).toMatchObject([
      { kind: 'md5', labels: { size: '4', filename: '/a' } },
      { kind: 'sha256', hash: SHA256 },
    ])
  })

  it('refuses other lines among them', async () => {
    const error = withoutHash('line 2')
    await expect(read(`${MD5}  a.jpg\nnothing here\n`)).rejects.toMatchObject({ line: error.line })
  })
})

describe('parseList: hashes with 64 digits', () => {
  const sha256s = (count: number) =>
    Array.from({ length: count }, (_, i) => createHash('sha256').update(`${i}`).digest('hex'))
  /** A hash as PDQ makes them: half of its bits are set. */
  const pdqs = (count: number) =>
    sha256s(count).map((digest) => {
      const half = BigInt(`0x${digest.slice(0, 32)}`)
      const other = half ^ ((1n << 128n) - 1n)
      return half.toString(16).padStart(32, '0') + other.toString(16).padStart(32, '0')
    })

  it('takes them for PDQ if half of their bits are set', async () => {
    const { counts } = await read(pdqs(50).join('\n'))
    expect(counts).toEqual(new Map([['pdq', 50]]))
  })

  it('allows for some that have fewer, as blank pictures do', async () => {
    const blank = '0'.repeat(64)
    const { counts } = await read([...pdqs(50), blank].join('\n'))
    expect(counts).toEqual(new Map([['pdq', 51]]))
  })

  it.each([1, 2, 5, 50])(
    'stops at a list of %i SHA-256 digests that does not say so',
    async (count) => {
      const text = sha256s(count).join('\n')
      await expect(read(text)).rejects.toThrow(UnclearKindError)
      await expect(read(text)).rejects.toThrow(/--kind sha256 or --kind pdq/)
      await expect(read(text, { skipBad: true })).rejects.toThrow(UnclearKindError)
      for (const kind of ['sha256', 'pdq'] as const) {
        expect((await read(text, { kind })).counts).toEqual(new Map([[kind, count]]))
      }
      const named = `hash,kind\n${sha256s(count).join(',sha256\n')},sha256\n`
      expect((await read(named)).counts).toEqual(new Map([['sha256', count]]))
    },
  )

  it('stops at a list of both, and tells where the first stands', async () => {
    const text = [...pdqs(10), ...sha256s(10)].join('\n')
    await expect(read(text)).rejects.toThrow(/of 20 hashes with 64 digits .*the first: line 1\d/)
  })

  it('stops at PDQ hashes in the form of sha256sum', async () => {
    const text = pdqs(3).join('  a.jpg\n') + '  b.jpg\n'
    await expect(read(text)).rejects.toThrow(/look like PDQ/)
    expect((await read(text, { kind: 'pdq' })).counts).toEqual(new Map([['pdq', 3]]))
  })

  it('tells how many hashes that a list calls PDQ do not look like it', async () => {
    expect((await read(`pdq\n${sha256s(20).join('\n')}`)).unlikePdq).toBeGreaterThan(15)
    expect((await read(`pdq\n${pdqs(20).join('\n')}`)).unlikePdq).toBe(0)
  })

  it('does not repeat a hash in what it says', async () => {
    const [hash = '', other = ''] = sha256s(2)
    await expect(read(`${hash}\n${other}`)).rejects.not.toThrow(hash.slice(0, 8))
  })
})

describe('parseList: Project VIC', () => {
  const media = (number: number) => ({
    MediaID: number,
    Category: 1,
    MD5: createHash('md5').update(`${number}`).digest('hex').toUpperCase(),
    SHA1: number % 2 === 0 ? createHash('sha1').update(`${number}`).digest('hex') : null,
    MediaSize: '12345',
    Series: '',
    VictimIdentified: false,
    AlternativeHashes: [
      { HashName: 'PhotoDNA', HashValue: 'QUJD'.repeat(48) },
      { HashName: 'SHA256', HashValue: createHash('sha256').update(`${number}`).digest('hex') },
      { HashName: 'F1', HashValue: 'secret' },
    ],
    MediaFiles: [{ FileName: 'a.jpg', MD5: 'x' }],
    Exifs: [{ PropertyName: 'Make', PropertyValue: 'y' }],
  })
  const all = Array.from({ length: 5 }, (_, i) => media(i))
  const MODEL = 'http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media'

  const forms: [string, unknown][] = [
    ['1.3', { 'odata.metadata': MODEL, value: all }],
    ['2.0', { '@odata.context': 'http://github.com/VICSDATAMODEL/…#Media', value: all }],
    ['cases', { '@odata.context': '…#Cases', value: [{ CaseID: 'c', Media: all }, { Media: [] }] }],
    ['one case', { CaseID: 'c', MD5: null, Media: all }],
    ['a plain array', all],
  ]

  it.each(forms)('reads that of %s', async (_, list) => {
    for (const text of [JSON.stringify(list), `\ufeff${JSON.stringify(list, null, 2)}\n`]) {
      const { entries, counts, leftOut } = await read(text)
      expect(counts).toEqual(
        new Map([
          ['md5', 5],
          ['sha1', 3],
          ['sha256', 5],
        ]),
      )
      expect(leftOut).toEqual(
        new Map([
          ['photodna', 5],
          ['unknownhash', 5],
        ]),
      )
      expect(entries[0]).toMatchObject({
        kind: 'md5',
        id: '0',
        labels: { category: '1', mediasize: '12345', victimidentified: 'false' },
      })
      expect(JSON.stringify(entries)).not.toContain('secret')
    }
  })

  it('reads media wherever they are, and takes nothing else for media', async () => {
    const one = { MD5, Media: null }
    const nested = { MediaID: 7, SHA1, Tags: { value: [{ Name: 'x' }] }, Media: [one] }
    for (const list of [
      { value: [{ CaseID: 1, Media: [one, nested] }, { CaseID: 2 }, { CaseID: 3, Media: [] }] },
      { Cases: [{ Media: { value: [one, nested] } }] },
      { data: { value: [one, nested] } },
      [one, { CaseID: 2, Media: null }, nested],
    ]) {
      const { entries, duplicates } = await read(JSON.stringify(list))
      expect(entries.map(({ kind }) => kind)).toEqual(['md5', 'sha1'])
      expect(duplicates).toBe(1)
    }
  })

  it('reads one object a line', async () => {
    const text = all.map((one) => JSON.stringify(one)).join('\n')
    expect((await read(text)).entries).toHaveLength(13)
    expect(await entriesOf(`{"hash":"${PDQ}","kind":"pdq","id":7}\n`)).toMatchObject([
      { kind: 'pdq', id: '7' },
    ])
  })

  it('reads chunks of any size, and UTF-16', async () => {
    const text = JSON.stringify({ value: all })
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    const chunks = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
    expect((await parseList(chunks, { skipBad: false })).entries).toHaveLength(13)
  })

  it('says which record is bad, or passes over it', async () => {
    const text = JSON.stringify({ value: [media(1), { MediaID: 2, MD5: 'ab' }, media(3)] })
    const problem = 'has 2 characters where a md5 hash has 32 hex digits'
    await expect(read(text)).rejects.toEqual(new BadListLineError(2, problem, 'record'))
    expect((await read(text, { skipBad: true })).skipped).toHaveLength(1)
  })

  it('refuses JSON that is cut off, invalid, or no list', async () => {
    const text = JSON.stringify({ value: all })
    await expect(read(text.slice(0, -1))).rejects.toThrow(/download the whole file/)
    await expect(read(text.slice(0, text.length / 2))).rejects.toThrow(/is truncated in record/)
    await expect(read(`${text.slice(0, -2)}}`)).rejects.toThrow(/not valid JSON after record 5/)
    await expect(read('{"a":1}')).rejects.toThrow(/no array of records/)
    await expect(read(JSON.stringify([PDQ, [PDQ]]))).rejects.toThrow(/no array of records/)
  })

  it('keeps nothing of the records that it has read', async () => {
    const count = 30_000
    const long = 'x'.repeat(10_000)
    const encoder = new TextEncoder()
    let most = 0
    /** 300 MB, all records in one case. */
    function* chunks() {
      yield encoder.encode('{"value":[{"CaseID":"c","Media":[')
      for (let i = 0; i < count; i++) {
        const record = {
          MD5: createHash('md5').update(`${i}`).digest('hex'),
          MediaFiles: [{ long }],
        }
        yield encoder.encode((i === 0 ? '' : ',') + JSON.stringify(record))
        if (i % 1000 === 0) most = Math.max(most, process.memoryUsage().heapUsed)
      }
      yield encoder.encode(']}]}')
    }
    const before = process.memoryUsage().heapUsed
    expect((await parseList(chunks(), { skipBad: false })).entries).toHaveLength(count)
    expect(most - before).toBeLessThan(150 << 20)
  })
})
