import { concatenate } from '../util/bytes.ts'
import { MalformedBodyError } from './errors.ts'
import { MAX_PART_HEADER_BYTES } from './limits.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const HYPHEN = 45
const BLANK_LINE = '\r\n\r\n'

/**
 * Sees that a boundary stands only where every parser takes it for one: at the start of a line that ends with CR LF, and
 * once, as the last, with two hyphens behind it and nothing more. Parsers differ in what else they let pass, and would find
 * other parts.
 *
 * It hands a body on in pieces that never end within a boundary or the headers behind it, whatever pieces it came in.
 */
export class Framing {
  readonly #mark: Buffer
  /** What was not handed on yet, and where in the body it begins. */
  #rest: Uint8Array = new Uint8Array(0)
  #restAt = 0
  /** Where the last boundary that was seen begins, with the line end before it, and where it ends, with what follows it. */
  #unitBegin = 0
  #unitEnd = 0
  /** Whether the headers behind it are still to come to their end. */
  #isInHeaders = false
  #isEnded = false

  constructor(boundary: string) {
    this.#mark = Buffer.from(`--${boundary}`, 'latin1')
  }

  /**
   * Takes the next bytes. Returns what can be parsed by now.
   * @throws {MalformedBodyError}
   */
  write(piece: Uint8Array): Uint8Array {
    const bytes = concatenate([this.#rest, piece])
    this.#look(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    const end = this.#endOfParsable(bytes.length)
    this.#restAt += end
    this.#rest = bytes.subarray(end)
    return bytes.subarray(0, end)
  }

  /**
   * Tells that the body is whole. Returns the rest of it.
   * @throws {MalformedBodyError}
   */
  end(): Uint8Array {
    const rest = this.#rest
    // What stands at the very end is followed by nothing, which is as good as the end of a line.
    this.#look(Buffer.concat([rest, Buffer.from('\r\n')]))
    if (!this.#isEnded) throw new MalformedBodyError('it ends before its last boundary')
    return rest
  }

  #look(bytes: Buffer): void {
    // A boundary is looked at when the two bytes behind it are there.
    const last = bytes.length - this.#mark.length - 2
    for (;;) {
      if (this.#isInHeaders && !this.#endHeaders(bytes)) return
      const at = bytes.indexOf(this.#mark, Math.max(0, this.#unitEnd - this.#restAt))
      if (at === -1 || at > last) break
      this.#takeBoundary(bytes, at)
    }
    if (this.#isEnded) this.#checkEnd(bytes.subarray(Math.max(0, this.#unitEnd - this.#restAt)))
  }

  /** Returns whether the headers have come to their end. */
  #endHeaders(bytes: Buffer): boolean {
    const from = this.#unitEnd - this.#restAt
    const end = bytes.indexOf(BLANK_LINE, from - 2)
    const headers = bytes.subarray(from, end === -1 ? bytes.length : end)
    const begunLine = end === -1 ? BLANK_LINE.length - 1 : 0 // what of it may have come
    if (headers.length > MAX_PART_HEADER_BYTES + begunLine)
      throw new MalformedBodyError('a part has long headers')
    if (headers.includes(this.#mark)) throw new MalformedBodyError('its boundary stands in headers')
    if (end === -1) return false
    this.#unitEnd = this.#restAt + end + BLANK_LINE.length
    this.#isInHeaders = false
    return true
  }

  #takeBoundary(bytes: Buffer, at: number): void {
    const begin = this.#restAt + at
    const behind = at + this.#mark.length
    const isLineStart = begin === 0 || (begin - 2 >= this.#unitEnd && isLineEnd(bytes, at - 2))
    const isLast = bytes[behind] === HYPHEN && bytes[behind + 1] === HYPHEN
    if (this.#isEnded || !isLineStart || !(isLast || isLineEnd(bytes, behind))) {
      throw new MalformedBodyError('its boundary stands where parsers differ')
    }
    this.#isEnded = isLast
    this.#isInHeaders = !isLast
    this.#unitBegin = Math.max(0, begin - 2)
    this.#unitEnd = this.#restAt + behind + 2
  }

  /** Behind the last boundary may be white space. */
  #checkEnd(rest: Uint8Array): void {
    if (rest.some((byte) => ![9, LINE_FEED, CARRIAGE_RETURN, 32].includes(byte))) {
      throw new MalformedBodyError('something follows its last boundary')
    }
  }

  #endOfParsable(length: number): number {
    // The end may be the beginning of a boundary, with the line end before it.
    const end = Math.max(0, length - this.#mark.length - 3)
    const [begin, unitEnd] = [this.#unitBegin - this.#restAt, this.#unitEnd - this.#restAt]
    const isWithin = begin < end && (this.#isInHeaders || end < unitEnd)
    return isWithin ? Math.max(0, begin) : end
  }
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED
}
