import type { Context } from 'hono'
import type { Origin } from '../upload/origin.ts'
import type { FinishedUpload, FinishingDeps } from '../upload/staging/finish.ts'
import type { FirstAnswer } from '../upload/staging/staged-upload.ts'
import type { Staging, UploadHandle } from '../upload/staging/staging.ts'
import type { Uploads } from '../upload/uploads.ts'
import type { StagingSettings } from '../upload/settings.ts'
import { clientLimitsOf } from '../upload/client-limits.ts'
import { clipPath } from '../upload/verdict-event.ts'
import { describeError } from '../util/errors.ts'
import { answerTo } from './answer.ts'
import { readerOf } from './reader.ts'

/** The answer to a complete upload, with mutable headers. */
export async function stagedAnswer(
  c: Context,
  { passage, request }: FinishedUpload,
  { uploads }: StagedDeps,
): Promise<Response> {
  const response = await answerTo(passage, request, uploads, readerOf(c))
  return new Response(response.body, response)
}

/** What the doors for uploads in parts have in common. */
export interface StagedDeps {
  uploads: Uploads
  staging: Staging
  /** Where complete uploads go, if they are allowed. */
  origin: Origin
  config: { staging: StagingSettings }
}

/** Reports a failure that is not the client's fault. */
export function reportFailure({ req }: Context, { uploads }: StagedDeps, error: unknown): void {
  const { method, path } = req
  uploads.report({
    event: 'staging-error',
    error: describeError(error),
    method,
    path: clipPath(path),
  })
}

/** When an upload that begins now is deleted if incomplete: milliseconds since the epoch. */
export function expiryOf({ staging }: StagedDeps['config']): number {
  return Date.now() + staging.hours * 3_600_000
}

/** What staging and finishing an upload takes, for one request. */
export function finishingOf(c: Context, { uploads, staging, origin }: StagedDeps): FinishingDeps {
  const { upload, origin: target } = uploads.settings
  const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
  return {
    ...staging,
    target: origin,
    bytes: uploads.bytes,
    client: clientLimitsOf(upload, uploads.bytes),
    maxOriginMs: target.timeoutSeconds * 1000,
    pass: (request, to) => uploads.pass(request, { origin: to, waitUntil }),
  }
}

/** Longest answer that is remembered, in bytes. The gate's own answers are shorter. */
const MAX_ANSWER_BYTES = 16 * 1024
/** Headers of an answer that are remembered. */
const ANSWER_HEADERS = new Set([
  'content-type',
  'content-language',
  'content-location',
  'link',
  'location',
  'etag',
  'upload-offset',
])

/**
 * The answer to the request that completed an upload. It is remembered in case the request is
 * repeated. If the answer is long or has no stated length, only its head is remembered.
 */
export async function firstAnswer(
  { stub }: UploadHandle,
  { outcome, passage }: FinishedUpload,
  response: Response,
): Promise<Response> {
  if (outcome === 'again') return response
  const { status } = response
  const kept = [...response.headers].filter(([name]) => ANSWER_HEADERS.has(name))
  const headers = Object.fromEntries(kept)
  const length = response.body ? Number(response.headers.get('content-length') ?? NaN) : 0
  const isOrigins = passage.isPassed && outcome === 'refused'
  if (isOrigins && !(length <= MAX_ANSWER_BYTES)) {
    await stub.remember({ status, headers, body: '' })
    return response
  }
  const body = await response.text()
  await stub.remember({ status, headers, body: body.length <= MAX_ANSWER_BYTES ? body : '' })
  return new Response(status === 204 ? null : body, response)
}

/** The answer that was given the first time. */
export function answerAgain({ status, headers, body }: FirstAnswer): Response {
  const all = { 'cache-control': 'no-store', ...headers }
  return new Response(status === 204 ? null : body, { status, headers: all })
}
