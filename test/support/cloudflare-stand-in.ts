import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KvApi } from './kv-api.ts'
import { R2Api } from './r2-api.ts'

/**
 * What wrangler asks when it makes something, by method and path below the account. Anything else is refused, so that a command
 * which asks for more is noticed.
 */
const MADE: readonly [pattern: RegExp, result: unknown][] = [
  [/^GET storage\/kv\/namespaces$/, []],
  [/^POST storage\/kv\/namespaces$/, { id: 'namespace', title: 'lists' }],
  [/^POST queues$/, { queue_id: 'queue', queue_name: 'queue' }],
  [/^POST r2\/buckets$/, {}],
  [/^GET r2\/buckets\/[^/]+\/lifecycle$/, { rules: [] }],
  [/^PUT r2\/buckets\/[^/]+\/lifecycle$/, {}],
  [/^PUT workers\/scripts\/[^/]+\/secrets$/, {}],
  [/^PATCH workers\/scripts\/[^/]+\/secrets-bulk$/, {}],
]

/**
 * Cloudflare's API for the account `account` and the token `token`, as far as the commands in the documentation need it: values
 * of KV, objects of one bucket, and all that `wrangler` makes.
 */
export class CloudflareStandIn {
  readonly kv: KvApi
  readonly r2: R2Api
  readonly #server: Server

  private constructor(kv: KvApi, r2: R2Api) {
    this.kv = kv
    this.r2 = r2
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(bucket: string): Promise<CloudflareStandIn> {
    const api = new CloudflareStandIn(await KvApi.start(), await R2Api.start(bucket))
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  /** Variables that send hashgate and wrangler here. */
  get env(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: 'token',
      CLOUDFLARE_ACCOUNT_ID: 'account',
      WRANGLER_SEND_METRICS: 'false',
    }
  }

  reset(): void {
    this.kv.reset()
    this.r2.reset()
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    await Promise.all([this.kv.stop(), this.r2.stop()])
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace('/client/v4/', '')
    if (/\/namespaces\/[^/]+\//.test(path)) return forward(this.kv.baseUrl, path, request, response)
    if (/\/buckets\/[^/]+\/objects/.test(path))
      return forward(this.r2.baseUrl, path, request, response)
    const asked = `${request.method} ${path.replace(/\?.*/, '').replace('accounts/account/', '')}`
    const made = MADE.find(([pattern]) => pattern.test(asked))
    const isAllowed = request.headers.authorization === 'Bearer token'
    const problem = isAllowed
      ? { code: 7003, message: `nothing is here: ${asked}` }
      : { code: 10000, message: 'Authentication error' }
    const isGood = made !== undefined && isAllowed
    const body = { success: isGood, errors: isGood ? [] : [problem], messages: [] }
    response
      .writeHead(isGood ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ...body, result: made?.[1] ?? null }))
  }
}

async function forward(
  base: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { authorization = '' } = request.headers
  const answer = await fetch(`${base}/${path}`, {
    method: request.method ?? 'GET',
    headers: { authorization },
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  })
  response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
}
