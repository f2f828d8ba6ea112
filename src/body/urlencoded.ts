import type { BodyHandlers, BodyOptions, BodyReader } from './reader.ts'
import { TextFiles, TextGatherer } from './text-files.ts'

/** Finds files in the values of an `application/x-www-form-urlencoded` body. */
export class UrlencodedReader implements BodyReader {
  readonly #text: TextGatherer
  readonly #files: TextFiles

  constructor(options: BodyOptions, handlers: BodyHandlers) {
    this.#text = new TextGatherer(handlers)
    this.#files = new TextFiles(options, handlers)
  }

  write(piece: Uint8Array): void {
    this.#text.write(piece)
  }

  end(): void {
    const text = this.#text.end()
    if (text === undefined) return
    for (const [name, value] of new URLSearchParams(text)) {
      // A plus sign that was not escaped comes out as a space, and is taken back by who knows that it is base64.
      this.#files.look(value.replaceAll(' ', '+'), name)
    }
  }
}
