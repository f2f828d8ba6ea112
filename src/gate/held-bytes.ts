import { concatenate } from '../core/bytes.ts'
import { HashgateError } from '../errors.ts'

/** The isolate holds as many bytes of uploads as it may. */
export class BusyError extends HashgateError {
  readonly code = 'busy'

  constructor(maxBytes: number) {
    super(`uploads that wait for their verdicts already hold up to ${maxBytes} bytes`)
  }
}

/**
 * Bytes of uploads that one isolate may hold, all requests together. One that goes over its memory is ended by the platform,
 * and every upload in it with it; so an upload that would take it there is turned away for a while.
 */
export class HeldBudget {
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @throws {BusyError} */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) throw new BusyError(this.#maxBytes)
    this.#bytes += bytes
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** A body as it comes, in one buffer if its length is known beforehand. Its bytes are on a budget until `release`. */
export class HeldBody {
  length = 0
  readonly #budget: HeldBudget
  #whole: Uint8Array<ArrayBuffer> | undefined
  #pieces: Uint8Array[] = []
  #taken = 0

  constructor(budget: HeldBudget) {
    this.#budget = budget
  }

  /** @throws {BusyError} */
  expect(length: number): void {
    this.#take(length)
    this.#whole = new Uint8Array(length)
  }

  /**
   * Copies a piece. Returns the copy, which stays where it is.
   * @throws {BusyError}
   */
  append(piece: Uint8Array): Uint8Array {
    const start = this.length
    this.length += piece.length
    if (this.#whole) {
      this.#whole.set(piece, start)
      return this.#whole.subarray(start, this.length)
    }
    this.#take(2 * piece.length) // once here, and once when it is made whole
    const copy = piece.slice()
    this.#pieces.push(copy)
    return copy
  }

  /** The body. */
  whole(): Uint8Array<ArrayBuffer> {
    this.#whole ??= concatenate(this.#pieces)
    this.#pieces = []
    return this.#whole
  }

  /** Tells that the body is needed no more. */
  release(): void {
    this.#budget.giveBack(this.#taken)
    this.#taken = 0
    this.#whole = undefined
    this.#pieces = []
  }

  #take(bytes: number): void {
    this.#budget.take(bytes)
    this.#taken += bytes
  }
}
