import type { Finished } from './scanned.ts'

/**
 * The pictures of an upload that are still arriving, or wait for their verdict. They decide how
 * much of a body may go to an origin: only the bytes before the first such picture.
 */
export class Pictures {
  #chunkStart = 0
  #previousStart = 0
  /** Positions in the body at which incompletely decoded pictures may begin. */
  readonly #open = new Map<object, number>()
  #decoded: Decoded[] = []
  /**
   * Whether a picture is longer than what may be held of one while it arrives. Nothing from its
   * first byte on may be sent then.
   */
  hasLeft = false

  /** The next chunk of the body is about to be read. It begins at `start`. */
  nextChunk(start: number): void {
    this.#previousStart = this.#chunkStart
    this.#chunkStart = start
  }

  /**
   * A picture begins. Its first bytes may have come with the previous chunk: a format takes several
   * to recognise.
   */
  begin(picture: object): void {
    this.#open.set(picture, this.#previousStart)
  }

  /** A frame of a picture is decoded, and others may follow. Without a `file` it shows nothing new. */
  addFrame(picture: object, file?: Finished): void {
    const since = this.#open.get(picture)
    if (file) this.#decoded.push({ since: since ?? this.#chunkStart, file })
    if (since !== undefined) this.#open.set(picture, this.#chunkStart)
  }

  /** All samples of a picture are decoded, or it turned out to have none. */
  end(picture: object, file?: Finished): void {
    const since = this.#open.get(picture) ?? this.#chunkStart
    if (file) this.#decoded.push({ since, file })
    this.#open.delete(picture)
  }

  /** Leaves a picture open, undecoded. What is held back must be scanned again. */
  leave(): void {
    this.hasLeft = true
  }

  /** Stops waiting for open pictures. */
  giveUp(): void {
    this.hasLeft = false
    this.#open.clear()
  }

  /** Pictures decoded since the last call. */
  takeDecoded(): Finished[] {
    return this.#decoded.splice(0).map(({ file }) => file)
  }

  /** Position in the body from which bytes are held back; `Infinity` if none are. */
  get heldFrom(): number {
    return Math.min(Infinity, ...this.#open.values(), ...this.#decoded.map(({ since }) => since))
  }
}

/** A picture, or some frames of it, that is decoded and has no verdict yet. */
interface Decoded {
  /** Position in the body that the picture may begin at. */
  since: number
  file: Finished
}
