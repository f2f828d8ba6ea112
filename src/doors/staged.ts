import type { Context } from 'hono'
import type { Origin } from '../upload/origin.ts'
import type { Finished, FinishingDeps } from '../upload/staging/finish.ts'
import type { Staging } from '../upload/staging/staging.ts'
import type { Uploads } from '../upload/uploads.ts'
import { type AnswerDeps, answerTo } from './answer.ts'

/** What the doors for uploads in parts have in common. */
export interface StagedDeps {
  uploads: Uploads
  staging: Staging
  /** Where uploads go when they are whole, and may. */
  origin: Origin
  config: AnswerDeps['config'] & {
    /** Milliseconds after which an upload that is not whole is deleted. */
    stagingMs: number
  }
}

/** What an upload is staged and finished with, behind some request. */
export function finishingOf(c: Context, { uploads, staging, origin }: StagedDeps): FinishingDeps {
  const { maxStallMs, maxOriginMs } = uploads.settings
  const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
  return {
    ...staging,
    target: origin,
    bytes: uploads.bytes,
    maxStallMs,
    maxOriginMs,
    pass: (request, to) => uploads.pass(request, { origin: to, waitUntil }),
  }
}

/** The answer to an upload that was whole, with headers that can be changed. */
export async function stagedAnswer(
  { passage, request }: Finished,
  { uploads, config }: StagedDeps,
): Promise<Response> {
  const response = await answerTo(passage, request, { config, report: uploads.report })
  return new Response(response.body, response)
}
