import { accepts } from 'hono/accepts'
import type { Context } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { HarmPolicy } from '../policy/schema.ts'
import type { RefusalReason } from './verdict.ts'

/** Seconds after which an uploader whose upload could not be judged may try again. */
const RETRY_AFTER_SECONDS = 30

/** What an uploader is told: the status and no reason beyond it. */
export const REFUSALS: Record<RefusalReason, { status: number; title: string }> = {
  match: { status: 451, title: 'This upload cannot be accepted.' },
  unscannable: { status: 422, title: 'This upload cannot be processed.' },
  'too-large': { status: 413, title: 'This upload is too large.' },
  'length-required': { status: 411, title: 'This upload must say how long it is.' },
  malformed: { status: 400, title: 'This upload is malformed.' },
  'unaccepted-format': { status: 415, title: 'This type of file is not accepted here.' },
  'client-stalled': { status: 408, title: 'This upload took too long.' },
  'client-gone': { status: 400, title: 'This upload is not whole.' },
  'origin-stalled': { status: 504, title: 'Uploads are not available at the moment.' },
  failed: { status: 503, title: 'Uploads are not available at the moment.' },
  busy: { status: 503, title: 'Uploads are not available at the moment.' },
}

/** What is said beside the status, and how. */
export interface RefusalFacts {
  caseId: string
  /** What the operator says of the kind of harm. */
  harm?: HarmPolicy | undefined
  /** Whether a browser shows the answer to a person. */
  isPage: boolean
}

/**
 * The answer to an upload that is not passed on: problem details (RFC 9457), or a page. It is the same for all with this status and
 * kind of harm, but for the case id.
 */
export function refusal(
  reason: RefusalReason,
  { caseId, harm = {}, isPage }: RefusalFacts,
): Response {
  const { status, title: usual } = REFUSALS[reason]
  const { type = 'about:blank', title = usual, text: detail } = harm
  const appeal = harm.appealUrl?.replaceAll('{caseId}', caseId)
  const body = isPage
    ? page(title, detail, appeal, caseId)
    : JSON.stringify({
        type,
        title,
        status,
        ...(detail !== undefined && { detail }),
        caseId,
        ...(appeal !== undefined && { appeal }),
      })
  const headers = new Headers({
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/problem+json',
    'cache-control': 'no-store',
    vary: 'accept',
  })
  if (isPage)
    headers.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
  if (status === 503) headers.set('retry-after', String(RETRY_AFTER_SECONDS))
  return new Response(body, { status, headers })
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
function page(
  title: string,
  detail: string | undefined,
  appeal: string | undefined,
  caseId: string,
): string {
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
