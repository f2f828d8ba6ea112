import { HashgateError } from '../util/errors.ts'
import { raced } from '../util/within.ts'

/** Bytes that are read at once. The default reader returns 4 KiB, and takes ten times as long. */
export const CHUNK_BYTES = 64 * 1024

/**
 * Bytes a second that a client must send while others wait for what it holds, and the grace period
 * before that counts.
 */
const PRESSED_BYTES_PER_SECOND = 64 * 1024
const PRESSED_GRACE_MS = 5000
/** Milliseconds between looks at a client that sends nothing. */
const TICK_MS = 2000

/**
 * The chunks of a body as they arrive. Each is valid until the next is requested.
 * @throws {ClientStalledError | ClientGoneError}
 */
export async function* readChunks(
  request: Request,
  limits: ClientLimits,
): AsyncGenerator<Uint8Array> {
  if (!request.body) return
  const pace = new ClientPace(limits, lengthOf(request))
  const reader = request.body.getReader({ mode: 'byob' })
  let scratch = new ArrayBuffer(CHUNK_BYTES)
  for (;;) {
    const read = reader.readAtLeast(CHUNK_BYTES, new Uint8Array(scratch)).catch(lost)
    const { done, value } = await pace.waitFor(read)
    pace.add(value?.length ?? 0)
    if (value && value.length > 0) yield value
    if (done || !value) return
    scratch = value.buffer
  }
}

/** How slow a client may be. */
export interface ClientLimits {
  /** Milliseconds in which it must send CHUNK_BYTES, or the rest. */
  stallMs: number
  /** Bytes a second that it must send on average. */
  minBytesPerSecond: number
  /** Milliseconds in which a body of any length must arrive: a long one must arrive faster. */
  maxMs: number
  /** Whether others wait for what it holds. */
  isPressed: () => boolean
}

/** The client sends too slowly, or nothing. */
export class ClientStalledError extends HashgateError {
  readonly code = 'client-stalled'

  constructor(bytes: number, ms: number) {
    super(`the client sent ${bytes} bytes in ${ms} ms, which is too slow`)
  }
}

/** The client or its connection was lost before the body was complete. */
export class ClientGoneError extends HashgateError {
  readonly code = 'client-gone'

  constructor(options?: ErrorOptions) {
    super('the connection was lost before the body was complete', options)
  }
}

/** The length that a request states for its body, in bytes; `undefined` for a chunked one. */
export function lengthOf({ headers, body }: Request): number | undefined {
  const header = headers.get('content-length')
  if (header === null) return body ? undefined : 0
  return Number(header)
}

/** Checks that a client sends fast enough. The time that it waits for the gate does not count. */
export class ClientPace {
  readonly #limits: ClientLimits
  readonly #bytesPerMs: number
  #bytes = 0
  /** Milliseconds spent waiting for the client. */
  #waitedMs = 0

  /** @param length of the body; `undefined` if not stated */
  constructor(limits: ClientLimits, length = 0) {
    this.#limits = limits
    this.#bytesPerMs = Math.max(limits.minBytesPerSecond / 1000, length / limits.maxMs)
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  /** Waits for the client's next bytes. @throws {ClientStalledError} or the error of the read */
  async waitFor<T>(read: Promise<T>): Promise<T> {
    const since = Date.now()
    const [before, { stallMs }] = [this.#waitedMs, this.#limits]
    const late = Symbol('late')
    for (;;) {
      const first = await raced(read, Math.min(stallMs, TICK_MS), late)
      this.#waitedMs = before + Date.now() - since
      const isStalled = first === late && Date.now() - since >= stallMs
      if (isStalled || this.#isSlow()) throw new ClientStalledError(this.#bytes, this.#waitedMs)
      if (first !== late) return first
    }
  }

  /** Whether it has taken too long for what it has sent so far. */
  #isSlow(): boolean {
    const { stallMs, isPressed } = this.#limits
    if (this.#waitedMs > stallMs + this.#bytes / this.#bytesPerMs) return true
    const pressedMs = PRESSED_GRACE_MS + (this.#bytes * 1000) / PRESSED_BYTES_PER_SECOND
    return this.#waitedMs > pressedMs && isPressed()
  }
}

function lost(cause: unknown): never {
  throw new ClientGoneError({ cause })
}
