// The official client, over real sockets that break, before the Worker in workerd.

import { createHash } from 'node:crypto'
import * as tus from 'tus-js-client'
import { describe, expect, it } from 'vitest'
import { BreakingWire } from '../../support/breaking-wire.ts'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { startStaging } from '../../support/staging-harness.ts'
import { digest } from '../../support/uploads.ts'

const MIB = 1024 * 1024
const { origin, url, known, unrelated, staged, expectNothingStaged } = await startStaging({
  tus: { path: '/files', originPath: '/stored', corsOrigins: ['https://app.example.com'] },
  upload: {
    onParts: 'refuse',
    maxBodyBytes: 64 * MIB,
    maxBufferedBytes: 2 * MIB,
    clientStallSeconds: 2,
  },
})
const endpoint = new URL('/files', url)

/** Uploads by the official client. Rejects with its error. */
function upload(file: Uint8Array, options: tus.UploadOptions = {}): Promise<tus.Upload> {
  return new Promise((resolve, reject) => {
    const uploading = new tus.Upload(Buffer.from(file), {
      endpoint: endpoint.href,
      retryDelays: [0, 50, 100, 200, 400, 400, 400, 400, 400, 400],
      metadata: { filename: 'wörld.jpg', filetype: 'image/jpeg' },
      onError: reject,
      onSuccess: () => resolve(uploading),
      ...options,
    })
    uploading.start()
  })
}

/** Status and body of what the client was answered at last. */
async function refusalOf(uploading: Promise<unknown>): Promise<[number, string]> {
  const error = await uploading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof tus.DetailedError)) throw new Error('not refused', { cause: error })
  return [error.originalResponse?.getStatus() ?? 0, error.originalResponse?.getBody() ?? '']
}

function expectArrivedOnce(file: Uint8Array): void {
  expect(origin.received.map(({ isComplete, url: path }) => [isComplete, path])).toEqual([
    [true, '/stored'],
  ])
  expect(digest(origin.received[0]!.body)).toBe(digest(file))
}

const TUS = { 'tus-resumable': '1.0.0' }
const PATCH = { ...TUS, 'content-type': 'application/offset+octet-stream' }

async function create(length: number, headers: Record<string, string> = {}): Promise<URL> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { ...TUS, 'upload-length': String(length), ...headers },
  })
  expect(response.status).toBe(201)
  expect(response.headers.get('upload-expires')).toMatch(/GMT$/)
  return new URL(response.headers.get('location') ?? '', url)
}

function patch(
  at: URL,
  offset: number,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(at, {
    method: 'PATCH',
    headers: { ...PATCH, 'upload-offset': String(offset), ...headers },
    body: new Uint8Array(body),
  })
}

function head(at: URL): Promise<Response> {
  return fetch(at, { method: 'HEAD', headers: TUS })
}

async function offsetOf(at: URL): Promise<number> {
  return Number((await head(at)).headers.get('upload-offset'))
}

describe('what this server does not have', () => {
  it.each([
    ['a length that comes later', { uploadLengthDeferred: true, chunkSize: MIB }, 'deferred'],
    ['uploads in parallel', { parallelUploads: 2 }, 'concatenated'],
  ])('is announced to clients: %s', async (_, options, word) => {
    const [status, text] = await refusalOf(upload(randomBytes(3 * MIB, 1), options))
    expect([status, text]).toEqual([400, expect.stringContaining(word)])
  })
})

