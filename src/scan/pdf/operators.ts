import { Buffer } from 'node:buffer'

/** Operators that decide which pictures are shown, where, and in which colour. */
const OPERATORS = [
  ...['q', 'Q', 'cm', 'Do', 'BI', 'EI', 'm', 'l', 'c', 'v', 'y', 're', 'W', 'W*', 'n'],
  ...['f', 'F', 'f*', 's', 'S', 'b', 'b*', 'B', 'B*', 'g', 'rg', 'k', 'sc', 'scn'],
]
const [MAX_LENGTH, BY_KEY] = [3, new Map(OPERATORS.map((one) => [keyOf(Buffer.from(one)), one]))]
/** Maximum numbers kept. Operators that matter have six. */
const MAX_NUMBERS = 64

const [REGULAR, WHITE, DELIMITER] = [0, 1, 2]
const KINDS = new Uint8Array(256)
for (const byte of [0, 9, 10, 12, 13, 32]) KINDS[byte] = WHITE
for (const byte of Buffer.from('()<>[]{}/%')) KINDS[byte] = DELIMITER
const [LF, CR, PERCENT, OPEN, CLOSE, PLUS, MINUS, DOT, SLASH] = [
  10, 13, 0x25, 0x28, 0x29, 0x2b, 0x2d, 0x2e, 0x2f,
]
const [ZERO, NINE, LESS, GREATER, ESCAPE] = [0x30, 0x39, 0x3c, 0x3e, 0x5c]

/**
 * Reads the operators of a content stream (ISO 32000-1, 7.8.2), and operands that are numbers or
 * names. Makes nothing of text, which is most of a page.
 */
export class OperatorReader {
  readonly #bytes: Buffer
  at = 0
  /** The numbers before the operator. */
  numbers: number[] = []
  #nameAt = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length
  }

  /** The last name before the operator. */
  get name(): string {
    const start = this.#nameAt
    if (start === 0) return ''
    const name = this.#bytes.toString('latin1', start, this.#endOfWord(start))
    return name.replace(/#([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }

  /** The next operator. Empty if it is any other, or at the end. */
  next(): string {
    const bytes = this.#bytes
    this.numbers.length = 0
    this.#nameAt = 0
    while (this.at < bytes.length) {
      const byte = bytes[this.at] ?? 0
      const kind = KINDS[byte]
      if (kind === WHITE) this.at++
      else if (kind === DELIMITER) this.#skip(byte)
      else {
        const start = this.at
        this.at = this.#endOfWord(start)
        if (byte > NINE || byte < PLUS) return this.#operator(start)
        if (this.numbers.length < MAX_NUMBERS) this.numbers.push(this.#number(start))
      }
    }
    return ''
  }

  #endOfWord(start: number): number {
    let end = start
    while (end < this.#bytes.length && KINDS[this.#bytes[end] ?? 0] === REGULAR) end++
    return end
  }

  #operator(start: number): string {
    if (this.at - start > MAX_LENGTH) return ''
    return BY_KEY.get(keyOf(this.#bytes, start, this.at)) ?? ''
  }

  /** The number in a word, up to what cannot be in one. */
  #number(start: number): number {
    let [value, scale] = [0, 0]
    for (let at = start; at < this.at; at++) {
      const byte = this.#bytes[at] ?? 0
      if (byte >= ZERO && byte <= NINE) {
        value = value * 10 + byte - ZERO
        scale *= 10
      } else if (byte === DOT && scale === 0) scale = 1
      else if (at > start || (byte !== PLUS && byte !== MINUS)) break
    }
    if (scale > 1) value /= scale
    return this.#bytes[start] === MINUS ? -value : value
  }

  /** Skips a comment, a string or a bracket. Notes where a name is. */
  #skip(byte: number): void {
    const bytes = this.#bytes
    this.at++
    if (byte === SLASH) {
      this.#nameAt = this.at
      this.at = this.#endOfWord(this.at)
    } else if (byte === PERCENT) {
      while (this.at < bytes.length && bytes[this.at] !== LF && bytes[this.at] !== CR) this.at++
    } else if (byte === LESS && bytes[this.at] !== LESS) {
      const close = bytes.indexOf(GREATER, this.at)
      this.at = close < 0 ? bytes.length : close + 1
    } else if (byte === LESS) this.at++
    else if (byte === OPEN) this.#skipString()
  }

  #skipString(): void {
    const bytes = this.#bytes
    for (let nesting = 1; nesting > 0 && this.at < bytes.length; this.at++) {
      const byte = bytes[this.at]
      if (byte === ESCAPE) this.at++
      else if (byte === OPEN) nesting++
      else if (byte === CLOSE) nesting--
    }
  }
}

/** A short word as a number. */
function keyOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let key = 0
  for (let at = start; at < end; at++) key = key * 256 + (bytes[at] ?? 0)
  return key
}
