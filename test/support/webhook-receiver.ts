import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

/** The first port behind those that Linux gives out. */
const PORTS_OF_NOBODY = 61_000

/** A delivery as the receiver got it. */
export interface Attempt {
  id: string
  path: string
  headers: IncomingHttpHeaders
  body: string
  answer: ReceiverAnswer
}

/** A status, or no answer at all. */
export type ReceiverAnswer = number | 'hangs' | 'resets'

/** A server on loopback that takes events. What it answers is for a test to say. */
export class WebhookReceiver {
  readonly attempts: Attempt[] = []
  /** Told which attempt it is, from 0. */
  answer: (attempt: number) => ReceiverAnswer = () => 204
  url = ''
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '', headers } = request
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const answer = this.answer(this.attempts.length)
    this.attempts.push({ id: String(headers['webhook-id']), path, headers, body, answer })
    if (answer === 'hangs') return
    if (answer === 'resets') request.socket.destroy()
    else response.writeHead(answer, { location: '/elsewhere' }).end('thank you')
  }

  /** @param port any that is free, if it is 0. @throws it is in use */
  static async start(port = 0): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver()
    await once(receiver.#server.listen(port, '127.0.0.1'), 'listening')
    const { port: bound } = receiver.#server.address() as AddressInfo
    receiver.url = `http://127.0.0.1:${bound}/events?from=hashgate`
    return receiver
  }

  /** Starts it at a port that the system gives to nobody who asks for any, so that it stays free when it is stopped. */
  static async startToStop(port = PORTS_OF_NOBODY): Promise<WebhookReceiver> {
    return WebhookReceiver.start(port).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      return WebhookReceiver.startToStop(port + 1)
    })
  }

  /** Attempts that were accepted. */
  get accepted(): Attempt[] {
    return this.attempts.filter(({ answer }) => typeof answer === 'number' && answer < 300)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
