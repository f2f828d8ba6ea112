import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Cloudflare's API as far as wrangler uses it for Workers KV: values that are read by key and written in bulk
 * (Cloudflare API, Workers KV: "Read key-value pair", "Write multiple key-value pairs").
 */
export class KvApi {
  readonly values = new Map<string, Buffer>()
  readonly requests: string[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(): Promise<KvApi> {
    const api = new KvApi()
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  /** What tells wrangler to use it. */
  get environment(): Record<string, string> {
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`,
      CLOUDFLARE_API_TOKEN: 'token',
      CLOUDFLARE_ACCOUNT_ID: 'account',
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { pathname } = new URL(request.url ?? '', 'http://api')
    this.requests.push(`${request.method} ${pathname}`)
    const name = '/accounts/account/storage/kv/namespaces/namespace/'
    if (request.headers.authorization !== 'Bearer token' || !pathname.startsWith(name)) {
      return reply(response, 403, {
        success: false,
        errors: [{ code: 10000, message: 'Authentication error' }],
      })
    }
    const path = pathname.slice(name.length)
    if (request.method === 'PUT' && path === 'bulk') {
      const pairs = JSON.parse(Buffer.concat(chunks).toString()) as Pair[]
      for (const { key, value, base64 } of pairs) {
        this.values.set(key, Buffer.from(value, base64 ? 'base64' : 'utf8'))
      }
      return reply(response, 200, { success: true, errors: [], messages: [], result: {} })
    }
    const value = path.startsWith('values/') && this.values.get(decodeURIComponent(path.slice(7)))
    if (request.method === 'GET' && value) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(value)
      return
    }
    reply(response, 404, {
      success: false,
      errors: [{ code: 10009, message: "get: 'key not found'" }],
    })
  }
}

interface Pair {
  key: string
  value: string
  base64?: boolean
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
