import { concatenate } from '../util/bytes.ts'
import { MalformedBodyError } from './errors.ts'
import { MAX_PART_HEADER_BYTES } from './limits.ts'

const LINE_END = '\r\n'
const BLANK_LINE = '\r\n\r\n'

/**
 * Splits a multipart body (RFC 2046, 5.1) as it arrives. A boundary counts where all parsers accept
 * it: at the start of a line, followed by CR LF or `--`. Anywhere else, Django, werkzeug, Go and PHP
 * find other parts than busboy and undici, so a picture for one parser is two halves for another.
 * Only such bodies are rejected.
 */
export class MultipartGrammar {
  readonly #mark: Buffer
  readonly #events: MultipartEvents
  readonly #isLenient: boolean
  #state: 'preamble' | 'headers' | 'content' | 'epilogue' | 'doubtful' = 'preamble'
  #isInPart = false
  #rest: Uint8Array = new Uint8Array(0)
  /** Whether the rest is the start of the body. */
  #isAtStart = true

  /** @param isLenient whether to report what parsers read differently instead of rejecting it */
  constructor(boundary: string, events: MultipartEvents, isLenient = false) {
    this.#isLenient = isLenient
    this.#mark = Buffer.from(`--${boundary}`, 'latin1')
    this.#events = events
  }

  /** Whether a boundary has been found. */
  get hasBoundary(): boolean {
    return this.#state !== 'preamble'
  }

  /** @throws {MalformedBodyError} */
  write(chunk: Uint8Array): void {
    this.#read(this.#rest.length > 0 ? concatenate([this.#rest, chunk]) : chunk, false)
  }

  /** Call it when the body is complete. @throws {MalformedBodyError} */
  end(): void {
    // At the very end, a boundary needs no line end.
    this.#read(this.#rest, true)
    if (this.#state === 'headers' && this.#isLenient) this.#events.onDoubtful(this.#rest)
    if (this.#isInPart && this.#isLenient) this.#events.onPartEnd()
    else if (!this.#isLenient && (this.#state === 'headers' || this.#state === 'content'))
      throw new MalformedBodyError('it ends before its last boundary')
  }

  #read(bytes: Uint8Array, isLast: boolean): void {
    let at = 0
    for (let next = at; ; at = next) {
      const rest = Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
      const count = this.#tryStep(rest, isLast)
      next = at + count
      if (count > 0) this.#isAtStart = false
      if (count === 0 || next === bytes.length) {
        this.#rest = bytes.slice(next)
        return
      }
    }
  }

  #tryStep(bytes: Buffer, isLast: boolean): number {
    try {
      if (this.#state !== 'doubtful') return this.#step(bytes, isLast)
    } catch (error) {
      if (!this.#isLenient || !(error instanceof MalformedBodyError)) throw error
      this.#state = 'doubtful'
    }
    if (bytes.length > 0) this.#events.onDoubtful(bytes)
    return bytes.length
  }

  /** Returns how many bytes were used; 0 if more are needed. */
  #step(bytes: Buffer, isLast: boolean): number {
    if (this.#state === 'headers') return this.#readHeaders(bytes)
    const at = bytes.indexOf(this.#mark)
    if (at === -1) {
      // The last bytes may be the start of a boundary, with the line end before it.
      const count = isLast ? bytes.length : Math.max(0, bytes.length - this.#mark.length - 1)
      this.#pass(bytes.subarray(0, count))
      return count
    }
    const behind = at + this.#mark.length
    if (!isLast && behind + LINE_END.length > bytes.length) {
      const count = Math.max(0, at - LINE_END.length)
      this.#pass(bytes.subarray(0, count))
      return count
    }
    return this.#readBoundary(bytes, at, behind)
  }

  #readBoundary(bytes: Buffer, at: number, behind: number): number {
    const isBodyStart = at === 0 && this.#isAtStart
    // busboy, PHP and Django read on after the last boundary; undici, formidable and werkzeug do not.
    if (this.#state === 'epilogue')
      throw new MalformedBodyError('there is a boundary after its last one')
    const begin = at - LINE_END.length
    const isLineStart = begin >= 0 && bytes.toString('latin1', begin, at) === LINE_END
    const next = bytes.toString('latin1', behind, behind + 2)
    const isLast = next === '--'
    if (!(isBodyStart || isLineStart) || !(isLast || next === LINE_END || next === '')) {
      throw new MalformedBodyError('parsers disagree about one of its boundaries')
    }
    this.#pass(bytes.subarray(0, Math.max(0, begin)))
    if (this.#isInPart) this.#events.onPartEnd()
    this.#isInPart = false
    this.#events.onFree(bytes.subarray(Math.max(0, begin), behind + 2))
    this.#state = isLast ? 'epilogue' : 'headers'
    return Math.min(bytes.length, behind + 2)
  }

  #readHeaders(bytes: Buffer): number {
    const isNone = bytes.toString('latin1', 0, 2) === LINE_END
    const end = isNone ? 0 : bytes.indexOf(BLANK_LINE)
    const length = end === -1 ? bytes.length - BLANK_LINE.length + 1 : end
    if (length > MAX_PART_HEADER_BYTES)
      throw new MalformedBodyError('the headers of a part are too long')
    const headers = bytes.subarray(0, Math.max(0, length))
    // Django ends the part at that boundary.
    if (headers.includes(this.#mark))
      throw new MalformedBodyError('its boundary appears in the headers of a part')
    if (end === -1) return 0
    const count = end + (isNone ? LINE_END : BLANK_LINE).length
    const text = bytes.toString('latin1', 0, end)
    // Go and PHP let headers end with a bare LF, so their content starts earlier than busboy's.
    if (/\r(?!\n)|(?<!\r)\n|\0/.test(text))
      throw new MalformedBodyError('the headers of a part contain a bare CR, a bare LF or a NUL')
    this.#events.onFree(bytes.subarray(0, count))
    this.#state = 'content'
    this.#events.onPart(text)
    this.#isInPart = true
    return count
  }

  #pass(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#state === 'content') this.#events.onContent(bytes)
    else this.#events.onFree(bytes)
  }
}

/** What a multipart body consists of, in order. */
export interface MultipartEvents {
  /** Bytes outside the content of parts: preamble, boundaries, headers, epilogue. */
  onFree: (bytes: Uint8Array) => void
  /** Headers of a part, with line ends between them. */
  onPart: (headers: string) => void
  onContent: (bytes: Uint8Array) => void
  onPartEnd: () => void
  /** Bytes from where parsers disagree: they may continue the part before, or be anything else. */
  onDoubtful: (bytes: Uint8Array) => void
}
