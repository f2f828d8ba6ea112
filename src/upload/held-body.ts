import { CHUNK_BYTES } from './body-source.ts'
import type { Permit } from '../util/semaphore.ts'
import type { ForwardedBody } from './origin.ts'

/** A body that is held whole: in one buffer if it is stated to be short, otherwise in chunks. */
export class HeldBody {
  length = 0
  readonly #permit: Permit
  readonly #whole: Uint8Array<ArrayBuffer> | undefined
  #chunks: Uint8Array<ArrayBuffer>[] = []

  /** @param length in bytes. Those of a short body are acquired already, others as they arrive. */
  constructor(permit: Permit, length?: number) {
    this.#permit = permit
    if (length !== undefined && length <= CHUNK_BYTES) this.#whole = new Uint8Array(length)
  }

  /**
   * Copies a chunk. Returns the copy, which stays valid while the body is held.
   * @throws {BusyError}
   */
  async append(chunk: Uint8Array): Promise<Uint8Array> {
    const start = this.length
    this.length += chunk.length
    this.#permit.touch()
    if (this.#whole) {
      this.#whole.set(chunk, start)
      return this.#whole.subarray(start, this.length)
    }
    const { amount, most } = this.#permit
    if (this.length > amount)
      await this.#permit.grow(Math.min(CHUNK_BYTES, Math.max(most - amount, chunk.length)))
    const copy = chunk.slice()
    this.#chunks.push(copy)
    return copy
  }

  /** Its chunks, in order. */
  *chunks(): Generator<Uint8Array> {
    yield* this.#chunks
    const whole = this.#whole ?? new Uint8Array(0)
    for (let at = 0; at < whole.length; at += CHUNK_BYTES) {
      yield whole.subarray(at, at + CHUNK_BYTES)
    }
  }

  /** The body for a request: bytes, or a stream of known length. */
  toBody(): ForwardedBody {
    if (this.#whole) return this.#whole
    const { readable, writable } = new FixedLengthStream(this.length)
    void writeAll(this.#chunks, writable.getWriter())
    this.#chunks = [] // an origin may still read them after it has begun to answer
    return readable
  }

  /** Drops its chunks without freeing them: they may still be read. */
  forget(): void {
    this.#chunks = []
  }

  /**
   * Frees its memory now, rather than when the garbage collector gets to it. Nothing of the body
   * may be used afterwards.
   */
  free(): void {
    for (const chunk of this.#whole ? [this.#whole] : this.#chunks) release(chunk)
  }
}

/** Writes chunks to a stream, and frees each. */
async function writeAll(
  chunks: readonly Uint8Array<ArrayBuffer>[],
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for (const chunk of chunks) {
      await writer.write(chunk)
      release(chunk)
    }
    await writer.close()
  } catch {
    // The request with this body reports the error.
  }
}

function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0)
}
