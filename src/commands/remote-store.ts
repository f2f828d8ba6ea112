import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { bufferOf } from '../util/buffer.ts'
import { HashgateError } from '../util/errors.ts'
import type { Bytes, ValueStore } from '../list/store.ts'
import { parseJson } from '../util/json.ts'
import { retryAfterSeconds } from '../util/retry-after.ts'

/** Maximum attempts of a request. */
const MAX_TRIES = 6
/** Milliseconds before the second attempt; doubled before each later one. */
const FIRST_WAIT_MS = 1000
/**
 * Longest wait that Cloudflare may ask for: its rate limit is 1,200 requests in five minutes, and
 * then blocks for five minutes.
 */
const MAX_RETRY_AFTER_MS = 300_000

/** Milliseconds until an answer must arrive. */
const TIMEOUT_MS = 60_000
/**
 * The timeout grows by a millisecond for this many bytes of a request or long answer: 2 Mbit/s, so
 * that a full batch gets through a slow line.
 */
const BYTES_PER_MS = 250

/** Maximum pairs or keys in one bulk request. */
const MAX_BATCH_ITEMS = 10_000
/** Bytes of values in one bulk request; as base64 they stay below Cloudflare's 100 MB. */
const MAX_BATCH_BYTES = 50_000_000
/** Maximum keys on a page. */
const PAGE_KEYS = 1000

/** Cloudflare's error number for a missing key. Other missing things also answer 404. */
const KEY_NOT_FOUND = 10009

const ErrorsSchema = v.object({
  errors: v.array(v.object({ code: v.number(), message: v.string() })),
})

const success = v.literal(true)
const PutSchema = v.object({ success })
const BulkSchema = v.object({
  success,
  result: v.nullish(v.object({ unsuccessful_keys: v.nullish(v.array(v.string())) })),
})
const KeysSchema = v.object({
  success,
  result: v.array(v.object({ name: v.string() })),
  result_info: v.nullish(v.object({ cursor: v.nullish(v.string()) })),
})
const AccountsSchema = v.object({ success, result: v.array(v.object({ id: v.string() })) })

/** A KV namespace at Cloudflare, through its API. */
export class RemoteStore implements ValueStore {
  readonly #api: CloudflareApi
  readonly #path: string

  /**
   * @param account its id
   * @param namespace its id
   */
  constructor(api: CloudflareApi, account: string, namespace: string) {
    const [accountPart, namespacePart] = [account, namespace].map(encodeURIComponent)
    this.#api = api
    this.#path = `accounts/${accountPart}/storage/kv/namespaces/${namespacePart}`
  }

  /** @throws {CloudflareError} as all methods do */
  async get(key: string): Promise<Bytes | undefined> {
    try {
      return await this.#api.send('GET', this.#pathOf(key))
    } catch (error) {
      const isMissing = error instanceof CloudflareError && error.failure.apiCode === KEY_NOT_FOUND
      if (isMissing) return undefined
      throw error
    }
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.#api.call(PutSchema, 'PUT', this.#pathOf(key), { body: value })
  }

  async putAll(
    values: ReadonlyMap<string, Bytes>,
    onWritten: (count: number) => void = () => {},
  ): Promise<void> {
    let written = 0
    for (const batch of batches(values, ([, value]) => value.length)) {
      const pairs = batch.map(([key, value]) => ({
        key,
        value: bufferOf(value).toString('base64'),
        base64: true,
      }))
      await this.#bulk('PUT', 'bulk', pairs, ({ key }) => key)
      written += batch.length
      onWritten(written)
    }
  }

  async list(prefix: string): Promise<string[]> {
    const names: string[] = []
    let cursor = ''
    do {
      const query = { prefix, limit: String(PAGE_KEYS), ...(cursor !== '' && { cursor }) }
      const page = await this.#api.call(KeysSchema, 'GET', `${this.#path}/keys`, { query })
      for (const { name } of page.result) names.push(name)
      cursor = page.result_info?.cursor ?? ''
    } while (cursor !== '')
    return names
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    for (const batch of batches(keys, (key) => key.length)) {
      await this.#bulk('POST', 'bulk/delete', batch, (key) => key)
    }
  }

