import { CHUNK_BYTES } from './body-source.ts'
import { OriginStalledError } from './errors.ts'
import { within } from '../util/within.ts'

/** Bytes at the end of what has arrived that the origin does not get before the verdict. */
const HELD_BACK_BYTES = 256 * 1024

/**
 * A body that goes to the origin while it still arrives. It states its whole length, and its last
 * bytes stay here until the verdict. If the upload is refused, the connection breaks off, so the
 * origin sees an incomplete request.
 */
export class HoldBack {
  /** Bytes of memory that one takes: what is held back, the incoming chunk, and an outgoing one. */
  static readonly bytes = HELD_BACK_BYTES + 2 * CHUNK_BYTES

  readonly readable: ReadableStream<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #maxStallMs: number
  #held: Uint8Array[] = []
  #heldBytes = 0
  /** Bytes that were sent. */
  #sentBytes = 0

  /**
   * @param length of the whole body, in bytes
   * @param maxStallMs how long the origin may read nothing
   */
  constructor(length: number, maxStallMs: number) {
    const { readable, writable } = new FixedLengthStream(length)
    this.readable = readable
    this.#writer = writable.getWriter()
    this.#maxStallMs = maxStallMs
    this.#writer.closed.catch(() => undefined) // send and end report what goes wrong
  }

  /** Takes a chunk, which must not change afterwards. */
  hold(chunk: Uint8Array): void {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
  }

  get chunks(): readonly Uint8Array[] {
    return this.#held
  }

  /** Bytes that are held beyond what always is. */
  get excess(): number {
    return Math.max(0, this.#heldBytes - HELD_BACK_BYTES - CHUNK_BYTES)
  }

  /** Whether a chunk before `until` could be sent: more is held than the end of the body. */
  hasMoreThanEnd(until = Infinity): boolean {
    const [first] = this.#held
    if (!first || this.#heldBytes - first.length < HELD_BACK_BYTES) return false
    return this.#sentBytes + first.length <= until
  }

  /**
   * Sends what no longer needs to be held back.
   * @param until position in the body from which nothing may be sent
   * @throws {OriginStalledError} or the error of a lost connection
   */
  async send(until: number): Promise<void> {
    while (this.hasMoreThanEnd(until)) await this.#send(this.#held.shift())
  }

  /** Drops what is held: the origin does not read it. */
  drop(): void {
    this.#held = []
    this.#heldBytes = 0
  }

  /** Sends what is held, and then a chunk. @throws as `send` does */
  async push(chunk: Uint8Array): Promise<void> {
    for (const held of this.#held.splice(0)) await this.#send(held)
    this.#heldBytes += chunk.length
    await this.#send(chunk)
  }

  /** The upload is allowed: sends the rest. @throws as `send` does */
  async end(): Promise<void> {
    for (const chunk of this.#held.splice(0)) await this.#send(chunk)
    await this.#unlessStalled(this.#writer.close())
  }

  /** The upload is refused, or cannot be judged: breaks off the request to the origin. */
  async abort(reason: unknown): Promise<void> {
    this.drop()
    await this.#writer.abort(reason).catch(() => undefined)
  }

  async #send(chunk: Uint8Array | undefined): Promise<void> {
    if (!chunk) return
    this.#heldBytes -= chunk.length
    this.#sentBytes += chunk.length
    await this.#unlessStalled(this.#writer.write(chunk))
  }

  #unlessStalled(written: Promise<void>): Promise<void> {
    return within(written, this.#maxStallMs, () => new OriginStalledError(this.#maxStallMs))
  }
}
