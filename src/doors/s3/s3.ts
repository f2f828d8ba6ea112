// S3 uploads: PutObject, and CreateMultipartUpload, UploadPart, CompleteMultipartUpload,
// AbortMultipartUpload, ListParts.

import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { MalformedBodyError } from '../../body/errors.ts'
import { ClientGoneError, ClientStalledError, readChunks } from '../../upload/body-source.ts'
import { BodyTooLargeError } from '../../upload/errors.ts'
import type { Passage } from '../../upload/outcome.ts'
import { BusyError } from '../../util/semaphore.ts'
import { readAtMost } from '../../util/read-at-most.ts'
import { ChecksumError, UploadChangedError } from '../../upload/staging/errors.ts'
import {
  type FinishedUpload,
  type FinishingDeps,
  finishUpload,
} from '../../upload/staging/finish.ts'
import { PASSING_BYTES, partLengthOf, receivePart } from '../../upload/staging/receive-part.ts'
import type {
  ChoiceProblem,
  ChosenPart,
  PartProblem,
  UploadState,
} from '../../upload/staging/staged-upload.ts'
import { newUpload, type UploadHandle, uploadOf } from '../../upload/staging/staging.ts'
import { answerTo } from '../answer.ts'
import { readerOf } from '../reader.ts'
import { refusalHeaders, refusalOf } from '../refusal.ts'
import {
  answerAgain,
  expiryOf,
  finishingOf,
  firstAnswer,
  reportFailure,
  type StagedDeps,
  stagedAnswer,
} from '../staged.ts'
import { checkedPut, isPutObject, originWithType } from './put-object.ts'
import { claimedKeyOf, type S3Keys, signerOf, type SignatureProblem } from './sigv4.ts'
import { parseCompletion, xmlAnswer } from './xml.ts'

/** Most parts of an upload. S3 has 10,000, but finishing takes a request to the bucket for each. */
const MAX_PARTS = 1000
const MAX_PART_NUMBER = 10_000
/** Smallest part but the last, in bytes: S3's limit. */
const MIN_PART_BYTES = 5 * 1024 * 1024
/** Longest list of parts, in bytes. */
const MAX_LIST_BYTES = 1024 * 1024

/** Headers of a new upload that its object gets. */
const OBJECT_HEADERS =
  /^(content-(type|disposition|language|encoding)|cache-control|expires|x-amz-(meta-.+|acl|tagging|storage-class|server-side-encryption.*|website-redirect-location))$/

/** The status of each S3 error. */
const STATUSES = {
  AccessDenied: 403,
  InvalidAccessKeyId: 403,
  SignatureDoesNotMatch: 403,
  RequestTimeTooSkewed: 403,
  NoSuchUpload: 404,
  MethodNotAllowed: 405,
  OperationAborted: 409,
  MissingContentLength: 411,
  BadDigest: 400,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InvalidArgument: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  MalformedXML: 400,
  RequestTimeout: 400,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  SlowDown: 503,
} as const
type ErrorCode = keyof typeof STATUSES

const PROBLEMS: Record<Exclude<PartProblem | ChoiceProblem, 'not-open'>, ErrorCode> = {
  'too-large': 'EntityTooLarge',
  'too-many': 'InvalidArgument',
  'invalid-part': 'InvalidPart',
  'invalid-order': 'InvalidPartOrder',
  'too-small': 'EntityTooSmall',
}

/** Answers upload requests signed with the clients' keys. Others go to the next handler. */
export function s3Server(deps: S3Deps): Hono {
  const server = new S3Server(deps)
  const app = new Hono()
  app.onError((error, c) => {
    reportFailure(c, deps, error)
    return s3Failure('ServiceUnavailable')
  })
  app.all('*', (c, next) => {
    const url = new URL(c.req.url)
    const isNew = c.req.method === 'POST' && url.searchParams.has('uploads')
    if (isNew || url.searchParams.has('uploadId')) return server.answer(c, url)
    const key = isPutObject(c.req.raw, url) ? claimedKeyOf(c.req.raw) : undefined
    return key !== undefined && deps.keys.has(key) ? server.answerPut(c) : next()
  })
  return app
}

/** What the door for S3 needs. */
export interface S3Deps extends StagedDeps {
  /** The keys that may upload: each request is signed by one of these. */
  keys: S3Keys
}

class S3Server {
  readonly #deps: S3Deps

  constructor(deps: S3Deps) {
    this.#deps = deps
  }

