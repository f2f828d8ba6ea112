import { ascii } from '../../util/ascii.ts'

/** Bytes of a block: a text within other data has several in a row. */
const BLOCK = 64
const STEP = 16

/**
 * Picks texts, and a little around them, out of other data. Files have base64 in comments, in
 * metadata, and after their end.
 */
export class TextRuns {
  readonly #sink: (text: Uint8Array) => void
  /** Bytes too few for a block, and the block before them if it was not text. */
  #rest: Uint8Array = new Uint8Array(0)
  #before: Uint8Array = new Uint8Array(0)
  #isInText = false

  constructor(sink: (text: Uint8Array) => void) {
    this.#sink = sink
  }

  write(fresh: Uint8Array): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, fresh]) : fresh
    const end = bytes.length - (bytes.length % BLOCK)
    // How far the text was handed on, and where a text that begins would start.
    let start = 0
    let isInText = this.#isInText
    for (let at = 0; at < end; at += BLOCK) {
      const isText = isTextBlock(bytes, at)
      if (isText && !isInText) {
        if (at === 0) this.#sink(this.#before)
        start = Math.max(0, at - BLOCK)
      } else if (!isText && isInText) {
        this.#sink(bytes.subarray(start, at + BLOCK))
        start = at + BLOCK
      }
      isInText = isText
    }
    if (isInText && end > start) this.#sink(bytes.subarray(start, end))
    if (end > 0) this.#before = isInText ? NOTHING : bytes.slice(end - BLOCK, end)
    this.#isInText = isInText
    this.#rest = bytes.slice(end)
  }

  close(): void {
    if (this.#rest.length > 0) this.#sink(this.#rest)
  }
}

const NOTHING = new Uint8Array(0)

function isTextBlock(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + BLOCK; i += STEP) if (IS_TEXT[bytes[i] as number] === 0) return false
  for (let i = at; i < at + BLOCK; i++) if (IS_TEXT[bytes[i] as number] === 0) return false
  return true
}

const IS_TEXT = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13 ? 1 : 0,
)

/** Whether a file begins like a text. */
export function isTextHead(head: Uint8Array): boolean {
  let [controls, zeros] = [0, 0]
  for (const byte of head) {
    if (byte === 0) zeros++
    else if (byte < 0x20 && IS_TEXT[byte] === 0 && byte !== 0x0c && byte !== 0x1b) controls++
  }
  const isWide = zeros * 4 > head.length && zeros * 4 <= head.length * 3
  return (controls + (isWide ? 0 : zeros)) * 50 <= head.length
}

/** Whether a text begins like an urlencoded form, whatever type it is sent as. */
export function isUrlencodedHead(head: Uint8Array): boolean {
  return /^[\w.~%+*[\]-]*=[^\s"<>{}]*$/.test(ascii(head))
}

/** Whether a text begins like HTML or XML, and so is neither JSON nor urlencoded. */
export function isMarkupHead(head: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?\s*</.test(ascii(head))
}
