import type { Problem } from './api/answers.ts'

/** Answers are for one request of one caller, so nothing may cache them. */
const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

export function jsonAnswer(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: HEADERS })
}

export function textAnswer(text: string, status = 200): Response {
  return new Response(text, { status, headers: HEADERS })
}

/** Problem details (RFC 9457). */
export function problemAnswer(
  problem: Omit<Problem, 'type'>,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify({ type: 'about:blank', ...problem }), {
    status: problem.status,
    headers: { ...HEADERS, 'content-type': 'application/problem+json', ...headers },
  })
}