  async answer(c: Context, { pathname, searchParams }: URL): Promise<Response> {
    const signer = await signerOf(c.req.raw, this.#deps.keys)
    if ('problem' in signer) return s3Failure(signer.problem)
    const uploadId = searchParams.get('uploadId')
    if (uploadId === null) return this.#create(c, pathname, signer.name)
    const upload = uploadOf(uploadId, this.#deps.staging)
    const state = await upload?.stub.look()
    const isTheirs = state?.facts.target === pathname && state.facts.owner === signer.name
    if (!upload || !state || !isTheirs) return s3Failure('NoSuchUpload')
    if (state.phase !== 'open') {
      if (c.req.method === 'POST') return completedAgain(upload)
      return s3Failure(state.phase === 'finishing' ? 'OperationAborted' : 'NoSuchUpload')
    }
    const answering = this.#answerFor(c, searchParams, upload, state)
    c.executionCtx.waitUntil(answering.catch(() => undefined)) // it finishes if the client goes away
    return answering
  }

  async #answerFor(
    c: Context,
    search: URLSearchParams,
    upload: UploadHandle,
    state: UploadState,
  ): Promise<Response> {
    try {
      switch (c.req.method) {
        case 'PUT':
          return await this.#takePart(c, search.get('partNumber') ?? '', upload)
        case 'POST':
          return await this.#complete(c, upload)
        case 'DELETE':
          return (await upload.stub.end())
            ? new Response(null, { status: 204 })
            : s3Failure('NoSuchUpload')
        case 'GET':
          return await listParts(upload, state)
        default:
          return s3Failure('MethodNotAllowed')
      }
    } catch (error) {
      return s3Failure(s3CodeOf(error))
    }
  }

  /** Judges an object that arrives in one request, and signs it again for the origin. */
  async answerPut(c: Context): Promise<Response> {
    const request = c.req.raw
    const signer = await signerOf(request, this.#deps.keys)
    if ('problem' in signer) return s3Failure(signer.problem)
    const length = partLengthOf(request)
    if (length === undefined) return s3Failure('MissingContentLength')
    const { pass, client, target } = finishingOf(c, this.#deps)
    const put = checkedPut(request, length, client)
    c.executionCtx.waitUntil(put.done)
    const passage = await pass(
      put.request,
      originWithType(target, request.headers.get('content-type')),
    )
    const broken = put.failure()
    if (!passage.isPassed && passage.outcome.reason === 'client-gone' && broken)
      return s3Failure(s3CodeOf(broken.error))
    if (!passage.isPassed) return refusalToXml(c, passage, this.#deps)
    const response = await answerTo(passage, put.request, this.#deps.uploads, readerOf(c))
    if (!response.ok) return response
    const headers = new Headers(response.headers)
    if (!headers.has('etag')) headers.set('etag', `"${put.md5()}"`)
    return new Response(response.body, { headers })
  }

  async #create(c: Context, target: string, owner: string): Promise<Response> {
    const headers: Record<string, string> = {}
    for (const [name, value] of c.req.raw.headers)
      if (OBJECT_HEADERS.test(name)) headers[name] = value
    const upload = newUpload(this.#deps.staging)
    await upload.stub.begin({ target, headers, owner }, expiryOf(this.#deps.config))
    const names = { ...namesOf(target), UploadId: upload.id }
    return xmlAnswer(200, 'InitiateMultipartUploadResult', names)
  }

  async #takePart(c: Context, partNumber: string, { id, stub }: UploadHandle): Promise<Response> {
    const request = c.req.raw
    const number = Number(partNumber)
    if (!/^\d{1,5}$/.test(partNumber) || number < 1 || number > MAX_PART_NUMBER)
      return s3Failure('InvalidArgument')
    if (request.headers.has('x-amz-copy-source')) return s3Failure('NotImplemented')
    const length = partLengthOf(request)
    if (length === undefined) return s3Failure('MissingContentLength')
    const maxBytes = this.#deps.uploads.maxBodyBytes({ method: 'PUT', url: request.url })
    if (length > maxBytes) return s3Failure('EntityTooLarge')
    const finishing = finishingOf(c, this.#deps)
    const part = await receivePart(request, id, number, length, finishing)
    const problem = await stub.put(part, { maxBytes, maxParts: MAX_PARTS })
    if (problem === undefined) return new Response(null, { headers: { etag: `"${part.md5}"` } })
    await finishing.bucket.delete(part.key)
    return partFailure(problem)
  }

  async #complete(c: Context, upload: UploadHandle): Promise<Response> {
    const finishing = finishingOf(c, this.#deps)
    const chosen = parseCompletion(await readList(c.req.raw, finishing))
    if (!chosen) return s3Failure('MalformedXML')
    const state = await upload.stub.complete(chosen, MIN_PART_BYTES)
    if ('problem' in state)
      return state.problem === 'not-open' ? completedAgain(upload) : partFailure(state.problem)
    const finished = await finishUpload(c.req.raw, 'PUT', upload, state, finishing)
    return firstAnswer(upload, finished, await this.#answerTo(c, finished, state, chosen))
  }

  async #answerTo(
    c: Context,
    finished: FinishedUpload,
    state: UploadState,
    chosen: readonly ChosenPart[],
  ): Promise<Response> {
    const { outcome, passage } = finished
    if (!passage.isPassed) return refusalToXml(c, passage, this.#deps)
    const response = await stagedAnswer(c, finished, this.#deps)
    if (outcome !== 'done') return response
    await response.body?.cancel()
    const etag = response.headers.get('etag') ?? etagOf(chosen)
    const location = new URL(state.facts.target, c.req.url).href
    return xmlAnswer(200, 'CompleteMultipartUploadResult', {
      Location: location,
      ...namesOf(state.facts.target),
      ETag: etag,
    })
  }
}

/** The answer to the request that completed an upload, for a repeated or simultaneous one. */
async function completedAgain({ stub }: UploadHandle): Promise<Response> {
  const state = await stub.settled()
  if (state?.answer) return answerAgain(state.answer)
  return s3Failure(state?.phase === 'open' ? 'ServiceUnavailable' : 'NoSuchUpload')
}

async function listParts({ stub }: UploadHandle, { facts }: UploadState): Promise<Response> {
  const elements = { ...namesOf(facts.target), IsTruncated: 'false', MaxParts: String(MAX_PARTS) }
  return xmlAnswer(200, 'ListPartsResult', elements, await stub.parts())
}

/** Reads a list of parts. @throws {BodyTooLargeError | ChecksumError} or the error of the read */
async function readList(request: Request, { bytes, client }: FinishingDeps): Promise<string> {
  const permit = await bytes.acquire(PASSING_BYTES + MAX_LIST_BYTES)
  try {
    const whole = await readAtMost(readChunks(request, client), MAX_LIST_BYTES)
    if (!whole) throw new BodyTooLargeError(MAX_LIST_BYTES)
    const payload = request.headers.get('x-amz-content-sha256') ?? ''
    const isDigest = /^[\da-f]{64}$/.test(payload)
    if (isDigest && createHash('sha256').update(whole).digest('hex') !== payload)
      throw new ChecksumError()
    return new TextDecoder().decode(whole)
  } finally {
    permit.release()
  }
}

/** The ETag of a multipart object, as S3 computes it. */
function etagOf(parts: readonly { md5: string }[]): string {
  const digests = createHash('md5')
  for (const { md5 } of parts) digests.update(md5, 'hex')
  return `"${digests.digest('hex')}-${parts.length}"`
}

/** Bucket and key in a path that begins with the bucket. */
function namesOf(path: string): { Bucket: string; Key: string } {
  const [, bucket = '', ...key] = decodeSafely(path).split('/')
  return { Bucket: bucket, Key: key.join('/') }
}

function decodeSafely(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The answer to a refused upload, in the form that S3 clients read. */
function refusalToXml(
  c: Context,
  passage: Passage & { isPassed: false },
  { uploads }: S3Deps,
): Response {
  const refusal = refusalOf(passage, uploads, readerOf(c))
  const { status, title, detail, caseId, appeal } = refusal.problem
  const answer = xmlAnswer(status, 'Error', {
    Code: passage.outcome.reason === 'match' ? 'UploadRefused' : 'UploadNotAccepted',
    Message: [title, detail].filter(Boolean).join(' '),
    ...(appeal !== undefined && { Appeal: appeal }),
    RequestId: caseId,
  })
  for (const [name, value] of refusalHeaders(refusal, c.req.url)) answer.headers.set(name, value)
  return answer
}

function partFailure(problem: PartProblem | ChoiceProblem): Response {
  return s3Failure(problem === 'not-open' ? 'NoSuchUpload' : PROBLEMS[problem])
}

function s3CodeOf(error: unknown): ErrorCode {
  if (error instanceof ChecksumError) return 'BadDigest'
  if (error instanceof BusyError) return 'SlowDown'
  if (error instanceof UploadChangedError) return 'OperationAborted'
  if (error instanceof ClientStalledError) return 'RequestTimeout'
  if (error instanceof ClientGoneError || error instanceof MalformedBodyError)
    return 'IncompleteBody'
  if (error instanceof BodyTooLargeError) return 'MalformedXML'
  throw error
}

function s3Failure(code: ErrorCode | SignatureProblem): Response {
  return xmlAnswer(STATUSES[code], 'Error', { Code: code, Message: code })
}