describe('the end of an upload that is sent twice', () => {
  it.each([
    ['arrives once', unrelated, 204],
    ['is refused as before', known, 451],
  ])('%s, and has the first answer again', async (_, file, status) => {
    const at = await create(file.length)
    const first = await patch(at, 0, file)
    const second = await patch(at, 0, file)
    expect([first.status, second.status]).toEqual([status, status])
    expect(await second.text()).toBe(await first.text())
    expect(second.headers.get('upload-offset')).toBe(first.headers.get('upload-offset'))
    expect((await patch(at, 1, file)).status).toBe(410)
    expect((await patch(at, 0, randomBytes(file.length, 1))).status).toBe(410)
    expect(origin.received).toHaveLength(status === 204 ? 1 : 0)
    await expectNothingStaged()
  })

  it.each([
    ['arrives once', unrelated, 204],
    ['arrives once, if it is long', randomBytes(9 * MIB, 5), 204],
    ['is refused once', known, 451],
  ])('%s, and all that come at the same time have the first answer', async (_, file, status) => {
    const at = await create(file.length)
    const begun = file.subarray(0, 1000)
    expect((await patch(at, 0, begun)).status).toBe(204)
    const sent = Array.from({ length: 4 }, () => patch(at, begun.length, file.subarray(1000)))
    const answers = await Promise.all(sent)
    expect(answers.map((answer) => answer.status)).toEqual([status, status, status, status])
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(texts).size).toBe(1)
    if (status === 204) expectArrivedOnce(file)
    else expect(origin.connections).toBe(0)
    await expectNothingStaged()
  })

  it('may be sent again when the origin has failed, also by who came second', async () => {
    const at = await create(unrelated.length)
    origin.failNext(503)
    const answers = await Promise.all([patch(at, 0, unrelated), patch(at, 0, unrelated)])
    const [second, first] = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    expect(first).toBe(503)
    expect([409, 423]).toContain(second) // whichever it found: clients ask for the offset
    const offset = await offsetOf(at)
    origin.clear()
    expect((await patch(at, offset, unrelated.subarray(offset))).status).toBe(204)
    expectArrivedOnce(unrelated)
  })

  it('has the head of an answer again that is too long to be remembered', async () => {
    const at = await create(unrelated.length)
    origin.failNext(422)
    const first = await patch(at, 0, unrelated)
    expect([first.status, await first.text()]).toEqual([422, 'no'])
    const second = await patch(at, 0, unrelated)
    expect(second.status).toBe(422)
  })
})

describe('an upload of tus-js-client', () => {
  it.each([
    ['in one request', 20 * MIB + 17, {}],
    ['small', 1000, {}],
    ['with the creation', 5 * MIB, { uploadDataDuringCreation: true }],
    ['in chunks', 9 * MIB + 1, { chunkSize: MIB + 3 }],
    ['in tiny chunks', 20_000, { chunkSize: 1000 }],
    ['by POST alone', 3 * MIB, { overridePatchMethod: true }],
    ['empty', 0, {}],
  ])('arrives once, byte for byte: %s', async (_, bytes, options) => {
    const file = randomBytes(bytes, bytes)
    await upload(file, { headers: { authorization: 'Bearer x' }, ...options })
    expectArrivedOnce(file)
    expect(origin.received[0]).toMatchObject({ method: 'POST' })
    expect(origin.received[0]!.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(bytes),
      'content-disposition': "attachment; filename*=UTF-8''w%C3%B6rld.jpg",
      'upload-metadata': 'filename d8O2cmxkLmpwZw==,filetype aW1hZ2UvanBlZw==',
      authorization: 'Bearer x',
    })
    expect(origin.received[0]!.headers).not.toHaveProperty('tus-resumable')
    await expectNothingStaged()
  })

  it.each([1, 2, 3, 4, 5])(
    'goes on where it was broken off, at random offsets: seed %i',
    async (seed) => {
      const random = randomFrom(seed)
      const file = randomBytes(12 * MIB + seed, seed)
      const wire = await BreakingWire.start(
        url,
        Array.from({ length: 5 }, () => Math.floor(random() * 6 * MIB)),
      )
      const chunkSize = seed % 2 ? Infinity : 2 * MIB
      await upload(file, { endpoint: `${wire.url}/files`, chunkSize })
      wire.stop()
      expect(wire.broken).toBeGreaterThan(2)
      expectArrivedOnce(file)
      await expectNothingStaged()
    },
  )

  it.each([
    ['in one request', {}],
    ['in chunks', { chunkSize: 10_007 }],
    ['with the creation', { uploadDataDuringCreation: true }],
  ])('is refused when it is whole, if it is known: %s', async (_, options) => {
    const [status, body] = await refusalOf(upload(known, options))
    expect(status).toBe(451)
    expect(JSON.parse(body)).toMatchObject({
      status: 451,
      title: 'This upload cannot be accepted.',
    })
    expect(origin.connections).toBe(0)
    await expectNothingStaged()
  })

  it('is refused before the origin hears of it, if it is long, and was broken off', async () => {
    const file = Buffer.concat([known, randomBytes(9 * MIB, 1)])
    const wire = await BreakingWire.start(url, [known.length >> 1, 3 * MIB])
    const [status] = await refusalOf(upload(file, { endpoint: `${wire.url}/files` }))
    wire.stop()
    expect([status, wire.broken]).toEqual([451, 2])
    expect(origin.connections).toBe(0)
    await expectNothingStaged()
  })

  it('is ended by the client', async () => {
    const at = await create(10 * MIB)
    expect((await patch(at, 0, randomBytes(5 * MIB, 1))).status).toBe(204)
    expect(await staged()).toHaveLength(2)
    await tus.Upload.terminate(at.href)
    expect((await head(at)).status).toBe(410)
    expect((await patch(at, 5 * MIB, randomBytes(10, 1))).status).toBe(410)
    await expectNothingStaged()
  })
})

