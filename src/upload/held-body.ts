import { PIECE_BYTES } from './body-source.ts'
import type { Claim } from './semaphore.ts'
import type { ForwardedBody } from '../doors/proxy/origin.ts'

/** Bytes that a body without a length claims at once. */
const STEP_BYTES = 512 * 1024

/** A body that is held whole: in one buffer if its length is known beforehand, else in pieces. */
export class HeldBody {
  length = 0
  readonly #claim: Claim
  readonly #whole: Uint8Array<ArrayBuffer> | undefined
  #pieces: Uint8Array<ArrayBuffer>[] = []

  /** @param length in bytes, which are claimed already; without one, they are claimed as they come */
  constructor(claim: Claim, length?: number) {
    this.#claim = claim
    if (length !== undefined) this.#whole = new Uint8Array(length)
  }

  /**
   * Copies a piece. Returns the copy, which stays where it is.
   * @throws {BusyError}
   */
  async append(piece: Uint8Array): Promise<Uint8Array> {
    const start = this.length
    this.length += piece.length
    this.#claim.touch()
    if (this.#whole) {
      this.#whole.set(piece, start)
      return this.#whole.subarray(start, this.length)
    }
    if (this.length > this.#claim.amount) await this.#claim.grow(STEP_BYTES)
    const copy = piece.slice()
    this.#pieces.push(copy)
    return copy
  }

  /** Its pieces, in order. */
  *pieces(): Generator<Uint8Array> {
    yield* this.#pieces
    const whole = this.#whole ?? new Uint8Array(0)
    for (let at = 0; at < whole.length; at += PIECE_BYTES) {
      yield whole.subarray(at, at + PIECE_BYTES)
    }
  }

  /** The body as a request has it: bytes, or a stream that says how long it is. */
  toBody(): ForwardedBody {
    if (this.#whole) return this.#whole
    const { readable, writable } = new FixedLengthStream(this.length)
    void writeAll(this.#pieces, writable.getWriter())
    this.#pieces = [] // an origin may go on reading them when it has begun to answer
    return readable
  }

  /** Gives its memory back at once: the collector of garbage would, when it pleases. Nothing of it may be used any more. */
  free(): void {
    for (const piece of this.#whole ? [this.#whole] : this.#pieces) release(piece)
  }
}

/** Writes pieces to a stream, and gives back the memory of each. */
async function writeAll(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for (const piece of pieces) {
      await writer.write(piece)
      release(piece)
    }
    await writer.close()
  } catch {
    // The request that it is the body of tells.
  }
}

function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0)
}
