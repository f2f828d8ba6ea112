import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Cloudflare's API as far as the quarantine uses it (Cloudflare API, R2: "List Objects", "Get Object", "Delete Object"). It is
 * for the token `token`, and has one bucket in the account `account`.
 */
export class R2Api {
  readonly objects = new Map<string, { bytes: Buffer; metadata: Record<string, string> }>()
  /** Method and path of each request. */
  readonly requests: string[] = []
  bucket: string
  /** Most objects of a page: few, so that there are several. */
  pageObjects = 2
  readonly #name: string
  readonly #server: Server

  private constructor(bucket: string) {
    this.bucket = bucket
    this.#name = bucket
    this.#server = createServer((request, response) => this.#serve(request, response))
  }

  static async start(bucket: string): Promise<R2Api> {
    const api = new R2Api(bucket)
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`
  }

  reset(): void {
    this.objects.clear()
    this.requests.length = 0
    this.bucket = this.#name
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve({ method, url, headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url ?? '', 'http://api')
    const path = pathname.replace('/client/v4/', '')
    this.requests.push(`${method} ${path}`)
    if (headers.authorization !== 'Bearer token') {
      return answer(response, 403, error(10000, 'Authentication error'))
    }
    const prefix = `accounts/account/r2/buckets/${this.bucket}/objects`
    if (!path.startsWith(prefix)) {
      return answer(response, 404, error(10006, 'The specified bucket does not exist.'))
    }
    const key = decodeURIComponent(path.slice(prefix.length + 1))
    if (method === 'GET' && key === '') return this.#list(searchParams, response)
    const object = this.objects.get(key)
    if (!object) return answer(response, 404, error(10007, 'The specified key does not exist.'))
    if (method === 'GET') return void response.end(object.bytes)
    if (method !== 'DELETE') return answer(response, 405, error(10000, 'Method not allowed'))
    this.objects.delete(key)
    answer(response, 200, { success: true, errors: [], messages: [], result: { key } })
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const after = Buffer.from(query.get('cursor') ?? '', 'base64url').toString()
    const keys = [...this.objects.keys()].filter((key) => key > after).toSorted()
    const page = keys.slice(0, this.pageObjects)
    const isLast = page.length === keys.length
    const cursor = isLast ? {} : { cursor: Buffer.from(page.at(-1) ?? '').toString('base64url') }
    const result = page.map((key) => {
      const { bytes, metadata } = this.objects.get(key)!
      return { key, size: bytes.length, custom_metadata: metadata }
    })
    answer(response, 200, { success: true, errors: [], messages: [], result, result_info: cursor })
  }
}

function error(code: number, message: string): object {
  return { success: false, errors: [{ code, message }], messages: [], result: null }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
