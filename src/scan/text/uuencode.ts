import { BREAK, Codes, type Coding } from './codings.ts'
import { Unread } from './unwriter.ts'

const [LINE_END, SPACE, GRAVE] = [0x0a, 0x20, 0x60]
/** Maximum bytes of a line, and characters of the longest line. */
const MAX_BYTES = 63
const MAX_CHARS = 1 + (MAX_BYTES / 3) * 4
/** Characters of the shortest line that is read: half of a group may be lost. */
const MIN_CHARS = 3

/** Characters that a line's bytes take. */
const charsFor = (bytes: number) => Math.ceil(bytes / 3) * 4

/**
 * Lines of uuencode: the first character tells how many bytes the others stand for (`a2b_uu`,
 * `convert_uudecode`, Perl's `u`).
 */
export class UuCoding implements Coding {
  readonly isStrict = true
  readonly bits = 8
  readonly #codes = new Codes()
  readonly #unread = new Unread()
  /** Whether only the end of a line was kept. */
  #isCut = false
  #isBroken = false

  pick(fresh: Uint8Array): Uint16Array[] {
    const { bytes } = this.#unread.join(fresh)
    let from = 0
    for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, from)) {
      if (end - from < MIN_CHARS) this.#noteLine(false)
      else
        this.#readLine(
          bytes.subarray(Math.max(from, end - MAX_CHARS - 2), end),
          this.#isCut || end - from > MAX_CHARS + 2,
        )
      this.#isCut = false
      from = end + 1
    }
    const rest = bytes.subarray(from)
    this.#isCut ||= rest.length > MAX_CHARS + 2
    this.#unread.keep(rest.subarray(-MAX_CHARS - 2))
    return [this.#codes.take()]
  }

  end(): Uint16Array[] {
    this.#readLine(this.#unread.bytes, this.#isCut)
    return [this.#codes.take()]
  }

  /** Reads a line, or the end of a line that begins with something else. */
  #readLine(line: Uint8Array, isCut: boolean): void {
    const text = line.at(-1) === 0x0d ? line.subarray(0, -1) : line
    this.#noteLine((!isCut && this.#readFrom(text, 0)) || this.#readEnd(text))
  }

  #noteLine(isRead: boolean): void {
    if (!isRead && !this.#isBroken) this.#codes.push(BREAK)
    this.#isBroken = !isRead
  }

  #readEnd(line: Uint8Array): boolean {
    const most = Math.floor((line.length - 2) / 4) * 3
    for (let bytes = Math.min(MAX_BYTES, most); bytes > 0; bytes--) {
      const from = line.length - charsFor(bytes) - 1
      if (line[from] === SPACE + bytes && this.#readFrom(line, from)) return true
    }
    return false
  }

  #readFrom(line: Uint8Array, from: number): boolean {
    const bytes = ((line[from] ?? SPACE) - SPACE) & 63
    if (bytes === 0 || !isDigit(line[from])) return false
    const start = from + 1
    const chars = charsFor(bytes)
    // Spaces at the end of a line get lost in transit.
    for (let i = start; i < Math.min(line.length, start + chars); i++)
      if (!isDigit(line[i])) return false
    if (line.length - start < chars / 2) return false
    const value = (i: number) => ((line[start + i] ?? SPACE) - SPACE) & 63
    for (let i = 0; i < bytes; i++) {
      const at = ((i / 3) | 0) * 4 + (i % 3)
      this.#codes.push(
        ((value(at) << (2 + 2 * (i % 3))) | (value(at + 1) >> (4 - 2 * (i % 3)))) & 255,
      )
    }
    return true
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= SPACE && byte <= GRAVE
}
