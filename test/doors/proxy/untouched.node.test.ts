// What is not gated must look the same with the Worker and without it: each exchange is made with the origin directly, and
// through the Worker in workerd, and both are compared as bytes.

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GateHarness, startGate } from '../../support/gate-harness.ts'
import { randomBytes } from '../../support/random.ts'

const FILE = Buffer.from(randomBytes(100_000, 1))

/** Answers of the origin by path. */
const ROUTES: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/file': (_, response) => response.end(FILE),
  '/range': ({ headers }, response) => {
    const [, first = '0', last = '0'] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${FILE.length}` })
    response.end(FILE.subarray(Number(first), Number(last) + 1))
  },
  '/redirect': (_, response) => response.writeHead(302, { location: '/elsewhere?x=1' }).end(),
  '/moved': (_, response) => response.writeHead(308, { location: 'https://other.example/' }).end(),
  '/cookies': (_, response) => {
    const cookies = ['a=1; Path=/; HttpOnly', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT']
    response.writeHead(200, { 'set-cookie': cookies }).end('cookies')
  },
  '/cached': ({ headers }, response) => {
    if (headers['if-none-match'] === '"v1"') response.writeHead(304, { etag: '"v1"' }).end()
    else response.writeHead(200, { etag: '"v1"', 'cache-control': 'max-age=60' }).end('v1')
  },
  '/gzip': (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', vary: 'accept-encoding' })
    response.end(gzipSync('compressed'))
  },
  '/odd': (_, response) => {
    response.writeHead(200, { 'x-empty': '', 'x-long': 'v'.repeat(4000), 'x-latin': 'caf\u00e9' })
    response.end('odd')
  },
  '/status': ({ url = '' }, response) => response.writeHead(Number(url.slice(-3))).end('body'),
  '/echo': (request, response) => {
    const { method, url, headers } = request
    response.end(JSON.stringify({ method, url, headers }))
  },
  '/events': (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    response.end('data: 2\n\n')
  },
  '/waits': (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    endEvents = () => response.end('data: 2\n\n')
  },
}

/** Lets the origin send the second event. */
let endEvents = () => {}
let server: Server
const upgraded: Duplex[] = []
let direct: URL
let worker: GateHarness

beforeAll(async () => {
  server = createServer((request, response) => {
    response.sendDate = false
    const path = /^\/\w+/.exec(request.url ?? '')?.[0] ?? ''
    ROUTES[path]?.(request, response)
  })
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => undefined) // who asked has gone
    upgraded.push(socket)
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.write(Buffer.from([0x81, 0x02, 0x68, 0x69])) // a frame that says "hi"
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  direct = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  worker = await startGate({ ORIGIN_URL: direct.href }, [])
})

afterAll(async () => {
  await worker.close()
  for (const socket of upgraded) socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** An exchange over a socket of its own: the answer as it came, until it is over or `isEnough`. */
function exchange(
  url: URL,
  request: string,
  isEnough?: (text: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => {
      socket.write(request.replace('HOST', url.host), 'latin1')
    })
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (isEnough?.(text)) socket.destroy()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

function requestOf(line: string, headers: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, 'Host: HOST', 'Connection: close', ...headers, '', ''].join('\r\n')
}

/** An answer in parts. Framing is between neighbours (RFC 9112, 6): bodies are compared without it. */
function parse(text: string) {
  const end = text.indexOf('\r\n\r\n')
  const [status = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines
    .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
    .filter((line) => !/^(connection|transfer-encoding|keep-alive|content-length):/.test(line))
    .toSorted()
  const isChunked = /\r\ntransfer-encoding: chunked/i.test(text.slice(0, end))
  const body = text.slice(end + 4)
  return { status, headers, body: isChunked ? unchunk(body) : body }
}

function unchunk(text: string): string {
  let body = ''
  for (let rest = text; ;) {
    const [size = '0'] = rest.split('\r\n', 1)
    const bytes = parseInt(size, 16)
    if (!(bytes > 0)) return body
    body += rest.slice(size.length + 2, size.length + 2 + bytes)
    rest = rest.slice(size.length + 2 + bytes + 2)
  }
}

const EXCHANGES: [string, string, string[]?][] = [
  ['a file', 'GET /file'],
  ['a query and escapes', 'GET /echo/a%20b/%2F/..%2f/%C3%A4?x=1&y=%2F&&z', ['X-Odd:   a,  b  ']],
  ['HEAD', 'HEAD /file'],
  ['a range', 'GET /range', ['Range: bytes=10-99']],
  ['OPTIONS', 'OPTIONS /echo', ['Access-Control-Request-Method: PUT']],
  ['a DELETE without a body', 'DELETE /echo'],
  ['a redirect, which is not followed', 'GET /redirect'],
  ['a redirect elsewhere', 'GET /moved'],
  ['cookies', 'GET /cookies', ['Cookie: a=1; b="2"']],
  ['a conditional request', 'GET /cached', ['If-None-Match: "v1"']],
  ['one whose condition does not hold', 'GET /cached', ['If-None-Match: "v0"']],
  ['a compressed answer', 'GET /gzip', ['Accept-Encoding: gzip']],
  ['odd header values', 'GET /odd'],
  ['404', 'GET /status/404'],
  ['410', 'GET /status/410'],
  ['418', 'GET /status/418'],
  ['500', 'GET /status/500'],
  ['503', 'GET /status/503'],
  ['204', 'GET /status/204'],
  ['server-sent events', 'GET /events', ['Accept: text/event-stream']],
]

describe('a request that is not gated', () => {
  it.each(EXCHANGES)('is answered as by the origin itself: %s', async (_, line, headers) => {
    const request = requestOf(line, headers)
    const expected = parse(await exchange(direct, request))
    const answer = parse(await exchange(worker.url, request))
    if (line.includes('/echo')) {
      // What the platform adds to a request. The host is that of the origin, as ORIGIN_URL says.
      const [sent, seen] = [JSON.parse(expected.body), JSON.parse(answer.body)] as [
        Record<string, Record<string, string>>,
        Record<string, Record<string, string>>,
      ]
      delete seen['headers']?.['cf-worker']
      delete seen['headers']?.['content-length'] // 0, where there is no body
      for (const { headers: own } of [sent, seen]) {
        delete own?.['connection']
        delete own?.['host']
      }
      expect(seen).toEqual(sent)
      expect(answer.status).toBe(expected.status)
      return
    }
    expect(answer).toEqual(expected)
  })

  it('is answered chunk by chunk where the origin answers so', async () => {
    // The origin sends the second event only once the first has arrived.
    const answer = await exchange(worker.url, requestOf('GET /waits'), (text) => {
      if (text.includes('data: 1')) endEvents()
      return text.includes('data: 2')
    })
    expect(answer.indexOf('data: 1')).toBeGreaterThan(0)
    expect(answer).toContain('data: 2')
  })

  it('may be a websocket', async () => {
    const upgrade = [
      'GET /socket HTTP/1.1',
      'Host: HOST',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '',
      '',
    ].join('\r\n')
    const answer = await exchange(worker.url, upgrade, (text) => text.includes('hi'))
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(answer).toContain('hi')
  })
})
