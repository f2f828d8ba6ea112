import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What an origin does instead of taking an upload. */
const FAULTS = ['reset', 'stall', 'refuse', 'late', 'error'] as const

/** Milliseconds of a late origin's delay, and after which it takes no more. */
const LATE_MS = 2000
const STALL_MS = 20_000

/** An upload as it arrived. */
export interface Arrived {
  isComplete: boolean
  digest: string
  /** Whether the received bytes contain all of a forbidden picture. */
  hasForbidden: boolean
}

/**
 * An origin that resets, stalls and answers early. It remembers by path what arrived of each
 * upload.
 */
export class FaultyOrigin {
  readonly arrived = new Map<string, Arrived[]>()
  /** Share of uploads that go wrong, 0 to 1. */
  faults = 0
  readonly #random: () => number
  readonly #forbidden: readonly Buffer[]
  readonly #server: Server

  private constructor(random: () => number, forbidden: readonly Buffer[]) {
    this.#random = random
    this.#forbidden = forbidden
    this.#server = createServer((request, response) => this.#take(request, response))
  }

  static async start(random: () => number, forbidden: readonly Buffer[]): Promise<FaultyOrigin> {
    const origin = new FaultyOrigin(random, forbidden)
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const fault =
      this.#random() < this.faults ? FAULTS[Math.floor(this.#random() * FAULTS.length)] : undefined
    const chunks: Buffer[] = []
    request.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (fault === 'reset' && this.#random() < 0.3) request.socket.destroy()
    })
    request.on('close', () => this.#note(request, Buffer.concat(chunks)))
    if (fault === 'refuse') {
      response.writeHead(413, { connection: 'close' }).end('too much')
      return
    }
    if (fault === 'stall') {
      request.pause()
      setTimeout(() => request.socket.destroy(), STALL_MS)
      return
    }
    request.on('end', () => {
      const status = fault === 'error' ? 500 : 201
      setTimeout(() => response.writeHead(status).end('taken'), fault === 'late' ? LATE_MS : 0)
    })
  }

  #note(request: IncomingMessage, body: Buffer): void {
    const { pathname } = new URL(request.url ?? '', 'http://origin')
    const before = this.arrived.get(pathname) ?? []
    this.arrived.set(pathname, [
      ...before,
      {
        // If it did not read to the end, `complete` may still be true, and the digest covers only a
        // part.
        isComplete: request.readableEnded,
        digest: createHash('sha256').update(body).digest('hex'),
        hasForbidden: this.#forbidden.some((one) => body.includes(one)),
      },
    ])
  }
}
