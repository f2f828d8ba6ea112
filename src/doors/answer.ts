import type { Happening } from '../events/schema.ts'
import { OriginStalledError } from '../upload/errors.ts'
import type { Passage } from '../upload/outcome.ts'
import { clipPath } from '../upload/verdict-event.ts'
import { describeError } from '../util/errors.ts'
import type { Reader } from './reader.ts'
import { type Refusal, type RefusalDeps, refusalHeaders, refusalOf } from './refusal.ts'
import { refusalPage } from './refusal-page.ts'

/** The answer to a request, whether or not it was passed on. */
export async function answerTo(
  passage: Passage,
  { method, url }: Request,
  deps: AnswerDeps,
  reader: Reader,
): Promise<Response> {
  if (!passage.isPassed) return refusalAnswer(refusalOf(passage, deps, reader), reader, url)
  try {
    return await passage.response
  } catch (error) {
    const path = clipPath(new URL(url).pathname)
    deps.report({ event: 'origin-error', error: describeError(error), method, path })
    return error instanceof OriginStalledError
      ? new Response('Gateway timeout\n', { status: 504 })
      : new Response('Bad gateway\n', { status: 502 })
  }
}

export interface AnswerDeps extends RefusalDeps {
  report: (happening: Happening) => void
}

function refusalAnswer(refusal: Refusal, { isPage }: Reader, url: string): Response {
  const { problem } = refusal
  const headers = refusalHeaders(refusal, url)
  headers.set('content-type', isPage ? 'text/html; charset=utf-8' : 'application/problem+json')
  if (isPage)
    headers.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
  const body = isPage ? refusalPage(refusal) : JSON.stringify(problem)
  return new Response(body, { status: problem.status, headers })
}