describe('the offset of an upload', () => {
  it('counts for one of two requests that go on from it', async () => {
    const file = randomBytes(9 * MIB, 3)
    const at = await create(file.length)
    const other = randomBytes(file.length, 4)
    const answers = await Promise.all([patch(at, 0, file), patch(at, 0, other)])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409])
    const first = answers[0].status === 204 ? file : other
    // Parts of one may stand before parts of the other only if each followed what was there.
    expect(origin.received).toHaveLength(1)
    expect(digest(origin.received[0]!.body)).toBe(digest(first))
    await expectNothingStaged()
  })

  it('is what came, when a client sends no more', async () => {
    const at = await create(6 * MIB)
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(randomBytes(5 * MIB, 1)),
    })
    const answer = await fetch(at, {
      method: 'PATCH',
      headers: { ...PATCH, 'upload-offset': '0' },
      body,
      duplex: 'half',
    } as RequestInit)
    expect(answer.status).toBe(408)
    expect(await offsetOf(at)).toBeGreaterThanOrEqual(4 * MIB)
  })

  it('must be the right one', async () => {
    const at = await create(100)
    expect((await patch(at, 1, randomBytes(10, 1))).status).toBe(409)
    expect((await patch(at, 0, randomBytes(101, 1))).status).toBe(413)
    expect((await patch(at, 0, randomBytes(10, 1), { 'upload-offset': '-0' })).status).toBe(400)
    expect(await offsetOf(at)).toBe(0)
    expect((await patch(at, 0, randomBytes(10, 1))).headers.get('upload-offset')).toBe('10')
    expect(await offsetOf(at)).toBe(10)
  })
})

describe('an upload that the origin does not take', () => {
  it('is kept but for its last byte, so that its end can be sent again', async () => {
    const at = await create(unrelated.length)
    origin.failNext(503)
    expect((await patch(at, 0, unrelated)).status).toBe(503)
    const offset = await offsetOf(at)
    expect(offset).toBe(unrelated.length - 1)
    origin.clear()
    expect((await patch(at, offset, unrelated.subarray(offset))).status).toBe(204)
    expectArrivedOnce(unrelated)
    expect(await offsetOf(at)).toBe(unrelated.length)
    await expectNothingStaged()
  })

  it('is deleted, if it will never take it', async () => {
    const at = await create(unrelated.length)
    origin.failNext(422)
    expect((await patch(at, 0, unrelated)).status).toBe(422)
    expect((await head(at)).status).toBe(410)
    await expectNothingStaged()
  })
})

