// The server side of the tus protocol 1.0.0 (tus.io/protocols/resumable-upload), except GET, which the origin answers.

import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { ClientGoneError, ClientStalledError } from '../../upload/body-source.ts'
import { BusyError } from '../../util/semaphore.ts'
import { BeyondEndError, ChecksumError, UploadChangedError } from '../../upload/staging/errors.ts'
import { finishUpload } from '../../upload/staging/finish.ts'
import { digestBody, stageBody } from '../../upload/staging/stage-body.ts'
import type { UploadState } from '../../upload/staging/staged-upload.ts'
import { newUpload, type UploadHandle, uploadOf } from '../../upload/staging/staging.ts'
import {
  answerAgain,
  expiryOf,
  finishingOf,
  firstAnswer,
  reportFailure,
  type StagedDeps,
  stagedAnswer,
} from '../staged.ts'
import { RETRY_AFTER_SECONDS } from '../status.ts'
import { CHECKSUMS, headersOf, parseBytes, parseChecksum, parseMetadata } from './headers.ts'
import type { TusSettings } from './settings.ts'

const VERSION = '1.0.0'
const EXTENSIONS = 'creation,creation-with-upload,termination,expiration,checksum'
const METHODS = new Set(['POST', 'HEAD', 'PATCH', 'DELETE'])
const OFFSET_TYPE = 'application/offset+octet-stream'

/** Answers requests under the path of tus. Others go to the next handler. */
export function tusServer(deps: TusDeps): Hono {
  const server = new TusServer(deps)
  const { path: tusPath, corsOrigins } = deps.config.tus
  const app = new Hono()
  app.onError((error, c) => {
    reportFailure(c, deps, error)
    return storeUnavailable()
  })
  const isOurs = (path: string) => path === tusPath || path.startsWith(`${tusPath}/`)
  if (corsOrigins.length > 0) {
    const allowOrigin = cors({
      origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
      allowMethods: [...METHODS],
      exposeHeaders: EXPOSED,
      maxAge: 86_400,
    })
    app.use('*', (c, next) => {
      if (!isOurs(c.req.path)) return next()
      if (c.req.method === 'OPTIONS') for (const [k, v] of server.facts(c)) c.header(k, v)
      return allowOrigin(c, next)
    })
  }
  app.all('*', (c, next) => {
    const method = methodOf(c)
    const isTus = isOurs(c.req.path) && (METHODS.has(method) || method === 'OPTIONS')
    return isTus ? server.answer(c, method) : next()
  })
  return app
}

export interface TusDeps extends StagedDeps {
  config: StagedDeps['config'] & { tus: TusSettings }
}

const EXPOSED = [
  'Location',
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Checksum-Algorithm',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Expires',
]

/** The method of a request. Clients that can only GET and POST name it in a header. */
function methodOf({ req }: Context): string {
  const override = req.method === 'POST' ? req.header('x-http-method-override') : undefined
  return (override ?? req.method).toUpperCase()
}

class TusServer {
  readonly #deps: TusDeps

  constructor(deps: TusDeps) {
    this.#deps = deps
  }

  async answer(c: Context, method: string): Promise<Response> {
    const response = await this.#answer(c, method)
    response.headers.set('tus-resumable', VERSION)
    return response
  }

