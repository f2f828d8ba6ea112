import { gzipSync, zstdCompressSync } from 'node:zlib'
import { blake2b } from '@noble/hashes/blake2.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { isSafeUrl } from '../../src/desk/exchanges/https/settings.ts'
import { HttpsExchange } from '../../src/desk/exchanges/https/https.ts'
import type { ExchangePage } from '../../src/desk/exchanges/exchange.ts'
import { readDeskSettings } from '../../src/desk/settings.ts'
import { concatenate, toHex } from '../../src/util/bytes.ts'
import { randomBytes } from '../support/random.ts'

type Bytes = Uint8Array<ArrayBuffer>

const md5 = toHex(randomBytes(16, 1))
const pdq = toHex(randomBytes(32, 2))
const FILE = 'https://lists.example/hashes'

/** What the server answers, by path. */
let files: Record<string, { body: Bytes; headers?: Record<string, string>; status?: number }>
let asked: Request[]

beforeEach(() => {
  files = {}
  asked = []
})

function bytes(text: string): Bytes {
  return new Uint8Array(new TextEncoder().encode(text))
}

function exchange(settings: object = {}): HttpsExchange {
  const { exchanges } = readDeskSettings({
    DESK: { exchanges: { a: { kind: 'https', url: FILE, format: 'csv', bank: 'b', ...settings } } },
  })
  const made = exchanges['a']
  if (made?.kind !== 'https') throw new TypeError('another kind')
  return new HttpsExchange(made, 'secret', {
    fetch: async (request) => {
      asked.push(request)
      const file = files[new URL(request.url).pathname]
      if (!file) return new Response(null, { status: 404 })
      const { body, headers = {}, status = 200 } = file
      return new Response(status === 304 ? null : body, { status, headers })
    },
    now: () => 0,
    sleep: async () => {},
  })
}

async function read(from: HttpsExchange, checkpoint?: never): Promise<ExchangePage[]> {
  const pages: ExchangePage[] = []
  for await (const page of from.pages(checkpoint)) pages.push(page)
  return pages
}

async function hashesOf(text: string | Bytes, settings: object = {}): Promise<string[]> {
  files['/hashes'] = { body: typeof text === 'string' ? bytes(text) : text }
  const pages = await read(exchange(settings))
  return pages.flatMap(({ upserts }) =>
    upserts.flatMap(({ hashes }) => hashes.map(({ kind, value }) => `${kind} ${value}`)),
  )
}