describe('a checksum', () => {
  const bytes = randomBytes(5 * MIB, 7)
  const sum = (algorithm: string, of = bytes) =>
    `${algorithm} ${createHash(algorithm).update(of).digest('base64')}`

  it.each(['sha1', 'sha256', 'md5'])(
    'is checked before the offset moves: %s',
    async (algorithm) => {
      const at = await create(2 * bytes.length)
      const wrong = sum(algorithm, randomBytes(10, 1))
      expect((await patch(at, 0, bytes, { 'upload-checksum': wrong })).status).toBe(460)
      expect(await offsetOf(at)).toBe(0)
      expect(await staged()).toEqual([])
      const right = await patch(at, 0, bytes, { 'upload-checksum': sum(algorithm) })
      expect([right.status, await offsetOf(at)]).toEqual([204, bytes.length])
      await tus.Upload.terminate(at.href)
    },
  )

  it('is refused if it is malformed, or of another algorithm', async () => {
    const at = await create(2 * bytes.length)
    for (const header of ['crc32 AAAA', 'sha1', 'sha1 AAAA', 'sha1 ****', '']) {
      expect((await patch(at, 0, bytes, { 'upload-checksum': header })).status).toBe(400)
    }
  })
})

describe('the server', () => {
  it('tells what it can', async () => {
    const answer = await fetch(endpoint, { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'tus-resumable': '1.0.0',
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,termination,expiration,checksum',
      'tus-max-size': String(64 * MIB),
      'tus-checksum-algorithm': 'sha1,sha256,md5',
    })
  })

  it('accepts pages of the named origins', async () => {
    const preflight = (from: string) =>
      fetch(endpoint, {
        method: 'OPTIONS',
        headers: {
          origin: from,
          'access-control-request-method': 'PATCH',
          'access-control-request-headers': 'tus-resumable,upload-offset',
        },
      })
    const allowed = await preflight('https://app.example.com')
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-headers': 'tus-resumable,upload-offset',
      'tus-version': '1.0.0',
    })
    const other = await preflight('https://evil.example')
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('wants its version of the protocol', async () => {
    const answer = await fetch(endpoint, { method: 'POST', headers: { 'upload-length': '1' } })
    expect([answer.status, answer.headers.get('tus-version')]).toEqual([412, '1.0.0'])
  })

  it.each([
    ['no length', {}, 400],
    ['a length that is none', { 'upload-length': '1e3' }, 400],
    ['a length that comes later', { 'upload-defer-length': '1' }, 400],
    ['more than the gate takes', { 'upload-length': String(64 * MIB + 1) }, 413],
    ['a part of others', { 'upload-length': '1', 'upload-concat': 'partial' }, 400],
    ['metadata that is none', { 'upload-length': '1', 'upload-metadata': 'a b c' }, 400],
    ['a name twice', { 'upload-length': '1', 'upload-metadata': 'a YQ==,a Yg==' }, 400],
    ['long metadata', { 'upload-length': '1', 'upload-metadata': `a ${'YQ'.repeat(5000)}` }, 400],
  ])('refuses to begin an upload with %s', async (_, headers, status) => {
    const answer = await fetch(endpoint, { method: 'POST', headers: { ...TUS, ...headers } })
    expect(answer.status).toBe(status)
    expect((await answer.text()).length).toBeGreaterThan(10)
  })

  it('knows no upload that it did not make', async () => {
    for (const name of ['x', '0'.repeat(64), 'f'.repeat(64)]) {
      expect((await head(new URL(`/files/${name}`, url))).status).toBe(404)
    }
  })

  it('sends a type that holds files on as that of one file', async () => {
    for (const filetype of ['multipart/form-data; boundary=x', 'application/json', 'a/b\r\nx: y']) {
      origin.clear()
      await upload(randomBytes(100, 1), { metadata: { filetype } })
      expect(origin.received[0]!.headers['content-type']).toBe('application/octet-stream')
    }
  })

  it('leaves all else to the origin', async () => {
    const answer = await fetch(new URL('/filesystem', url), { method: 'POST', body: 'x' })
    expect([answer.status, origin.received[0]?.url]).toEqual([201, '/filesystem'])
    expect((await fetch(new URL('/files/a', url))).status).toBe(201)
  })
})
