import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Faults } from './faults.ts'
import type { PictureFinder } from './picture-finder.ts'

/** What an origin does instead of taking an upload. */
const FAULTS = ['reset', 'stall', 'refuse', 'late', 'error'] as const

/** Milliseconds of a late origin's delay, and after which it takes no more. */
const LATE_MS = 2000
const STALL_MS = 20_000

/** An upload as it arrived. */
export interface Arrived {
  isComplete: boolean
  digest: string
  /** Whether the received bytes contain all of a forbidden picture, in any form. */
  hasForbidden: boolean
}

/**
 * An origin that resets, stalls and answers early. It remembers by path what arrived of each
 * upload.
 */
export class FaultyOrigin {
  readonly arrived = new Map<string, Arrived[]>()
  readonly faults: Faults<(typeof FAULTS)[number]>
  readonly #random: () => number
  readonly #forbidden: PictureFinder
  readonly #server: Server

  private constructor(random: () => number, forbidden: PictureFinder) {
    this.faults = new Faults(FAULTS, random)
    this.#random = random
    this.#forbidden = forbidden
    this.#server = createServer((request, response) => this.#take(request, response))
  }

  static async start(random: () => number, forbidden: PictureFinder): Promise<FaultyOrigin> {
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
    const fault = this.faults.pick()
    const chunks: Buffer[] = []
    const reset = () => {
      if (!request.socket.destroyed) this.faults.note('reset')
      request.socket.destroy()
    }
    request.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (fault === 'reset' && this.#random() < 0.3) reset()
    })
    request.on('close', () => this.#note(request, Buffer.concat(chunks)))
    if (fault === 'refuse') {
      this.faults.note(fault)
      response.writeHead(413, { connection: 'close' }).end('too much')
      return
    }
    if (fault === 'stall') {
      this.faults.note(fault)
      request.pause()
      setTimeout(() => request.socket.destroy(), STALL_MS)
      return
    }
    request.on('end', () => {
      if (fault === 'reset') return reset()
      if (fault) this.faults.note(fault)
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
        hasForbidden: this.#forbidden.isIn(body),
      },
    ])
  }
}
