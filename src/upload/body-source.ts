import { within } from '../util/within.ts'
import { HashgateError } from '../util/errors.ts'

/** Bytes that are read at once. The default reader gives 4 KiB, and takes ten times as long. */
export const CHUNK_BYTES = 64 * 1024

/** The client sends too slowly, or nothing. */
export class ClientStalledError extends HashgateError {
  readonly code = 'client-stalled'

  constructor(ms: number) {
    super(`the client sent less than ${CHUNK_BYTES} bytes in ${ms} ms`)
  }
}

/** The client went away, or its connection did, before the body was whole. */
export class ClientGoneError extends HashgateError {
  readonly code = 'client-gone'

  constructor(options?: ErrorOptions) {
    super('the connection was lost before the body was whole', options)
  }
}

/** The length that a request says its body has, in bytes; `undefined` for a chunked one. */
export function lengthOf({ headers, body }: Request): number | undefined {
  const header = headers.get('content-length')
  if (header === null) return body ? undefined : 0
  return Number(header)
}

/**
 * The chunks of a body, as they come; each is valid until the next is asked for.
 * @param maxStallMs how long a client may take for CHUNK_BYTES, or the rest
 * @throws {ClientStalledError | ClientGoneError}
 */
export async function* readChunks(
  request: Request,
  maxStallMs: number,
): AsyncGenerator<Uint8Array> {
  if (!request.body) return
  const reader = request.body.getReader({ mode: 'byob' })
  let scratch = new ArrayBuffer(CHUNK_BYTES)
  for (;;) {
    const read = reader.readAtLeast(CHUNK_BYTES, new Uint8Array(scratch)).catch(lost)
    const { done, value } = await within(read, maxStallMs, () => new ClientStalledError(maxStallMs))
    if (value && value.length > 0) yield value
    if (done || !value) return
    scratch = value.buffer
  }
}

function lost(cause: unknown): never {
  throw new ClientGoneError({ cause })
}
