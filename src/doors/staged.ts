import type { Context } from 'hono'
import type { Origin } from '../upload/origin.ts'
import type { Finished, FinishingDeps } from '../upload/staging/finish.ts'
import type { Staging } from '../upload/staging/staging.ts'
import type { Uploads } from '../upload/uploads.ts'
import type { StagingSettings } from '../upload/settings.ts'
import { clipPath } from '../upload/verdict-event.ts'
import { describeError } from '../util/errors.ts'
import { answerTo } from './answer.ts'

/** What the doors for uploads in parts have in common. */
export interface StagedDeps {
  uploads: Uploads
  staging: Staging
  /** Where uploads go when they are whole, and may. */
  origin: Origin
  config: { staging: StagingSettings }
}

/** Reports what a request failed by that is no fault of its client. */
export function reportFailure({ req }: Context, { uploads }: StagedDeps, error: unknown): void {
  const { method, path } = req
  uploads.report({
    event: 'staging-error',
    error: describeError(error),
    method,
    path: clipPath(path),
  })
}

/** When an upload that begins now is deleted, if it is not complete by then: milliseconds since the epoch. */
export function expiryOf({ staging }: StagedDeps['config']): number {
  return Date.now() + staging.hours * 3_600_000
}

/** What an upload is staged and finished with, behind some request. */
export function finishingOf(c: Context, { uploads, staging, origin }: StagedDeps): FinishingDeps {
  const { upload, origin: target } = uploads.settings
  const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
  return {
    ...staging,
    target: origin,
    bytes: uploads.bytes,
    maxStallMs: upload.clientStallSeconds * 1000,
    maxOriginMs: target.timeoutSeconds * 1000,
    pass: (request, to) => uploads.pass(request, { origin: to, waitUntil }),
  }
}

/** The answer to an upload that was whole, with headers that can be changed. */
export async function stagedAnswer(
  { passage, request }: Finished,
  { uploads }: StagedDeps,
): Promise<Response> {
  const response = await answerTo(passage, request, uploads)
  return new Response(response.body, response)
}
