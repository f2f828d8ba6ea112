import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

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

  /** @param port any that is free, if it is 0 */
  static async start(port = 0): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver()
    await new Promise<void>((resolve) => receiver.#server.listen(port, '127.0.0.1', resolve))
    const { port: bound } = receiver.#server.address() as AddressInfo
    receiver.url = `http://127.0.0.1:${bound}/events?from=hashgate`
    return receiver
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
