// What HTTP/1.1 leaves to clients, written to sockets: a known picture reaches the origin in no framing, and what may pass arrives
// byte for byte. A framing that servers read differently is refused by the runtime.

import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { AMBIGUOUS, CLIENTS, formOf, HONEST } from '../../support/client-forms.ts'
import { startUploads } from '../../support/uploads.ts'

const { origin, worker, known, unrelated, send } = await startUploads()

interface Framing {
  headers: string[]
  body: Buffer
}

interface ChunkOptions {
  size?: number
  extension?: string
  sizeOf?: (bytes: number) => string
  last?: string
  trailers?: string
  end?: string
}

const CHUNKED = 'Transfer-Encoding: chunked'

function chunked(options: ChunkOptions = {}, headers = [CHUNKED]): (body: Buffer) => Framing {
  const { size = 777, extension = '', sizeOf = (bytes) => bytes.toString(16) } = options
  const { last = '0', trailers = '', end = '\r\n' } = options
  return (body) => {
    const pieces: Buffer[] = []
    for (let at = 0; at < body.length; at += size) {
      const piece = body.subarray(at, at + size)
      pieces.push(Buffer.from(`${sizeOf(piece.length)}${extension}${end}`), piece, Buffer.from(end))
    }
    pieces.push(Buffer.from(`${last}${end}${trailers}${end}`))
    return { headers, body: Buffer.concat(pieces) }
  }
}

function withLength(...headers: string[]): (body: Buffer) => Framing {
  return (body) => ({ headers: [`Content-Length: ${body.length}`, ...headers], body })
}

/** A request as bytes, cut into pieces that are written one after another. */
function requestOf(
  { headers, body }: Framing,
  { type = 'image/jpeg', isLast = true } = {},
): Buffer {
  const head = [
    'POST /files HTTP/1.1',
    `Host: ${worker.url.host}`,
    `Content-Type: ${type}`,
    ...headers,
    ...(isLast ? ['Connection: close'] : []),
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

/** Statuses of the answers to what is written to a socket, until the Worker closes it. */
async function statusesOf(request: Buffer, size = Infinity): Promise<number[]> {
  const socket = connect(Number(worker.url.port), worker.url.hostname)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined) // it may be closed while this writes
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (let at = 0; at < request.length; at += size) {
    const isRead = socket.write(request.subarray(at, at + size))
    if (!isRead)
      await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))])
  }
  await closed
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status))
}

const FRAMINGS: Record<string, (body: Buffer) => Framing> = {
  'a length': withLength(),
  'a length twice': (body) => withLength(`Content-Length: ${body.length}`)(body),
  'one chunk': chunked({ size: Infinity }),
  'chunks of one byte': chunked({ size: 1 }),
  'sizes in capitals': chunked({
    size: 0xabc,
    sizeOf: (bytes) => bytes.toString(16).toUpperCase(),
  }),
  'sizes with zeros': chunked({ sizeOf: (bytes) => bytes.toString(16).padStart(20, '0') }),
  extensions: chunked({ extension: ';a=b;c' }),
  'extensions in quotes': chunked({ extension: ';a="x;y"', last: '0;z' }),
  'extensions with spaces': chunked({ extension: ' ; a = b ' }),
  'a last chunk of many zeros': chunked({ last: '0000' }),
  trailers: chunked({ trailers: 'X-Sum: 1\r\nX-More: 2\r\n' }),
  'trailers that are headers': chunked({
    trailers: 'Content-Type: text/plain\r\nContent-Length: 3\r\n',
  }),
  'chunks and a length': chunked({}, [CHUNKED, 'Content-Length: 3']),
  'chunks twice': chunked({}, [CHUNKED, CHUNKED]),
  'chunks in capitals': chunked({}, ['TRANSFER-ENCODING:\tCHUNKED']),
  'a coding before chunks': chunked({}, ['Transfer-Encoding: identity, chunked']),
  'a length and Expect': withLength('Expect: 100-continue'),
  'chunks and Expect': chunked({}, [CHUNKED, 'Expect: 100-continue']),
}