  /** Headers that say what the server supports. */
  facts(c: Context): [name: string, value: string][] {
    return [
      ['tus-resumable', VERSION],
      ['tus-version', VERSION],
      ['tus-extension', EXTENSIONS],
      ['tus-max-size', String(this.#deps.uploads.maxBodyBytes(this.#targetOf(c)))],
      ['tus-checksum-algorithm', Object.keys(CHECKSUMS).join(',')],
    ]
  }

  async #answer(c: Context, method: string): Promise<Response> {
    if (method === 'OPTIONS') return new Response(null, { status: 204, headers: this.facts(c) })
    if (c.req.header('tus-resumable') !== VERSION) {
      return say(412, `Tus-Resumable must be ${VERSION}`, { 'tus-version': VERSION })
    }
    const name = c.req.path.slice(this.#deps.config.tus.path.length).replace(/^\//, '')
    if (method === 'POST') {
      return name === '' ? this.#create(c) : say(405, 'POST to the path of uploads to create one')
    }
    const finishing = finishingOf(c, this.#deps)
    const upload = uploadOf(name, finishing)
    const state = await upload?.stub.look()
    if (!upload || !state) return say(404, 'there is no such upload')
    if (method === 'PATCH' && isBehind(c, state)) {
      const answer = await lastAnswer(c, upload, this.#deps)
      if (answer) return answer
    }
    if (state.phase === 'finishing') return say(423, 'the upload is complete; processing')
    if (state.phase !== 'open' && !(state.phase === 'done' && method === 'HEAD')) {
      return say(410, 'the upload has ended')
    }
    switch (method) {
      case 'HEAD':
        return stateAnswer(state)
      case 'DELETE':
        return (await upload.stub.end())
          ? new Response(null, { status: 204 })
          : say(423, 'the upload is complete; processing')
      default:
        return this.#patch(c, upload, state)
    }
  }

  async #create(c: Context): Promise<Response> {
    const length = parseBytes(c.req.header('upload-length'))
    if (c.req.header('upload-concat') !== undefined)
      return say(400, 'uploads cannot be concatenated here: send the file as one upload')
    if (c.req.header('upload-defer-length') !== undefined)
      return say(400, 'the length cannot be deferred here: send Upload-Length')
    if (length === undefined) return say(400, 'Upload-Length must be a number of bytes')
    const target = this.#targetOf(c)
    const maxBytes = this.#deps.uploads.maxBodyBytes(target)
    if (length > maxBytes) return say(413, `Upload-Length must be at most ${maxBytes}`)
    const header = c.req.header('upload-metadata') ?? ''
    const metadata = parseMetadata(header)
    if (!metadata) return say(400, 'Upload-Metadata is malformed or too long')
    const hasBody = c.req.raw.body !== null && c.req.header('content-length') !== '0'
    if (hasBody && c.req.header('content-type') !== OFFSET_TYPE) {
      return say(415, `the Content-Type must be ${OFFSET_TYPE}`)
    }
    const finishing = finishingOf(c, this.#deps)
    const upload = newUpload(finishing)
    const { pathname, search } = new URL(target.url)
    const state = await upload.stub.begin(
      { target: pathname + search, headers: headersOf(metadata, header), length },
      expiryOf(this.#deps.config),
    )
    const location = `${this.#deps.config.tus.path}/${upload.id}`
    if (state.phase === 'open' && !hasBody) {
      return new Response(null, {
        status: 201,
        headers: { location, 'upload-offset': '0', ...expires(state.expiresAt) },
      })
    }
    const response = await this.#take(c, upload, state)
    if (response.status !== 204) return response
    response.headers.set('location', location)
    return new Response(null, { status: 201, headers: response.headers })
  }

  async #patch(c: Context, upload: UploadHandle, state: UploadState): Promise<Response> {
    if (c.req.header('content-type') !== OFFSET_TYPE) {
      return say(415, `the Content-Type must be ${OFFSET_TYPE}`)
    }
    const at = parseBytes(c.req.header('upload-offset'))
    if (at === undefined) return say(400, 'Upload-Offset must be a number of bytes')
    if (at !== state.offset) return say(409, `Upload-Offset must be ${state.offset}`)
    return this.#take(c, upload, state)
  }

  /** Takes a body that continues an upload, and finishes the upload once it is complete. */
  async #take(c: Context, upload: UploadHandle, state: UploadState): Promise<Response> {
    const { offset, facts } = state
    const left = (facts.length ?? 0) - offset
    if ((parseBytes(c.req.header('content-length')) ?? 0) > left) {
      return say(413, `the upload has ${left} bytes left`)
    }
    const header = c.req.header('upload-checksum')
    const checksum = header === undefined ? undefined : parseChecksum(header)
    if (header !== undefined && !checksum) return say(400, 'Upload-Checksum is malformed')
    const taking = takeBody(c, upload, state, this.#deps, checksum)
    c.executionCtx.waitUntil(taking.catch(() => undefined)) // what arrived counts if the client goes away
    return taking
  }

  /** The request that the origin gets: its own path, with the client's query. */
  #targetOf(c: Context): Request {
    const url = new URL(c.req.url)
    const { path, originPath } = this.#deps.config.tus
    url.pathname = originPath || path
    return new Request(url, { method: 'POST' })
  }
}

/** The state of an upload, as HEAD answers. */
function stateAnswer({ facts, offset, expiresAt, phase }: UploadState): Response {
  const metadata = facts.headers['upload-metadata']
  return new Response(null, {
    headers: {
      'cache-control': 'no-store',
      'upload-offset': String(offset),
      'upload-length': String(facts.length),
      ...(metadata !== undefined && { 'upload-metadata': metadata }),
      ...(phase === 'open' && expires(expiresAt)),
    },
  })
}

/** Whether a request sends the last bytes of an upload that already has some of them. */
function isBehind({ req }: Context, { facts, offset, phase, attempt }: UploadState): boolean {
  const at = parseBytes(req.header('upload-offset'))
  const bytes = parseBytes(req.header('content-length'))
  if (at === undefined || bytes === undefined || at + bytes !== facts.length) return false
  return phase !== 'open' || (at < offset && attempt === 0)
}

/**
 * The answer to the request that completed an upload, for one that sends the same bytes again.
 * @param ending SHA-256 of the repeated body, if it was already read
 */
async function lastAnswer(
  c: Context,
  { stub }: UploadHandle,
  deps: StagedDeps,
  ending?: string,
): Promise<Response | undefined> {
  try {
    const own = ending ?? (await digestBody(c.req.raw, finishingOf(c, deps)))
    const state = await stub.settled()
    // Uploads that were completed before digests were recorded have none.
    const isSame = (state?.ending ?? own) === own
    return state?.answer && isSame ? answerAgain(state.answer) : undefined
  } catch (error) {
    return tusFailure(error)
  }
}

async function takeBody(
  c: Context,
  upload: UploadHandle,
  before: UploadState,
  deps: TusDeps,
  checksum: ReturnType<typeof parseChecksum>,
): Promise<Response> {
  try {
    const isWhole = before.phase === 'finishing'
    const finishing = finishingOf(c, deps)
    const request = c.req.raw
    const state = isWhole ? before : await stageBody(request, upload, before, finishing, checksum)
    const headers = { 'upload-offset': String(state.offset) }
    if (state.phase === 'open') {
      return new Response(null, {
        status: 204,
        headers: { ...headers, ...expires(state.expiresAt) },
      })
    }
    const finished = await finishUpload(request, 'POST', upload, state, finishing)
    const response = await stagedAnswer(c, finished, deps)
    if (finished.outcome !== 'done') return firstAnswer(upload, finished, response)
    await response.body?.cancel()
    const location = response.headers.get('location')
    const answer = new Response(null, {
      status: 204,
      headers: { ...headers, ...(location !== null && { 'content-location': location }) },
    })
    return firstAnswer(upload, finished, answer)
  } catch (error) {
    const isLate = error instanceof UploadChangedError && error.ending !== undefined
    const again = isLate ? await lastAnswer(c, upload, deps, error.ending) : undefined
    return again ?? tusFailure(error)
  }
}

function tusFailure(error: unknown): Response {
  if (error instanceof ChecksumError) return say(460, error.message)
  if (error instanceof UploadChangedError) return say(409, error.message)
  if (error instanceof BeyondEndError) return say(413, error.message)
  if (error instanceof ClientStalledError) return say(408, error.message)
  if (error instanceof ClientGoneError) return say(400, error.message)
  if (error instanceof BusyError) return storeUnavailable()
  throw error
}

function storeUnavailable(): Response {
  const headers = { 'retry-after': String(RETRY_AFTER_SECONDS), 'tus-resumable': VERSION }
  return say(503, 'try again later', headers)
}

function expires(at: number): { 'upload-expires': string } {
  return { 'upload-expires': new Date(at).toUTCString() }
}

function say(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { 'cache-control': 'no-store', 'content-type': 'text/plain', ...headers },
  })
}
