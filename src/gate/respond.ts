import type { RefusalReason } from './verdict.ts'

/** Seconds after which an uploader whose upload could not be judged may try again. */
const RETRY_AFTER_SECONDS = 30

/** What an uploader is told: the status and no reason beyond it. */
const ANSWERS: Record<RefusalReason, { status: number; title: string }> = {
  match: { status: 451, title: 'This upload cannot be accepted.' },
  unscannable: { status: 422, title: 'This upload cannot be processed.' },
  'too-large': { status: 413, title: 'This upload is too large.' },
  'length-required': { status: 411, title: 'This upload must say how long it is.' },
  malformed: { status: 400, title: 'This upload is malformed.' },
  'client-stalled': { status: 408, title: 'This upload took too long.' },
  'client-gone': { status: 400, title: 'This upload is not whole.' },
  'origin-stalled': { status: 504, title: 'Uploads are not available at the moment.' },
  failed: { status: 503, title: 'Uploads are not available at the moment.' },
  busy: { status: 503, title: 'Uploads are not available at the moment.' },
}

/**
 * The answer to an upload that is not passed on: problem details (RFC 9457) that are the same for all with this status,
 * but for the case id.
 */
export function refusal(reason: RefusalReason, caseId: string): Response {
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