describe('a file over https', () => {
  it.each([
    ['lines', `# comment\n${md5}\r\n\n${pdq.toUpperCase()}\n`, {}],
    ['csv', `hash,kind\n"${md5}",md5\n${pdq.toUpperCase()},pdq\n`, {}],
    [
      'csv',
      `Digest;x,The kind\n${md5},md5\n${pdq.toUpperCase()},pdq\n`.replace('Digest;x', 'Digest'),
      { fields: { hash: 'Digest', kind: 'The kind' } },
    ],
    ['csv', `md5,pdq\n${md5},${pdq.toUpperCase()}\n`, {}],
    ['ndjson', `{"hash":"${md5}"}\n{"hash":"${pdq.toUpperCase()}"}`, {}],
    [
      'json',
      `{"data":{"items":[{"h":{"v":"${md5}"}},{"h":{"v":"${pdq.toUpperCase()}"}}]}}`,
      { records: '/data/items', fields: { hash: '/h/v' } },
    ],
  ])('is read as %s', async (format, text, settings) => {
    const found = await hashesOf(text, { format, ...settings })
    expect(found.map((line) => line.toLowerCase()).toSorted()).toEqual([`md5 ${md5}`, `pdq ${pdq}`])
  })

  it('is unpacked by what its first bytes say', async () => {
    const text = `hash\n${md5}\n`
    expect(await hashesOf(new Uint8Array(gzipSync(text)))).toEqual([`md5 ${md5}`])
    expect(await hashesOf(new Uint8Array(zstdCompressSync(text)))).toEqual([`md5 ${md5}`])
  })

  it.each([
    ['gzip', (text: string) => gzipSync(text)],
    ['zstd', (text: string) => zstdCompressSync(text)],
  ])('fails when it is cut off within %s, or unpacks to too much', async (_, pack) => {
    const packed = new Uint8Array(pack(`hash\n${`${md5}\n`.repeat(500)}`))
    for (const end of [12, packed.length - 1]) {
      await expect(hashesOf(packed.slice(0, end))).rejects.toMatchObject({ code: 'bad-answer' })
    }
    await expect(hashesOf(packed, { maxUnpackedBytes: 4096 })).rejects.toThrow('unpacks to more')
  })

  it('has columns of its own: id, tier, labels, and what is deleted', async () => {
    const text = `id,hash,grade,gone,note\n1,${md5},A1,no,x\n2,${pdq},A2,yes,y\n`
    files['/hashes'] = { body: bytes(text) }
    const fields = { tier: 'grade', deleted: 'gone' }
    const [page] = await read(exchange({ fields }))
    expect(page).toMatchObject({
      upserts: [{ key: '1', id: '1', tier: 'A1', labels: { note: 'x' } }],
      deletes: [{ key: '2' }],
      startsOver: true,
      isComplete: true,
    })
  })

  it('counts invalid rows, and reads the others', async () => {
    files['/hashes'] = { body: bytes(`${md5}\nno hash\n${pdq}\n`) }
    const [page] = await read(exchange({ format: 'lines' }))
    expect(page?.upserts).toHaveLength(2)
    expect(page?.skipped).toEqual({ 'hash: its length fits no kind': 1 })
  })

  it.each([
    ['lines', ''],
    ['lines', '<html>Back soon</html>'],
    ['csv', ''],
    ['csv', '<html>Back soon</html>\n'],
    ['json', '{"value":['],
    ['json', '{"error":"x"}'],
    ['ndjson', `{"hash":"${md5}"}\n{"ha`],
  ])('is not mistaken for a shorter list if it is not a list: %s %s', async (format, text) => {
    await expect(hashesOf(text, { format })).rejects.toMatchObject({ code: 'bad-answer' })
  })

  it('may say that it is empty', async () => {
    expect(await hashesOf('hash,id\n')).toEqual([])
    expect(await hashesOf('[]', { format: 'json' })).toEqual([])
  })

  it('is refused if it is too long or too short', async () => {
    await expect(hashesOf(`hash\n${md5}\n`.padEnd(3000), { maxBytes: 2000 })).rejects.toThrow(
      'more than 2000',
    )
    files['/hashes'] = { body: bytes(`hash\n${md5}\n`), headers: { 'content-length': '999' } }
    await expect(read(exchange())).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is asked for only if it has changed, and read only if it differs', async () => {
    const body = bytes(`hash\n${md5}\n`)
    files['/hashes'] = {
      body,
      headers: { etag: '"1"', 'last-modified': 'Thu, 26 Nov 2026 00:00:00 GMT' },
    }
    const [first] = await read(exchange())
    files['/hashes'] = { body, status: 304 }
    const [second] = await read(exchange(), first?.checkpoint as never)
    expect(asked[1]?.headers.get('if-none-match')).toBe('"1"')
    expect(asked[1]?.headers.get('if-modified-since')).toBe('Thu, 26 Nov 2026 00:00:00 GMT')
    expect(second).toMatchObject({ upserts: [], isComplete: true })
    expect(second?.startsOver).toBeUndefined()
    files['/hashes'] = { body, headers: { etag: '"2"' } }
    const [third] = await read(exchange(), second?.checkpoint as never)
    expect(third).toMatchObject({ upserts: [], isComplete: true, checkpoint: { etag: '"2"' } })
  })

  it('continues where it was cut off, unless it has changed', async () => {
    const lines = Array.from({ length: 2500 }, (_, i) => toHex(randomBytes(16, i)))
    files['/hashes'] = { body: bytes(lines.join('\n')) }
    const [first] = await read(exchange({ format: 'lines' }))
    const rest = await read(exchange({ format: 'lines' }), first?.checkpoint as never)
    expect(rest.map(({ upserts }) => upserts.length)).toEqual([1000, 500])
    expect(rest[0]?.startsOver).toBe(false)
    files['/hashes'] = { body: bytes(lines.slice(1).join('\n')) }
    const anew = await read(exchange({ format: 'lines' }), first?.checkpoint as never)
    expect(anew[0]).toMatchObject({ startsOver: true })
    expect(anew[0]!.upserts[0]!.updated).toBeGreaterThan(first!.upserts[0]!.updated)
  })

  it('only adds entries if it is not the whole list', async () => {
    files['/hashes'] = { body: bytes(`hash\n${md5}\n`) }
    const [page] = await read(exchange({ mode: 'append' }))
    expect(page?.startsOver).toBe(false)
  })

  it.each([
    [{ type: 'bearer', secret: 'S' }, 'authorization', 'Bearer secret'],
    [{ type: 'basic', user: 'me', secret: 'S' }, 'authorization', `Basic ${btoa('me:secret')}`],
    [{ type: 'header', header: 'x-key', secret: 'S' }, 'x-key', 'secret'],
  ])('is asked for with credentials, which no other server gets: %o', async (auth, name, value) => {
    files['/hashes'] = { body: bytes(`hash\n${md5}\n`) }
    files['/sum'] = { body: bytes('0'.repeat(64)) }
    const signature = { type: 'sha256', url: 'https://elsewhere.example/sum' }
    await expect(read(exchange({ auth, signature }))).rejects.toThrow('does not match its SHA-256')
    expect(asked.map(({ headers }) => headers.get(name))).toEqual([value, null])
  })

  it('does not follow redirects', async () => {
    files['/hashes'] = {
      body: bytes(''),
      status: 302,
      headers: { location: 'https://evil.example' },
    }
    await expect(read(exchange())).rejects.toMatchObject({ code: 'bad-answer' })
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['https://example.org/a', true],
    ['http://127.0.0.1:8080/a', true],
    ['http://example.org/a', false],
    ['https://user:pass@example.org/a', false],
    ['https://10.1.2.3/a', false],
    ['https://0xa9fea9fe/latest', false],
    ['https://192.168.1.1/a', false],
    ['https://[fd00::1]/a', false],
    ['https://[::ffff:10.0.0.1]/a', false],
    ['https://service.internal/a', false],
    ['ftp://example.org/a', false],
  ])('%s may be asked: %s', (url, isSafe) => {
    expect(isSafeUrl(url)).toBe(isSafe)
  })
})

