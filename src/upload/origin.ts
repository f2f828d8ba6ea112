/** Where requests are sent. `body` replaces a request's own body, which was read here. */
export interface Origin {
  forward(request: Request, body?: ForwardedBody): Promise<Response>
  /** The host that a request arrives at, if it differs from the one it was sent to. */
  hostFor?(request: Request): string | undefined
  /**
   * When the last bytes of a body were read that is not the request's own, in milliseconds since
   * the epoch.
   */
  lastReadAt?(): number
}

/** A body that replaces a request's own: bytes, or a stream of known length. */
export type ForwardedBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

export function withBody(request: Request, body: ForwardedBody | undefined): Request {
  if (!body) return request
  const isEmpty = body instanceof Uint8Array && body.length === 0
  return new Request(request, { body: isEmpty ? null : body })
}

/** The request with other headers. If there is a `body`, the request's own was already read. */
export function withHeaders(
  request: Request,
  headers: Headers,
  body: ForwardedBody | undefined,
): Request {
  return new Request(request, { headers, ...(body && { body: null }) })
}
