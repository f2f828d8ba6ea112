import type { Verdict } from './verdict.ts'

/** Seconds after which an uploader whose upload could not be judged may try again. */
const RETRY_AFTER_SECONDS = 30

/** What an uploader is told: the status and no reason beyond it. */
const ANSWERS: Record<Exclude<Verdict['reason'], 'no-match'>, { status: number; title: string }> = {
  match: { status: 451, title: 'This upload cannot be accepted.' },
  unscannable: { status: 422, title: 'This upload cannot be processed.' },
  'too-large': { status: 413, title: 'This upload is too large.' },
  malformed: { status: 400, title: 'This upload is malformed.' },
  failed: { status: 503, title: 'Uploads are not available at the moment.' },
  busy: { status: 503, title: 'Uploads are not available at the moment.' },
}

/**
 * The answer to an upload that is not passed on: problem details (RFC 9457) that are the same for all with this status,
 * but for the case id.
 */
export function refusal(reason: keyof typeof ANSWERS, caseId: string): Response {
  const { status, title } = ANSWERS[reason]
  const headers = new Headers({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  })
  if (status === 503) headers.set('retry-after', String(RETRY_AFTER_SECONDS))
  return new Response(JSON.stringify({ type: 'about:blank', title, status, caseId }), {
    status,
    headers,
  })
}