  #pathOf(key: string): string {
    return `${this.#path}/values/${encodeURIComponent(key)}`
  }

  /** Sends items in one request, and resends those that Cloudflare did not process. */
  async #bulk<T>(
    method: Method,
    operation: string,
    items: readonly T[],
    keyOf: (item: T) => string,
  ): Promise<void> {
    const path = `${this.#path}/${operation}`
    let left = items
    for (let tries = 1; ; tries++) {
      const body = JSON.stringify(left)
      const { result } = await this.#api.call(BulkSchema, method, path, { body })
      const undone = new Set(result?.unsuccessful_keys)
      if (undone.size === 0) return
      if (tries === MAX_TRIES) {
        const problem = `${undone.size} of ${items.length} keys were not done in ${tries} tries`
        throw new CloudflareError(requestName(method, path), { status: 200, problem })
      }
      left = left.filter((item) => undone.has(keyOf(item)))
      await this.#api.pause(tries)
    }
  }
}

/** What went wrong with a request. */
interface Failure {
  problem: string
  /** Status of the answer, if there was one. */
  status?: number
  /** Cloudflare's error number, if it gave one. */
  apiCode?: number | undefined
  /** Milliseconds to wait before retrying, if Cloudflare said. */
  retryAfterMs?: number | undefined
}

/** Cloudflare's API refused or did not answer. */
export class CloudflareError extends HashgateError {
  readonly code = 'cloudflare'
  readonly failure: Readonly<Failure>

  /** @param request method and path, without the account */
  constructor(request: string, failure: Failure, options?: ErrorOptions) {
    const { status, apiCode, problem } = failure
    const words = [status, problem, apiCode && `(${apiCode})`].filter(Boolean)
    super(`Cloudflare: ${request}: ${words.join(' ')}`, options)
    this.failure = failure
  }

  /** Whether the same request may succeed a little later. */
  get mayPass(): boolean {
    const { status, retryAfterMs = 0 } = this.failure
    const isPassing = status === undefined || status === 429 || status >= 500
    return isPassing && retryAfterMs <= MAX_RETRY_AFTER_MS
  }
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** The parts of a request beside method and path. */
interface Content {
  query?: Record<string, string>
  /** Text is sent as JSON, anything else as bytes. */
  body?: string | Bytes
  headers?: Record<string, string>
  /** Length of a long answer, which gets more time on a slow line. */
  answerBytes?: number
}

export interface CloudflareOptions {
  token: string
  /** Where the API is; Cloudflare's own address by default. */
  baseUrl?: string | undefined
  /**
   * Milliseconds until an answer must arrive, beside the time that the request takes on a slow
   * line.
   */
  timeoutMs?: number
  wait?: (ms: number) => Promise<unknown>
}

/**
 * Cloudflare's API, version 4. Transient failures are retried a few times.
 *
 * Not the package `cloudflare` (7.3): for a few routes it takes 120 MB on disk, a fifth of the
 * whole installation, and it waits as long as an answer asks.
 */
export class CloudflareApi {
  readonly #baseUrl: string
  readonly #headers: Headers
  readonly #timeoutMs: number
  readonly #wait: (ms: number) => Promise<unknown>

  /** @throws {CloudflareError} the token or the address is malformed */
  constructor(options: CloudflareOptions) {
    const { token, baseUrl = 'https://api.cloudflare.com/client/v4' } = options
    // Otherwise fetch would throw an error with the token in its message.
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new CloudflareError('the API token', {
        problem: 'contains characters that a token may not contain',
      })
    }
    if (!URL.canParse(baseUrl)) throw new CloudflareError(baseUrl, { problem: 'is not a URL' })
    this.#baseUrl = baseUrl.replace(/\/+$/, '')
    this.#headers = new Headers({ authorization: `Bearer ${token}` })
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    this.#wait = options.wait ?? setTimeout
  }

  /** Account ids that the token gives access to, from the first page. */
  async accounts(): Promise<string[]> {
    const { result } = await this.call(AccountsSchema, 'GET', 'accounts')
    return result.map(({ id }) => id)
  }

