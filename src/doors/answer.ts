import { accepts } from 'hono/accepts'
import type { Context } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { Happening } from '../events/schema.ts'
import { harmOf } from '../gate/verdict.ts'
import type { HarmPolicy } from '../policy/schema.ts'
import { OriginStalledError } from '../upload/errors.ts'
import type { Passage } from '../upload/outcome.ts'
import { clipPath } from '../upload/verdict-event.ts'
import { describeError } from '../util/errors.ts'
import { statusOf } from './status.ts'

/** Seconds after which an uploader whose upload could not be judged may try again. */
const RETRY_AFTER_SECONDS = 30

/** What answers to uploads are made with. */
export interface AnswerDeps {
  /** What the operator says of a kind of harm. */
  textsFor: (harm: string) => HarmPolicy | undefined
  report: (happening: Happening) => void
}

/** What an uploader is told: problem details (RFC 9457). The same for all with this status and kind of harm, but for the case id. */
export interface Refusal {
  type: string
  title: string
  status: number
  detail?: string
  caseId: string
  /** Where the decision can be appealed. */
  appeal?: string
}

/**
 * The answer to a request that was passed on, or not.
 * @param isPage whether a browser shows it to a person
 */
export async function answerTo(
  passage: Passage,
  { method, url }: Request,
  deps: AnswerDeps,
  isPage = false,
): Promise<Response> {
  if (!passage.isPassed) return refusalAnswer(refusalOf(passage, deps), isPage, url)
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

/** What is said of an upload that is not passed on. */
export function refusalOf(
  { outcome, caseId }: Passage & { isPassed: false },
  { textsFor }: Pick<AnswerDeps, 'textsFor'>,
): Refusal {
  const { status, title: usual } = statusOf(outcome)
  const kind = outcome.reason === 'match' ? harmOf(outcome) : undefined
  const harm = kind === undefined ? undefined : textsFor(kind)
  const { type = 'about:blank', title = usual, text: detail } = harm ?? {}
  const appeal = harm?.appealUrl?.replaceAll('{caseId}', caseId)
  return {
    type,
    title,
    status,
    ...(detail !== undefined && { detail }),
    caseId,
    ...(appeal !== undefined && { appeal }),
  }
}

function refusalAnswer(refusal: Refusal, isPage: boolean, url: string): Response {
  const { status } = refusal
  const headers = new Headers({
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/problem+json',
    'cache-control': 'no-store',
    vary: 'accept',
  })
  if (isPage)
    headers.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
  if (status === 451) headers.set('link', `<${new URL('/', url).href}>; rel="blocked-by"`) // RFC 7725
  if (status === 503) headers.set('retry-after', String(RETRY_AFTER_SECONDS))
  return new Response(isPage ? page(refusal) : JSON.stringify(refusal), { status, headers })
}

/** Whether a browser has posted a form, and will show what it gets to a person. */
export function isPagePost(c: Context): boolean {
  const type = c.req.header('content-type') ?? ''
  if (!/^\s*(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) return false
  const supports = ['application/problem+json', 'application/json', 'text/html']
  const chosen = accepts(c, { header: 'Accept', supports, default: 'application/problem+json' })
  return chosen === 'text/html'
}

/** A page without anything from elsewhere. What is put into it is escaped. */
function page({ title, detail, appeal, caseId }: Refusal): string {
  const paragraphs = [
    detail !== undefined && html`<p>${detail}</p>`,
    appeal !== undefined && html`<p><a href="${appeal}">Ask for another look at this</a></p>`,
    html`<p>Case ${caseId}</p>`,
  ].filter((paragraph) => paragraph !== false)
  const whole = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${title}</title>
      <style>
        body {
          font:
            1rem/1.5 system-ui,
            sans-serif;
          max-width: 40rem;
          margin: 4rem auto;
          padding: 0 1rem;
        }
      </style>
      <h1>${title}</h1>
      ${paragraphs}
    </html>`
  return whole as HtmlEscapedString // a promise only if a part is one
}
