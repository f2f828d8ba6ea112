import { MAX_TEXT_BYTES } from './limits.ts'
import type { BodyHandlers, BodyOptions, BodyReader, FileSink, NamedText } from './types.ts'
import { TextFiles } from './text-files.ts'

/** Finds files in the texts of a body, which is also told as a file as it is: an origin may store it so. */
export class TextReader implements BodyReader {
  readonly #textsOf: (body: string) => Iterable<NamedText>
  readonly #handlers: BodyHandlers
  readonly #files: TextFiles
  readonly #whole: FileSink
  #pieces: Uint8Array[] = []
  #bytes = 0

  /** @param textsOf the texts in a body that is as long as MAX_TEXT_BYTES, at most */
  constructor(
    options: BodyOptions,
    handlers: BodyHandlers,
    textsOf: (body: string) => Iterable<NamedText>,
  ) {
    this.#textsOf = textsOf
    this.#handlers = handlers
    this.#files = new TextFiles(options, handlers)
    this.#whole = handlers.openFile({ isText: true })
  }

  write(piece: Uint8Array): void {
    this.#whole.write(piece)
    this.#bytes += piece.length
    if (this.#bytes <= MAX_TEXT_BYTES) this.#pieces.push(piece)
    else this.#pieces = []
  }

  end(): void {
    this.#whole.end()
    if (this.#bytes > MAX_TEXT_BYTES) {
      this.#handlers.onUnreadable('over-limit')
      return
    }
    // UTF-8, and of UTF-16, which some readers take, what is ASCII.
    const body = Buffer.concat(this.#pieces).toString().replaceAll('\0', '')
    for (const { text, name } of this.#textsOf(body)) this.#files.look(text, name)
  }
}
