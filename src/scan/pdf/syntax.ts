import { Buffer } from 'node:buffer'

/**
 * A value of a PDF (ISO 32000-1, 7.3): a name is text, a string is bytes. `undefined`: null, or
 * unreadable.
 */
export type Value = undefined | boolean | number | string | Uint8Array | Value[] | Dict | Ref
/** A dictionary, by name. */
export type Dict = Map<string, Value>
/** A reference to an object by its number. */
export class Ref {
  readonly number: number
  constructor(number: number) {
    this.number = number
  }
}

/** Maximum nesting of arrays and dictionaries. */
const MAX_DEPTH = 24
/** Maximum values of one object. A font's widths, or the pages of a book, are a few thousand. */
const MAX_VALUES = 20_000

const WHITE = new Set([0, 9, 10, 12, 13, 32])
const DELIMITERS = new Set(Buffer.from('()<>[]{}/%'))
const [CR, LF] = [13, 10]

/** Reads one value after another. Anything else reads as an operator. */
export class ValueReader {
  readonly #bytes: Buffer
  readonly #end: number
  at: number
  #values = 0

  constructor(bytes: Buffer, at: number, end = bytes.length) {
    this.#bytes = bytes
    this.at = at
    this.#end = end
  }

  get isAtEnd(): boolean {
    this.skipSpace()
    return this.at >= this.#end
  }

  /**
   * The next value. `undefined` if there is none; `operator` then says what stands there instead.
   */
  read(depth = 0): Value {
    this.operator = ''
    this.skipSpace()
    const byte = this.#byte()
    if (byte === undefined || depth > MAX_DEPTH || this.#values++ > MAX_VALUES) return this.#stop()
    const char = String.fromCharCode(byte)
    if (char === '/') return this.#name()
    if (char === '(') return this.#string()
    if (char === '<') return this.#byte(1) === byte ? this.#dict(depth) : this.#hex()
    if (char === '[') return this.#array(depth)
    if (DELIMITERS.has(byte)) {
      this.at += char === '>' && this.#byte(1) === byte ? 2 : 1
      this.operator = char
      return undefined
    }
    return this.#word()
  }

  /**
   * What stood in place of a value: a keyword or a delimiter. Empty after a value, or at the end.
   */
  operator = ''

  /** Skips spaces and comments. */
  skipSpace(): void {
    for (;;) {
      const byte = this.#byte()
      if (byte === 0x25) while (!isLineEnd(this.#byte())) this.at++
      else if (byte !== undefined && WHITE.has(byte)) this.at++
      else return
    }
  }

  #byte(ahead = 0): number | undefined {
    return this.at + ahead < this.#end ? this.#bytes[this.at + ahead] : undefined
  }

  #stop(): undefined {
    this.at = this.#end
    return undefined
  }

  #token(): string {
    const start = this.at
    for (;;) {
      const byte = this.#byte()
      if (byte === undefined || WHITE.has(byte) || DELIMITERS.has(byte)) break
      this.at++
    }
    return this.#bytes.toString('latin1', start, this.at)
  }

  #name(): string {
    this.at++
    return this.#token().replace(/#([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }

  #word(): Value {
    const word = this.#token()
    if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(word)) return this.#numberOrRef(word)
    if (word === 'true' || word === 'false') return word === 'true'
    if (word !== 'null') this.operator = word
    return undefined
  }

  #numberOrRef(word: string): Value {
    if (!/^\d+$/.test(word)) return Number(word)
    const ahead = this.#bytes.toString('latin1', this.at, Math.min(this.at + 24, this.#end))
    const found = /^[\0\t\n\f\r ]+\d+[\0\t\n\f\r ]+R(?![^\0\t\n\f\r ()<>[\]{}/%])/.exec(ahead)
    if (!found) return Number(word)
    this.at += found[0].length
    return new Ref(Number(word))
  }

  #array(depth: number): Value[] {
    this.at++
    const values: Value[] = []
    for (;;) {
      const value = this.read(depth + 1)
      if (this.operator === ']' || this.at >= this.#end) break
      if (this.#isStopped()) break
      values.push(value)
    }
    this.operator = ''
    return values
  }

  /**
   * Whether something that cannot be in an object cuts it off. It ends there, and the values read
   * so far count.
   */
  #isStopped(): boolean {
    return this.operator === 'endobj' || this.operator === 'obj' || this.operator === 'stream'
  }

  #dict(depth: number): Dict {
    this.at += 2
    const dict: Dict = new Map()
    for (;;) {
      this.skipSpace()
      const isName = this.#byte() === 0x2f
      const key = this.read(depth + 1)
      if (this.operator === '>' || this.at >= this.#end || this.#isStopped()) break
      if (!isName || typeof key !== 'string') continue
      const value = this.read(depth + 1)
      if (this.operator === '>' || this.#isStopped()) break
      dict.set(key, value)
    }
    this.operator = ''
    return dict
  }

  #hex(): Uint8Array {
    this.at++
    const close = this.#bytes.subarray(this.at, this.#end).indexOf('>')
    const end = close < 0 ? this.#end : this.at + close
    const digits = this.#bytes.toString('latin1', this.at, end).replace(/[^0-9a-f]/gi, '')
    this.at = end + 1
    return Buffer.from(digits.length % 2 === 1 ? `${digits}0` : digits, 'hex')
  }

  #string(): Uint8Array {
    const bytes: number[] = []
    let nesting = 0
    for (this.at++; this.at < this.#end; this.at++) {
      let byte = this.#byte() ?? 0
      if (byte === 0x29 && nesting-- === 0) break
      if (byte === 0x28) nesting++
      if (byte === 0x5c) {
        const escaped = this.#escape()
        if (escaped === undefined) continue
        byte = escaped
      } else if (byte === CR) {
        if (this.#byte(1) === LF) this.at++
        byte = LF
      }
      bytes.push(byte)
    }
    this.at++
    return Uint8Array.from(bytes)
  }

  /**
   * The byte of an escape; leaves the position at the escape's last byte. `undefined` for an
   * escaped line end.
   */
  #escape(): number | undefined {
    this.at++
    const octal = /^[0-7]{1,3}/.exec(this.#bytes.toString('latin1', this.at, this.at + 3))?.[0]
    if (octal) {
      this.at += octal.length - 1
      return Number.parseInt(octal, 8) & 255
    }
    const byte = this.#byte() ?? 0
    if (byte === CR && this.#byte(1) === LF) this.at++
    if (byte === CR || byte === LF) return undefined
    return ESCAPES[String.fromCharCode(byte)] ?? byte
  }
}

const ESCAPES: Record<string, number> = { n: LF, r: CR, t: 9, b: 8, f: 12 }

function isLineEnd(byte: number | undefined): boolean {
  return byte === undefined || byte === CR || byte === LF
}
