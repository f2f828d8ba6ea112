/** A body that takes the place of a request's own: bytes, or a stream that says how long it is. */
export type ForwardedBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

/** Where requests go on to. `body` replaces the request's, which is read here. */
export interface Origin {
  forward(request: Request, body?: ForwardedBody): Promise<Response>
  /** The host that a request arrives at there, if it is not the one that it was sent to. */
  hostFor?(request: Request): string | undefined
}

export function withBody(request: Request, body: ForwardedBody | undefined): Request {
  if (!body) return request
  const isEmpty = body instanceof Uint8Array && body.length === 0
  return new Request(request, { body: isEmpty ? null : body })
}

/** The request with other headers; `body`, if there is one, is what its own was read to. */
export function withHeaders(
  request: Request,
  headers: Headers,
  body: ForwardedBody | undefined,
): Request {
  return new Request(request, { headers, ...(body && { body: null }) })
}
