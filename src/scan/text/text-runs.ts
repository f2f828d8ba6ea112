import { ascii } from '../../util/ascii.ts'
import { concatenate } from '../../util/bytes.ts'

const NOTHING = new Uint8Array(0)

/** Bytes of a block: a text within other data has several in a row. */
const BLOCK = 64
const STEP = 16

/**
 * Picks texts out of other data. Files have base64 in comments, in metadata, and after their end. A
 * text keeps one byte of the data on each side, so that its first value begins and its last one
 * ends. More would be read as parts of it: the head of a TIFF, with text-like samples behind it.
 */
export class TextRuns {
  readonly #sink: (text: Uint8Array) => void
  /** Bytes at which a text may begin, which are not handed on yet: less than two blocks. */
  #held = NOTHING
  /** How many of these belong to a block that is no text. */
  #before = 0
  #isInText = false

  constructor(sink: (text: Uint8Array) => void) {
    this.#sink = sink
  }

  write(fresh: Uint8Array): void {
    const bytes = this.#held.length > 0 ? concatenate([this.#held, fresh]) : fresh
    // Where a text begins that is not handed on yet, or may begin.
    let start = 0
    let at = this.#before
    for (; at + BLOCK <= bytes.length; at += BLOCK) {
      const isText = isTextBlock(bytes, at)
      if (isText && !this.#isInText) start = textStart(bytes, start, at)
      else if (!isText && this.#isInText) {
        const end = textEnd(bytes, at)
        this.#sink(bytes.subarray(start, end))
        start = end
      }
      this.#isInText = isText
    }
    if (this.#isInText && at > start) this.#sink(bytes.subarray(start, at))
    start = this.#isInText ? at : Math.max(start, at - BLOCK)
    this.#before = at - start
    this.#held = bytes.slice(start)
  }

  close(): void {
    const held = this.#held
    const text = this.#isInText
      ? held.subarray(0, textEnd(held, 0))
      : held.subarray(textStart(held, 0, held.length))
    if (text.length > 1) this.#sink(text)
  }
}

/** Index of a text that goes on at `at`, and of one other byte before it. */
function textStart(bytes: Uint8Array, first: number, at: number): number {
  let start = at
  while (start > first && IS_TEXT[bytes[start - 1] as number] === 1) start--
  return Math.max(first, start - 1)
}

/** Index behind a text that goes on at `at`, and behind one other byte. */
function textEnd(bytes: Uint8Array, at: number): number {
  let end = at
  while (end < bytes.length && IS_TEXT[bytes[end] as number] === 1) end++
  return Math.min(bytes.length, end + 1)
}

function isTextBlock(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + BLOCK; i += STEP) if (IS_TEXT[bytes[i] as number] === 0) return false
  for (let i = at; i < at + BLOCK; i++) if (IS_TEXT[bytes[i] as number] === 0) return false
  return true
}

const IS_TEXT = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13 ? 1 : 0,
)

/** Whether a text begins with the mark of UTF-16, or with two letters in it. Others may follow. */
export function isWideHead([a = 0, b = 0, c = 0, d = 0]: Uint8Array): boolean {
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return true
  const [isLittle, isBig] = [b === 0 && d === 0, a === 0 && c === 0]
  return (
    (isLittle && IS_TEXT[a] === 1 && IS_TEXT[c] === 1) ||
    (isBig && IS_TEXT[b] === 1 && IS_TEXT[d] === 1)
  )
}

/** Whether hardly any units are such as UTF-16 has not: one in eight of other data is. */
function isWideText(head: Uint8Array): boolean {
  const isLittle = head[0] === 0xff || head[1] === 0
  let others = 0
  for (let i = 0; i + 1 < head.length; i += 2) {
    const [high, low] = isLittle
      ? [head[i + 1] ?? 0, head[i] ?? 0]
      : [head[i] ?? 0, head[i + 1] ?? 0]
    const isControl = high === 0 && low < 0x20 && IS_TEXT[low] === 0
    if (isControl || (high >= 0xe0 && high < 0xf9)) others++
  }
  return others * 50 <= head.length / 2
}

/** Whether a file begins like a text. */
export function isTextHead(head: Uint8Array): boolean {
  if (isWideHead(head) && isWideText(head)) return true
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
