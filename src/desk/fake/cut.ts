/** Ends a body early, as a failing server does: the length is removed, too. */
export async function cutOff(response: Response, at: number): Promise<Response> {
  const body = await response.arrayBuffer()
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  // A file may end anywhere; only its length shows that it was longer.
  if (headers.has('etag')) headers.set('content-length', String(body.byteLength))
  const end = Math.min(at, Math.max(0, body.byteLength - 1))
  return new Response(body.slice(0, end), { status: response.status, headers })
}
