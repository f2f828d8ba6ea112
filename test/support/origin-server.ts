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

function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
  if (url.startsWith('/compressed')) {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('compressed'))
  } else if (url.startsWith('/nothing')) {
    response.writeHead(204).end()
  } else {
    response.writeHead(201, { 'x-origin': 'yes', 'set-cookie': ['a=1', 'b=2'] })
    response.end(`${method} ${url}`)
  }
}

/** A server on loopback that records what it receives. */
export class OriginServer {
  readonly received: Received[] = []
  connections = 0
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('close', () => {
        this.received.push({
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks),
          isComplete: request.complete,
        })
      })
      request.on('end', () => answer(request, response))
    })
    this.#server.on('connection', () => this.connections++)
  }

  static async start(): Promise<OriginServer> {
    const origin = new OriginServer()
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Forgets what was received. */
  clear(): void {
    this.received.length = 0
    this.connections = 0
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
