/** Bytes of a run that may hold a picture: the words and numbers of other texts are shorter. */
const MIN_RUN = 128

const NOTHING = new Uint8Array(0)
const NO_CHUNKS: readonly RunChunk[] = []

/** Picks long runs without foreign bytes from a text. It looks at few of the other bytes. */
export class Runs {
  readonly #isForeign: Uint8Array
  /** The possible beginning of a run. */
  #held: Uint8Array = NOTHING
  #isOpen = false

  /** @param isForeign 1 for each byte that ends a run */
  constructor(isForeign: Uint8Array) {
    this.#isForeign = isForeign
  }

  pick(fresh: Uint8Array): readonly RunChunk[] {
    const bytes = this.#mayGoOn(fresh) ? Buffer.concat([this.#held, fresh]) : fresh
    let chunks: RunChunk[] | undefined
    let from = 0
    if (this.#isOpen) {
      from = this.#endOf(bytes, 0)
      this.#isOpen = from === bytes.length
      chunks = [{ bytes: bytes.subarray(0, from), isFirst: false, isLast: !this.#isOpen }]
    }
    while (bytes.length - from >= MIN_RUN) {
      const foreign = this.#lastForeign(bytes, from, from + MIN_RUN)
      if (foreign >= 0) {
        from = foreign + 1
        continue
      }
      const end = this.#endOf(bytes, from + MIN_RUN)
      this.#isOpen = end === bytes.length
      chunks ??= []
      chunks.push({ bytes: bytes.subarray(from, end), isFirst: true, isLast: !this.#isOpen })
      from = end
    }
    const rest = this.#lastForeign(bytes, from, bytes.length)
    this.#held = this.#isOpen ? NOTHING : bytes.slice(rest >= 0 ? rest + 1 : from)
    return chunks ?? NO_CHUNKS
  }

  /** Whether the held bytes may become a run with the next ones: mostly not. */
  #mayGoOn(fresh: Uint8Array): boolean {
    const { length } = this.#held
    return (
      length > 0 &&
      length + this.#endOf(fresh.subarray(0, MIN_RUN), 0) >=
        Math.min(MIN_RUN, length + fresh.length)
    )
  }

  /** Ends the text. Returns whether it ends in a run. */
  end(): boolean {
    const isOpen = this.#isOpen
    this.#isOpen = false
    this.#held = NOTHING
    return isOpen
  }

  #endOf(bytes: Uint8Array, from: number): number {
    let at = from
    while (at < bytes.length && this.#isForeign[bytes[at] as number] === 0) at++
    return at
  }

  #lastForeign(bytes: Uint8Array, from: number, to: number): number {
    let at = to - 1
    while (at >= from && this.#isForeign[bytes[at] as number] === 0) at--
    return at >= from ? at : -1
  }
}

/** A chunk of a run, and whether the run begins and ends with it. */
export interface RunChunk {
  bytes: Uint8Array
  isFirst: boolean
  isLast: boolean
}
