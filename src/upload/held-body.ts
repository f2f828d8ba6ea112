import { CHUNK_BYTES } from './body-source.ts'
import type { Permit } from '../util/semaphore.ts'
import type { ForwardedBody } from './origin.ts'

/** A body that is held whole: in one buffer if it is short and says so beforehand, else in chunks. */
export class HeldBody {
  length = 0
  readonly #permit: Permit
  readonly #whole: Uint8Array<ArrayBuffer> | undefined
  #chunks: Uint8Array<ArrayBuffer>[] = []

  /** @param length in bytes; those of a short body are acquired already, those of others as they come */
  constructor(permit: Permit, length?: number) {
    this.#permit = permit
    if (length !== undefined && length <= CHUNK_BYTES) this.#whole = new Uint8Array(length)
  }

  /**
   * Copies a chunk. Returns the copy, which stays where it is.
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

  /** The body as a request has it: bytes, or a stream that says how long it is. */
  toBody(): ForwardedBody {
    if (this.#whole) return this.#whole
    const { readable, writable } = new FixedLengthStream(this.length)
    void writeAll(this.#chunks, writable.getWriter())
    this.#chunks = [] // an origin may go on reading them when it has begun to answer
    return readable
  }

  /** Lets go of its chunks, which somebody may still read. */
  forget(): void {
    this.#chunks = []
  }

  /** Gives its memory back at once: the collector of garbage would, when it pleases. Nothing of it may be used any more. */
  free(): void {
    for (const chunk of this.#whole ? [this.#whole] : this.#chunks) release(chunk)
  }
}

/** Writes chunks to a stream, and gives back the memory of each. */
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
    // The request that it is the body of tells.
  }
}

function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0)
}
