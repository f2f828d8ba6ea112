import type { BodyReader, FileSink } from './types.ts'

/**
 * Reads an encoded body, and also reports it undecoded as a file: an origin that does not decode it
 * gets the raw bytes.
 */
export class RawCopy implements BodyReader {
  readonly #decoded: BodyReader
  readonly #raw: FileSink

  constructor(decoded: BodyReader, raw: FileSink) {
    this.#decoded = decoded
    this.#raw = raw
  }

  write(chunk: Uint8Array): void {
    this.#raw.write(chunk)
    this.#decoded.write(chunk)
  }

  end(): void {
    this.#decoded.end()
    this.#raw.end()
  }
}
