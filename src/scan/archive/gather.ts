/** Puts together a number of bytes that may come in chunks. */
export class Gather {
  #bytes: Uint8Array
  #length = 0

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes)
  }

  /** Takes what is missing, or what there is of it. Returns how many bytes that was. */
  take(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#bytes.length - this.#length)
    this.#bytes.set(bytes.subarray(0, count), this.#length)
    this.#length += count
    return count
  }

  /** Asks for more bytes behind those that there are. */
  grow(bytes: number): void {
    const grown = new Uint8Array(this.#bytes.length + bytes)
    grown.set(this.#bytes)
    this.#bytes = grown
  }

  /** Whether nothing has come yet. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** All that was asked for; `undefined` while some of it is missing. */
  get whole(): Uint8Array | undefined {
    return this.#length === this.#bytes.length ? this.#bytes : undefined
  }
}