describe('a body', () => {
  const form = formOf(CLIENTS['curl']!, unrelated)

  it.each(Object.entries(FRAMINGS))(
    'is judged and arrives as it was sent, with %s',
    async (_, frame) => {
      for (const size of [Infinity, 1000]) {
        for (const [type, body] of [
          ['image/jpeg', unrelated],
          [form.type, form.body],
        ] as const) {
          const statuses = await statusesOf(requestOf(frame(body), { type }), size)
          expect(statuses.filter((status) => status !== 100)).toEqual([201])
          expect(origin.received.at(-1)).toMatchObject({
            isComplete: true,
            headers: { 'content-type': type },
          })
          expect(origin.received.at(-1)?.body.equals(body)).toBe(true)
        }
        const begun = origin.begun
        const statuses = await statusesOf(requestOf(frame(known)), size)
        expect(statuses.filter((status) => status !== 100)).toEqual([451])
        expect(origin.begun).toBe(begun)
      }
    },
  )

  it.each([
    ['bare line feeds', chunked({ end: '\n' })],
    ['a line feed in an extension', chunked({ extension: ';a\n' })],
    ['sizes that are no hex', chunked({ sizeOf: (bytes) => `0x${bytes.toString(16)}` })],
    [
      'a size that wraps',
      chunked({ sizeOf: (bytes) => `1${bytes.toString(16).padStart(16, '0')}` }),
    ],
    ['two lengths', withLength('Content-Length: 3')],
    ['another coding', withLength('Transfer-Encoding: xchunked')],
  ])('reaches nobody, with %s', async (_, frame) => {
    expect(await statusesOf(requestOf(frame(known)))).toEqual([400])
    expect(origin.begun).toBe(0)
  })

  it('is judged for itself among requests that are sent at once', async () => {
    const frames = [withLength(), chunked({ extension: ';e', trailers: 'X-T: 1\r\n' })]
    const order = [known, unrelated, known, known, unrelated, unrelated]
    for (const size of [Infinity, 997]) {
      const requests = order.map((body, i) =>
        requestOf(frames[i % 2]!(body), { isLast: i === order.length - 1 }),
      )
      const statuses = await statusesOf(Buffer.concat(requests), size)
      expect(statuses).toEqual(order.map((body) => (body === known ? 451 : 201)))
    }
    expect(origin.received).toHaveLength(6)
    expect(origin.received.every(({ body }) => body.equals(unrelated))).toBe(true)
  })
})

describe('a form', () => {
  it.each(Object.entries(CLIENTS))(
    'of %s arrives as it was sent, and is judged',
    async (_, client) => {
      const { type, body } = formOf(client, unrelated)
      expect((await send(body, { headers: { 'content-type': type } })).status).toBe(201)
      expect(origin.received[0]?.headers['content-type']).toBe(type)
      expect(origin.received[0]?.body.equals(body)).toBe(true)
      const refused = formOf(client, known)
      expect((await send(refused.body, { headers: { 'content-type': type } })).status).toBe(451)
      expect(origin.received).toHaveLength(1)
    },
  )

  it('arrives as it was sent, and is judged, with any oddity', async () => {
    for (const [name, oddity] of Object.entries(HONEST)) {
      origin.clear()
      const { type, body } = oddity(CLIENTS['React Native, iOS']!, unrelated)
      const { status } = await send(body, { headers: { 'content-type': type } })
      const same = origin.received[0]?.body.equals(body)
      expect([name, status, same]).toEqual([name, 201, true])
      const refused = oddity(CLIENTS['React Native, iOS']!, known)
      const answer = await send(refused.body, { headers: { 'content-type': refused.type } })
      expect([name, answer.status, origin.begun]).toEqual([name, 451, 1])
    }
  })

  it('never reaches the origin if parsers read it differently', async () => {
    for (const [name, oddity] of Object.entries(AMBIGUOUS)) {
      const { type, body } = oddity(CLIENTS['curl']!, unrelated)
      const answer = send(body, { headers: { 'content-type': type } })
      // Who is answered while still sending may have its connection reset.
      const status = await answer.then((one) => one.status).catch(() => 'reset')
      if (status !== 'reset') expect([name, status]).toEqual([name, 400])
      expect([name, origin.begun]).toEqual([name, 0])
    }
  })
})
