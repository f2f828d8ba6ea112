import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A request as the origin got it. */
export interface Received {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** Whether it came to its end. */
  isComplete: boolean
}

/** What an origin does with a request before its body has come; what it does not answer, is answered when it has. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  if (response.writableEnded || response.destroyed) return
  if (response.headersSent) {
    response.end(`${method} ${url}`)
    return
  }
  if (url.startsWith('/compressed')) {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('compressed'))
  } else if (url.startsWith('/nothing')) {
    response.writeHead(204).end()
  } else {
    response.writeHead(201, { 'x-origin': 'yes', 'set-cookie': ['a=1', 'b=2'] })
    response.end(`${method} ${url}`)
  }
}

/** Behaviours by the beginning of a path. */
const BEHAVIOURS: Record<string, Behaviour> = {
  // Says no as soon as it has the head, as a server with a limit does.
  '/answers-early': (request, response) => {
    response.writeHead(413, { connection: 'close' }).end('too much for me')
    request.once('data', () => request.socket.destroy())
  },
  // Says yes at once, and reads on.
  '/answers-first': (_, response) => response.writeHead(202).end('I will see'),
  // Begins its answer at once, and ends it when it has read all.
  '/answers-while-reading': (_, response) => {
    response.writeHead(200, { 'x-origin': 'reading' })
    response.flushHeaders()
  },
  '/resets': (request) => request.once('data', () => request.socket.destroy()),
  // Reads on all the time, at so many bytes a second.
  '/reads-slowly': (request) => {
    const [begin, bytesPerMs] = [Date.now(), 8 * 1024]
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      request.pause()
      setTimeout(() => request.resume(), Math.max(0, begin + bytes / bytesPerMs - Date.now()))
    })
  },
  '/hangs': (request) => request.removeAllListeners('end'),
  '/does-not-read': (request) => {
    request.removeAllListeners('data')
    request.pause()
  },
}

/** A server on loopback that records what it receives. */
export class OriginServer {
  readonly received: Received[] = []
  connections = 0
  /** Requests whose head has come. */
  begun = 0
  /** Requests that came to their end. */
  ended = 0
  readonly #server: Server
  #nextStatus: number | undefined

  private constructor() {
    this.#server = createServer((request, response) => this.#take(request, response))
    this.#server.on('connection', () => this.connections++)
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    this.begun++
    const { method = '', url = '', headers } = request
    const chunks: Buffer[] = []
    request.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('close', () => {
      const body = Buffer.concat(chunks)
      this.received.push({ method, url, headers, body, isComplete: request.complete })
    })
    request.on('end', () => {
      this.ended++
      if (this.#nextStatus !== undefined) response.writeHead(this.#nextStatus).end('no')
      this.#nextStatus = undefined
      answer(request, response)
    })
    BEHAVIOURS[/^\/[\w-]*/.exec(url)?.[0] ?? '']?.(request, response)
  }

  static async start(): Promise<OriginServer> {
    const origin = new OriginServer()
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Answers the next request with a status, when it has read it. */
  failNext(status: number): void {
    this.#nextStatus = status
  }

  /** Forgets what was received. */
  clear(): void {
    this.#nextStatus = undefined
    this.received.length = 0
    this.connections = 0
    this.begun = 0
    this.ended = 0
  }

  /** Closes connections that are kept alive, so that the next request has to make one. */
  dropConnections(): void {
    this.#server.closeAllConnections()
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
