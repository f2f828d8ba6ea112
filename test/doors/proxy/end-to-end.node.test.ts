// The Worker as it is deployed, in workerd, between real sockets: a client here, and an origin on loopback.

import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { picture } from '../../support/sharp-images.ts'
import { digest, startUploads } from '../../support/uploads.ts'

const { origin, known, unrelated, send } = await startUploads()

/** Expects one request at the origin, with these bytes. */
function expectArrived(body: Uint8Array): void {
  expect(origin.received).toHaveLength(1)
  const [received] = origin.received
  expect([received?.isComplete, received?.body.length]).toEqual([true, body.length])
  expect(digest(received?.body ?? new Uint8Array(0))).toBe(digest(body))
}

/** A multipart body, with what awkward clients write. */
function multipart(
  boundary: string,
  files: Uint8Array[],
): { body: Buffer; headers: Record<string, string> } {
  const parts = files.flatMap((file, i) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition:form-data;name="f[${i}]";filename="a\\"b;ü.jpg"\r\nX-Odd: 1\r\n\r\n`,
    ),
    file,
    Buffer.from('\r\n'),
  ])
  const body = Buffer.concat([
    Buffer.from('This is a preamble.\r\n'),
    ...parts,
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\n--${boundary.slice(0, -1)}\r\n\r\n`,
    ),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  return { body, headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` } }
}

describe('an upload that is allowed', () => {
  it.each(['POST', 'PUT', 'PATCH'])(
    'arrives byte for byte, with path and headers: %s',
    async (method) => {
      const headers = {
        'content-type': 'image/jpeg',
        authorization: 'Bearer x',
        'x-custom': 'a, b',
      }
      const answer = await send(unrelated, { method, headers })
      expect(answer).toMatchObject({ status: 201, body: `${method} /files/a%20b.jpg?x=1&y=%2F` })
      expect(answer.headers).toMatchObject({ 'x-origin': 'yes', 'set-cookie': ['a=1', 'b=2'] })
      expectArrived(unrelated)
      const [received] = origin.received
      expect(received).toMatchObject({ method, url: '/files/a%20b.jpg?x=1&y=%2F' })
      expect(received?.headers).toMatchObject({
        ...headers,
        'content-length': String(unrelated.length),
      })
    },
  )

  it.each([0, 1, 4095, 65_536, 65_537, 5_000_000, 16 * 1024 * 1024])(
    'arrives byte for byte with %i bytes, with a length and chunked',
    async (bytes) => {
      const body = randomBytes(bytes, bytes)
      expect((await send(body)).status).toBe(201)
      expectArrived(body)
      origin.clear()
      const random = randomFrom(bytes)
      const chunks = Array.from({ length: 20 }, () => Math.floor((random() * bytes) / 20))
      expect((await send(body, { chunks })).status).toBe(201)
      expectArrived(body)
    },
  )

  it.each(['simple', '----WebKitFormBoundary7MA4YWxkTrZu0gW', "'()+_,-./:=?", '-'.repeat(70)])(
    'arrives byte for byte as multipart with the boundary %s',
    async (boundary) => {
      const { body, headers } = multipart(boundary, [unrelated, randomBytes(100_000, 5), unrelated])
      for (const chunks of [undefined, [1, 2, 3, 60, 7000]]) {
        origin.clear()
        expect((await send(body, { headers, ...(chunks && { chunks }) })).status).toBe(201)
        expectArrived(body)
        expect(origin.received[0]?.headers).toMatchObject(headers)
      }
    },
  )
})

describe('an origin that begins its answer before it has read the upload', () => {
  it.each([
    ['held whole', 12_000_000, undefined],
    ['chunked', 12_000_000, Array.from({ length: 23 }, () => 500_000)],
    ['long', 30_000_000, undefined],
  ])('gets all of it: %s', async (_, bytes, chunks) => {
    const body = randomBytes(bytes, bytes)
    const options = { path: '/answers-while-reading', ...(chunks && { chunks }) }
    const answer = await send(body, options)
    expect([answer.status, answer.body]).toEqual([200, 'POST /answers-while-reading'])
    expectArrived(body)
  })
})