  /**
   * Sends a request whose answer is JSON.
   * @throws {CloudflareError}
   */
  async call<S extends v.GenericSchema>(
    schema: S,
    method: Method,
    path: string,
    content: Content = {},
  ): Promise<v.InferOutput<S>> {
    const body = await this.send(method, path, content)
    const answer = v.safeParse(schema, parseJson(body))
    if (answer.success) return answer.output
    const failure = { status: 200, problem: 'the answer does not match the documentation' }
    throw new CloudflareError(requestName(method, path), { ...failure, ...readErrors(body) })
  }

  /**
   * Sends a request, at most MAX_TRIES times. Returns the answer's body.
   * @throws {CloudflareError}
   */
  async send(method: Method, path: string, content: Content = {}): Promise<Bytes> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#sendOnce(method, path, content)
      } catch (error) {
        if (!(error instanceof CloudflareError && error.mayPass) || tries === MAX_TRIES) throw error
        await this.pause(tries, error.failure.retryAfterMs)
      }
    }
  }

  /** Waits before the next attempt. */
  async pause(tries: number, leastMs = 0): Promise<void> {
    await this.#wait(Math.max(FIRST_WAIT_MS * 2 ** (tries - 1), leastMs))
  }

  async #sendOnce(method: Method, path: string, content: Content): Promise<Bytes> {
    const { status, headers, body } = await this.#fetch(method, path, content)
    if (status >= 200 && status < 300) return body
    throw new CloudflareError(requestName(method, path), {
      status,
      problem: 'without a reason',
      ...readErrors(body),
      retryAfterMs: (retryAfterSeconds(headers.get('retry-after') ?? '') ?? 0) * 1000,
    })
  }

  async #fetch(method: Method, path: string, content: Content) {
    const { query, body = '', answerBytes = 0 } = content
    const url = `${this.#baseUrl}/${path}${query ? `?${new URLSearchParams(query)}` : ''}`
    const headers = new Headers(this.#headers)
    const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream'
    const hasBody = method === 'PUT' || method === 'POST'
    if (hasBody) headers.set('content-type', type)
    for (const [name, value] of Object.entries(content.headers ?? {})) headers.set(name, value)
    const lineMs = Math.ceil((body.length + answerBytes) / BYTES_PER_MS)
    const signal = AbortSignal.timeout(this.#timeoutMs + lineMs)
    const init = { method, headers, signal, ...(hasBody && { body }) }
    try {
      const response = await fetch(url, init)
      const bytes = new Uint8Array(await response.arrayBuffer())
      return { status: response.status, headers: response.headers, body: bytes }
    } catch (cause) {
      throw new CloudflareError(
        requestName(method, path),
        { problem: apiFailure(cause) },
        { cause },
      )
    }
  }
}

/** A request as errors name it. */
function requestName(method: Method, path: string): string {
  return `${method} ${path.replace(/^accounts\/[^/]+\//, '')}`
}

/** Why there was no answer. */
function apiFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return 'no answer in time'
  const { message, code } = (error.cause ?? error) as { message?: string; code?: string }
  return `no answer: ${message || code || error.message}`
}

/** The error that an answer reports. */
function readErrors(body: Bytes): Pick<Failure, 'problem' | 'apiCode'> | undefined {
  const parsed = v.safeParse(ErrorsSchema, parseJson(body))
  const errors = parsed.success ? parsed.output.errors : []
  if (errors.length === 0) return undefined
  return { problem: errors.map(({ message }) => message).join('; '), apiCode: errors[0]?.code }
}

/** Splits items into groups that fit one bulk request. */
function* batches<T>(items: Iterable<T>, bytesOf: (item: T) => number): Generator<T[]> {
  let batch: T[] = []
  let bytes = 0
  for (const item of items) {
    const isFull = batch.length === MAX_BATCH_ITEMS || bytes + bytesOf(item) > MAX_BATCH_BYTES
    if (isFull && batch.length > 0) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += bytesOf(item)
  }
  if (batch.length > 0) yield batch
}
