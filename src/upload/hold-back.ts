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

  /** What the origin is sent. */
  readonly readable: ReadableStream<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #maxStallMs: number
  #held: Uint8Array[] = []
  #heldBytes = 0

  /**
   * @param length of the whole body, in bytes
   * @param maxStallMs how long the origin may take nothing
   */
  constructor(length: number, maxStallMs: number) {
    const { readable, writable } = new FixedLengthStream(length)
    this.readable = readable
    this.#writer = writable.getWriter()
    this.#maxStallMs = maxStallMs
    this.#writer.closed.catch(() => undefined) // write and end tell what goes wrong
  }

  /**
   * Takes a chunk, which must not be changed afterwards, and sends on what need not be held back any more.
   * @throws {OriginStalledError} and what the connection was lost by
   */
  async write(chunk: Uint8Array): Promise<void> {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    while (this.#heldBytes - (this.#held[0]?.length ?? 0) >= HELD_BACK_BYTES) {
      await this.#send(this.#held.shift())
    }
  }

  /** The verdict is yes: sends the rest. @throws as `write` does */
  async end(): Promise<void> {
    for (const chunk of this.#held.splice(0)) await this.#send(chunk)
    await this.#unlessStalled(this.#writer.close())
  }

  /** The verdict is no, or there will be none: breaks the request to the origin off. */
  async abort(reason: unknown): Promise<void> {
    this.#held = []
    await this.#writer.abort(reason).catch(() => undefined)
  }

  async #send(chunk: Uint8Array | undefined): Promise<void> {
    if (!chunk) return
    this.#heldBytes -= chunk.length
    await this.#unlessStalled(this.#writer.write(chunk))
  }

  #unlessStalled(written: Promise<void>): Promise<void> {
    return within(written, this.#maxStallMs, () => new OriginStalledError(this.#maxStallMs))
  }
}