describe('an upload that waits for 100 Continue', () => {
  it('is told to go on, and arrives', async () => {
    const headers = { expect: '100-continue', 'content-length': String(unrelated.length) }
    const answer = await send(unrelated, {
      headers,
      write: (request) => {
        request.on('continue', () => request.end(unrelated))
        request.flushHeaders()
      },
    })
    expect(answer.status).toBe(201)
    expectArrived(unrelated)
  })
})

describe('an upload that is blocked', () => {
  it.each(['POST', 'PUT', 'PATCH'])(
    'never makes a connection to the origin: %s',
    async (method) => {
      const answer = await send(known, { method })
      expect(answer.status).toBe(451)
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 451,
        title: 'This upload cannot be accepted.',
      })
      const chunked = await send(known, { method, chunks: [1, 100, 3000] })
      expect(chunked.status).toBe(451)
      const { body, headers } = multipart('frontier', [unrelated, known])
      expect((await send(body, { method, headers })).status).toBe(451)
      expect([origin.connections, origin.received]).toEqual([0, []])
    },
  )

  it('is blocked at the end of a large multipart body too', async () => {
    const { body, headers } = multipart('frontier', [randomBytes(15_000_000, 1), known])
    expect((await send(body, { headers })).status).toBe(451)
    expect(origin.connections).toBe(0)
  })
})

describe('other requests', () => {
  it('pass as they are', async () => {
    const answer = await send(new Uint8Array(0), { method: 'GET' })
    expect(answer).toMatchObject({ status: 201, body: 'GET /files/a%20b.jpg?x=1&y=%2F' })
    const empty = new Uint8Array(0)
    expect(await send(empty, { method: 'DELETE' })).toMatchObject({ status: 201 })
    expect(origin.received.map(({ body }) => body.length)).toEqual([0, 0])
  })

  it.each(['DELETE', 'PROPFIND', 'GET'])('are gated if they have a body: %s', async (method) => {
    const headers = { 'x-http-method-override': 'PUT' }
    expect((await send(known, { method, headers })).status).toBe(451)
    expect(origin.connections).toBe(0)
  })
})

describe('answers of the origin', () => {
  it.each(['GET', 'POST'])('come back as they are: %s', async (method) => {
    const body = method === 'POST' ? unrelated : new Uint8Array(0)
    const compressed = await send(body, { method, path: '/compressed' })
    expect(compressed.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(Buffer.from(compressed.body, 'latin1')).toString()).toBe('compressed')
    expect((await send(body, { method, path: '/nothing' })).status).toBe(204)
  })
})

describe('many uploads at once', () => {
  it('all have the right verdict, and the allowed ones arrive whole', async () => {
    const pictures = await Promise.all(
      Array.from({ length: 25 }, (_, i) =>
        picture(500 + i, 400, 3, 10 + i)
          .jpeg()
          .toBuffer(),
      ),
    )
    const again = await Promise.all(
      Array.from({ length: 25 }, (_, i) =>
        picture(640, 480, 3, 1)
          .resize(300 + 10 * i)
          .jpeg({ quality: 60 + i })
          .toBuffer(),
      ),
    )
    const answers = await Promise.all(
      pictures.flatMap((fresh, i) => [
        send(fresh, i % 2 ? {} : { chunks: [100, 5000] }),
        send(again[i] ?? known, i % 3 ? {} : { chunks: [7000] }),
      ]),
    )
    expect(answers.map(({ status }) => status)).toEqual(pictures.flatMap(() => [201, 451]))
    const digests = (files: Uint8Array[]) =>
      files.map(digest).toSorted((a, b) => a.localeCompare(b))
    expect(digests(origin.received.map(({ body }) => body))).toEqual(digests(pictures))
  })
})
