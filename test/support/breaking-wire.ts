import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A wire to a server that breaks after so many bytes, each time a connection is made, and then no more. */
export class BreakingWire {
  readonly #target: URL
  readonly #server: Server
  readonly #breakAfter: number[]
  broken = 0

  private constructor(target: URL, breakAfter: number[]) {
    this.#target = target
    this.#breakAfter = breakAfter
    this.#server = createServer((client) => this.#connect(client))
  }

  static async start(target: URL, breakAfter: readonly number[]): Promise<BreakingWire> {
    const wire = new BreakingWire(target, [...breakAfter])
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve))
    return wire
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #connect(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname)
    let sent = 0
    let isBroken = false
    client.on('data', (chunk: Buffer) => {
      if (isBroken) return
      sent += chunk.length
      const limit = this.#breakAfter[0]
      if (limit === undefined || sent < limit) {
        server.write(chunk)
        return
      }
      this.#breakAfter.shift()
      this.broken++
      isBroken = true
      server.write(chunk.subarray(0, chunk.length - (sent - limit)), () => {
        server.end()
        client.destroy()
      })
    })
    server.on('data', (chunk) => client.write(chunk))
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.end())
    }
  }

  stop(): void {
    this.#server.close()
  }
}
