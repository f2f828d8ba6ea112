import { CHUNK_BYTES } from './body-source.ts'
import { OriginStalledError } from './errors.ts'
import { within } from '../util/within.ts'

/** Bytes at the end of what has come that an origin is not sent before the verdict. */
const HELD_BACK_BYTES = 256 * 1024

/**
 * A body on its way to the origin while it still comes: it says its whole length, and its last bytes stay here until the
 * verdict. If that is no, the connection breaks off, and the origin has a request that it can see is not whole.
 */
export class HoldBack {
  /** Bytes that one takes of an isolate's memory: what is held back, the chunk that comes, and one on its way out. */
  static readonly bytes = HELD_BACK_BYTES + 2 * CHUNK_BYTES

  readonly readable: ReadableStream<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #maxStallMs: number
  #held: Uint8Array[] = []
  #heldBytes = 0
  /** Bytes that are not held any more. */
  #sentBytes = 0

  /**
   * @param length of the whole body, in bytes
   * @param maxStallMs how long the origin may take nothing
   */
  constructor(length: number, maxStallMs: number) {
    const { readable, writable } = new FixedLengthStream(length)
    this.readable = readable
    this.#writer = writable.getWriter()
    this.#maxStallMs = maxStallMs
    this.#writer.closed.catch(() => undefined) // send and end tell what goes wrong
  }

  /** Takes a chunk, which must not be changed afterwards. */
  hold(chunk: Uint8Array): void {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
  }

  get chunks(): readonly Uint8Array[] {
    return this.#held
  }

  /** Bytes that are held beyond those that always are. */
  get excess(): number {
    return Math.max(0, this.#heldBytes - HELD_BACK_BYTES - CHUNK_BYTES)
  }

  /** Whether something could be sent if nothing had to wait. */
  hasMoreThanEnd(until = Infinity): boolean {
    const [first] = this.#held
    if (!first || this.#heldBytes - first.length < HELD_BACK_BYTES) return false
    return this.#sentBytes + first.length <= until
  }

  /**
   * Sends what need not be held back any more.
   * @param until position in the body from which on nothing may go
   * @throws {OriginStalledError} and what the connection was lost by
   */
  async send(until: number): Promise<void> {
    while (this.hasMoreThanEnd(until)) await this.#send(this.#held.shift())
  }

  /** Forgets what is held: nobody takes it. */
  drop(): void {
    this.#held = []
    this.#heldBytes = 0
  }

  /** Sends a chunk, behind what is held. @throws as `send` does */
  async push(chunk: Uint8Array): Promise<void> {
    for (const held of this.#held.splice(0)) await this.#send(held)
    this.#heldBytes += chunk.length
    await this.#send(chunk)
  }

  /** The verdict is yes: sends the rest. @throws as `send` does */
  async end(): Promise<void> {
    for (const chunk of this.#held.splice(0)) await this.#send(chunk)
    await this.#unlessStalled(this.#writer.close())
  }

  /** The verdict is no, or there will be none: breaks the request to the origin off. */
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
