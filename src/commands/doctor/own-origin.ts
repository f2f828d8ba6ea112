import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An origin on loopback that keeps what it receives. */
export class OwnOrigin {
  readonly received: Received[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#keep(request)
      request.on('end', () => response.writeHead(201).end())
    })
  }

  static async start(): Promise<OwnOrigin> {
    const origin = new OwnOrigin()
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /**
   * The request received for a path. A request that breaks off shows up a moment after its answer.
   */
  async at(path: string): Promise<Received | undefined> {
    await new Promise((resolve) => setTimeout(resolve, 200))
    return this.received.find((one) => one.path === path)
  }

  #keep(request: IncomingMessage): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined) // it broke off: `isComplete` says so
    request.on('close', () => {
      const [body, path] = [Buffer.concat(chunks), request.url ?? '']
      this.received.push({ path, body, isComplete: request.complete })
    })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** A request as the origin received it. */
export interface Received {
  path: string
  body: Buffer
  /** Whether the body arrived to its end. */
  isComplete: boolean
}
