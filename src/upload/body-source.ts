import { HashgateError } from '../util/errors.ts'

/** Bytes that are read at once. The default reader gives 4 KiB, and takes ten times as long. */
export const CHUNK_BYTES = 64 * 1024

/** Bytes a second that a client must send while others wait for what it holds, and the time that it has before that counts. */
const PRESSED_BYTES_PER_SECOND = 64 * 1024
const PRESSED_GRACE_MS = 5000
/** Milliseconds after which a client that sends nothing is looked at again. */
const TICK_MS = 2000

/** How slow a client may be. */
export interface ClientLimits {
  /** Milliseconds in which it must send CHUNK_BYTES, or the rest. */
  stallMs: number
  /** Bytes a second that it must send in the long run. */
  minBytesPerSecond: number
  /** Milliseconds in which a body must come, whatever its length: a long one must come faster. */
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

/** The client went away, or its connection did, before the body was whole. */
export class ClientGoneError extends HashgateError {
  readonly code = 'client-gone'

  constructor(options?: ErrorOptions) {
    super('the connection was lost before the body was complete', options)
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

/** Sees that a client sends fast enough. The time that it waits for the gate does not count. */
export class ClientPace {
  readonly #limits: ClientLimits
  readonly #bytesPerMs: number
  #bytes = 0
  /** Milliseconds that were waited for the client. */
  #waitedMs = 0

  /** @param length of the body; `undefined` if it does not say */
  constructor(limits: ClientLimits, length = 0) {
    this.#limits = limits
    this.#bytesPerMs = Math.max(limits.minBytesPerSecond / 1000, length / limits.maxMs)
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  /** Waits for the client's next bytes. @throws {ClientStalledError} and what the reading fails by */
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

  /** Whether it has taken longer so far than it may for what it has sent. */
  #isSlow(): boolean {
    const { stallMs, isPressed } = this.#limits
    if (this.#waitedMs > stallMs + this.#bytes / this.#bytesPerMs) return true
    const pressedMs = PRESSED_GRACE_MS + (this.#bytes * 1000) / PRESSED_BYTES_PER_SECOND
    return this.#waitedMs > pressedMs && isPressed()
  }
}

/** What a promise gives, or `late` if it takes longer. */
async function raced<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), ms)
  })
  promise.catch(() => undefined) // it may fail when nobody listens any more
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function lost(cause: unknown): never {
  throw new ClientGoneError({ cause })
}