describe('a signature', () => {
  const body = bytes(`hash\n${md5}\n`)
  const base64 = (value: Uint8Array) => btoa(String.fromCharCode(...value))

  async function keyPair() {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    const { privateKey, publicKey } = pair as CryptoKeyPair
    const raw = new Uint8Array((await crypto.subtle.exportKey('raw', publicKey)) as ArrayBuffer)
    const sign = async (message: Bytes) =>
      new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message))
    return { raw, sign }
  }

  /** Signs as `minisign -S` does: the file or its BLAKE2b, then that signature with the trusted comment. */
  async function minisign(algorithm: 'Ed' | 'ED') {
    const { raw, sign } = await keyPair()
    const id = randomBytes(8, 7)
    const signed = algorithm === 'ED' ? new Uint8Array(blake2b(body, { dkLen: 64 })) : body
    const signature = await sign(signed)
    const comment = 'timestamp:1\tfile:hashes'
    const global = await sign(concatenate([signature, bytes(comment)]))
    const head = bytes(algorithm)
    const lines = [
      'untrusted comment: signature',
      base64(concatenate([head, id, signature])),
      `trusted comment: ${comment}`,
      base64(global),
    ]
    return { publicKey: base64(concatenate([bytes('Ed'), id, raw])), lines }
  }

  async function readSigned(signature: object, detached: Bytes): Promise<ExchangePage[]> {
    files['/hashes'] = { body }
    files['/hashes.sig'] = { body: detached }
    return read(exchange({ signature: { url: `${FILE}.sig`, ...signature } }))
  }

  it('of SHA-256 must be that of the file', async () => {
    const digest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', body)))
    expect(await readSigned({ type: 'sha256' }, bytes(`${digest}  hashes\n`))).toHaveLength(1)
    const other = bytes(`${digest.replace(/^./, (c) => (c === '0' ? '1' : '0'))}  hashes\n`)
    await expect(readSigned({ type: 'sha256' }, other)).rejects.toMatchObject({
      code: 'bad-answer',
    })
  })

  it('of Ed25519 is taken as bytes, hex or base64', async () => {
    const { raw, sign } = await keyPair()
    const signature = await sign(body)
    for (const form of [signature, bytes(toHex(signature)), bytes(base64(signature))]) {
      const settings = { type: 'ed25519', publicKey: base64(raw) }
      expect(await readSigned(settings, form)).toHaveLength(1)
    }
    const { raw: other } = await keyPair()
    const settings = { type: 'ed25519', publicKey: toHex(other) }
    await expect(readSigned(settings, signature)).rejects.toThrow('invalid signature')
  })

  it.each(['Ed', 'ED'] as const)(
    'of minisign is checked, with its trusted comment: %s',
    async (algorithm) => {
      const { publicKey, lines } = await minisign(algorithm)
      const settings = { type: 'minisign', publicKey }
      expect(await readSigned(settings, bytes(lines.join('\n')))).toHaveLength(1)
      const forged = lines.with(2, 'trusted comment: timestamp:2\tfile:hashes')
      await expect(readSigned(settings, bytes(forged.join('\n')))).rejects.toThrow(
        'invalid signature',
      )
      const other = await minisign(algorithm)
      await expect(
        readSigned({ type: 'minisign', publicKey: other.publicKey }, bytes(lines.join('\n'))),
      ).rejects.toThrow('invalid signature')
      await expect(readSigned(settings, bytes('nothing'))).rejects.toThrow('minisign did not make')
    },
  )
})
