/** Collects a number of bytes across chunks. */
export class Gather {
  #bytes: Uint8Array
  #length = 0

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes)
  }

  /** Takes as many missing bytes as are available. Returns how many it took. */
  take(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#bytes.length - this.#length)
    this.#bytes.set(bytes.subarray(0, count), this.#length)
    this.#length += count
    return count
  }

  /** Requests more bytes after the present ones. */
  grow(bytes: number): void {
    const grown = new Uint8Array(this.#bytes.length + bytes)
    grown.set(this.#bytes)
    this.#bytes = grown
  }

  /** Whether no byte has arrived yet. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** The bytes that have arrived. */
  get soFar(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** All requested bytes; `undefined` while some are missing. */
  get whole(): Uint8Array | undefined {
    return this.#length === this.#bytes.length ? this.#bytes : undefined
  }
}
