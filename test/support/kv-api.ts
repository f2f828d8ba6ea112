import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const MAX_BULK_ITEMS = 10_000
const MAX_BULK_BYTES = 100_000_000

/** What happens to a request in the place of an answer. */
export type Failure =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** The connection is closed before an answer, or in the midst of it. */
  | 'drop'
  | 'cut'
  /** There is never an answer. */
  | 'hang'

interface Pair {
  key: string
  value: string
  base64?: boolean
}

/** An answer that says more than yes. */
interface Answer {
  status?: number
  result?: unknown
  resultInfo?: object
  error?: { code: number; message: string }
}

/**
 * Cloudflare's API as far as hashgate uses it (Cloudflare API, Accounts: "List Accounts"; Workers KV: "Read key-value pair",
 * "Write key-value pair with optional metadata", "Write multiple key-value pairs", "Delete multiple key-value pairs", "List a
 * Namespace's Keys"). It is for the token `token`, and has one namespace `namespace` in each account.
 */
export class KvApi {
  readonly values = new Map<string, Buffer>()
  /** Method and path of each request, and for bulk requests how many items they have. */
  readonly requests: string[] = []
  accounts = ['account']
  /** Most keys of a page: fewer than the API's 1000, so that there are several. */
  pageKeys = 3
  readonly #failures: Failure[] = []
  readonly #refusals = new Map<string, number>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(): Promise<KvApi> {
    const api = new KvApi()
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`
  }

  /** Empties it, and forgets what was asked of it. */
  reset(): void {
    this.values.clear()
    this.requests.length = 0
    this.accounts = ['account']
    this.#failures.length = 0
    this.#refusals.clear()
  }

  /** The next requests fail so, one after the other. */
  failNext(...failures: readonly Failure[]): void {
    this.#failures.push(...failures)
  }

  /** Bulk requests do not do this key, some times. */
  refuse(key: string, times: number): void {
    this.#refusals.set(key, times)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const url = new URL(request.url ?? '', 'http://api')
    const path = url.pathname.replace('/client/v4/', '')
    this.requests.push(`${request.method} ${path}`)
    const failure = this.#failures.shift()
    if (failure) return fail(response, failure)
    if (request.headers.authorization !== 'Bearer token') return answer(response, FORBIDDEN)
    if (request.method === 'GET' && path === 'accounts') {
      return answer(response, { result: this.accounts.map((id) => ({ id, name: `of ${id}` })) })
    }
    const [, account = '', namespace, operation = ''] =
      /^accounts\/([^/]+)\/storage\/kv\/namespaces\/([^/]+)\/(.+)$/.exec(path) ?? []
    if (!this.accounts.includes(account)) return answer(response, FORBIDDEN)
    if (namespace !== 'namespace') return answer(response, NO_NAMESPACE)
    const value = operation.startsWith('values/') && this.values.get(keyOf(operation))
    if (request.method === 'GET' && value) return void response.end(value)
    answer(response, this.#answerTo(`${request.method} ${operation}`, url.searchParams, body))
  }

  #answerTo(request: string, query: URLSearchParams, body: Buffer): Answer {
    if (request === 'PUT bulk') return this.#putBulk(body)
    if (request === 'POST bulk/delete') return this.#deleteBulk(body)
    if (request === 'GET keys') return this.#listKeys(query)
    if (/^GET values\/[^/]+$/.test(request)) return NO_KEY
    if (!/^PUT values\/[^/]+$/.test(request)) return NO_ENDPOINT
    this.values.set(keyOf(request), body)
    return {}
  }

  #putBulk(body: Buffer): Answer {
    const pairs = JSON.parse(body.toString()) as Pair[]
    return this.#bulk(pairs, body, ({ key, value, base64 }) => {
      this.values.set(key, Buffer.from(value, base64 ? 'base64' : 'utf8'))
    })
  }

  #deleteBulk(body: Buffer): Answer {
    const keys = (JSON.parse(body.toString()) as string[]).map((key) => ({ key }))
    return this.#bulk(keys, body, ({ key }) => this.values.delete(key))
  }

  #bulk<T extends { key: string }>(items: T[], body: Buffer, run: (item: T) => unknown): Answer {
    this.requests.push(`${this.requests.pop()} ${items.length}`)
    if (items.length > MAX_BULK_ITEMS || body.length > MAX_BULK_BYTES) return TOO_LARGE
    const refused = items.filter(({ key }) => this.#isRefused(key))
    const done = items.filter((item) => !refused.includes(item))
    for (const item of done) run(item)
    const unsuccessful = refused.map(({ key }) => key)
    return { result: { successful_key_count: done.length, unsuccessful_keys: unsuccessful } }
  }

  #isRefused(key: string): boolean {
    const times = this.#refusals.get(key) ?? 0
    this.#refusals.set(key, times - 1)
    return times > 0
  }

  #listKeys(query: URLSearchParams): Answer {
    const limit = Number(query.get('limit') ?? 1000)
    if (limit < 10 || limit > 1000) return BAD_LIMIT
    // The cursor tells the last key of the page before.
    const after = Buffer.from(query.get('cursor') ?? '', 'base64url').toString()
    const names = [...this.values.keys()]
      .filter((name) => name.startsWith(query.get('prefix') ?? '') && name > after)
      .toSorted()
    const page = names.slice(0, Math.min(limit, this.pageKeys))
    const isLast = page.length === names.length
    const cursor = isLast ? '' : Buffer.from(page.at(-1) ?? '').toString('base64url')
    return { result: page.map((name) => ({ name })), resultInfo: { count: page.length, cursor } }
  }
}

const FORBIDDEN: Answer = { status: 403, error: { code: 10000, message: 'Authentication error' } }
const NO_NAMESPACE: Answer = { status: 404, error: { code: 10013, message: 'namespace not found' } }
const NO_KEY: Answer = { status: 404, error: { code: 10009, message: "get: 'key not found'" } }
const NO_ENDPOINT: Answer = {
  status: 404,
  error: { code: 10025, message: 'endpoint does not exist' },
}
const TOO_LARGE: Answer = { status: 413, error: { code: 10024, message: 'payload too large' } }
const BAD_LIMIT: Answer = { status: 400, error: { code: 10028, message: 'invalid limit argument' } }

/** The key at the end of a path. */
function keyOf(path: string): string {
  return decodeURIComponent(path.slice(path.indexOf('/') + 1))
}

function answer(response: ServerResponse, what: Answer): void {
  const { status = 200, result = null, resultInfo, error } = what
  const body = { success: !error, errors: error ? [error] : [], messages: [], result }
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ ...body, ...(resultInfo && { result_info: resultInfo }) }))
}

function fail(response: ServerResponse, failure: Failure): void {
  if (failure === 'hang') return
  if (failure === 'drop') return void response.destroy()
  if (failure === 'cut') {
    response.writeHead(200, { 'content-length': 100 }).write('half')
    setTimeout(() => response.destroy(), 50)
    return
  }
  response.writeHead(failure.status, failure.headers).end(failure.body)
}
