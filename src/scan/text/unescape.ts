import { isAscii } from 'node:buffer'

/** Undoes a way of writing bytes in a text, as they come. */
export interface Unwriter {
  /** Takes the next bytes of the text. Returns what they stand for. */
  write(bytes: Uint8Array): Unwritten
}

export interface Unwritten {
  bytes: Uint8Array
  /** Where among them is the first and the last that was written otherwise; none if the first is behind the end. */
  first: number
  last: number
}

const [PERCENT, BACKSLASH, AMPERSAND, PLUS, HASH, SEMICOLON] = [0x25, 0x5c, 0x26, 0x2b, 0x23, 0x3b]
const [SMALL_U, SMALL_X, OPEN, CLOSE, ZERO, SPACE] = [0x75, 0x78, 0x7b, 0x7d, 0x30, 0x20]

/** Longest escape: a character reference with zeros in front. */
const MAX_ESCAPE = 32

const HEX = new Int8Array(256).fill(-1)
for (const [i, digit] of Array.from('0123456789abcdef').entries()) {
  HEX[digit.charCodeAt(0)] = i
  HEX[digit.toUpperCase().charCodeAt(0)] = i
}

/** Letters behind a backslash that stand for a control character; others stand for themselves. */
const LETTERS = new Map(Object.entries({ b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, a: 7, e: 27 }))

/** Named references for what is in base64, percent-encoding and markup (HTML Living Standard, 13.5). */
const NAMES = new Map(
  Object.entries({
    amp: 0x26,
    AMP: 0x26,
    lt: 0x3c,
    LT: 0x3c,
    gt: 0x3e,
    GT: 0x3e,
    quot: 0x22,
    QUOT: 0x22,
    apos: 0x27,
    nbsp: 0xa0,
    plus: 0x2b,
    sol: 0x2f,
    equals: 0x3d,
    comma: 0x2c,
    semi: 0x3b,
    colon: 0x3a,
    percnt: 0x25,
    bsol: 0x5c,
    num: 0x23,
    lowbar: 0x5f,
    hyphen: 0x2d,
    dash: 0x2d,
    period: 0x2e,
    Tab: 9,
    NewLine: 10,
    lpar: 0x28,
    rpar: 0x29,
    lsqb: 0x5b,
    rsqb: 0x5d,
    lcub: 0x7b,
    rcub: 0x7d,
    vert: 0x7c,
    ast: 0x2a,
    excl: 0x21,
    quest: 0x3f,
    commat: 0x40,
    dollar: 0x24,
    grave: 0x60,
    Hat: 0x5e,
  }),
)

const NOTHING = new Uint8Array(0)

/** What was read of an escape: the byte that it stands for and its length; `more` may follow; `none` is no escape. */
type Escape = 'more' | 'none' | 'read'

/** Kinds of escapes: percent-encoding, with a plus sign for a space or without; those of strings; character references. */
export type EscapeKind = 'percent' | 'form' | 'string' | 'reference'

const FIRST: Record<EscapeKind, number> = {
  percent: PERCENT,
  form: PERCENT,
  string: BACKSLASH,
  reference: AMPERSAND,
}

/** Undoes one layer of escapes of one kind. */
export class Unescaper implements Unwriter {
  readonly #first: number
  readonly #plusIsSpace: boolean
  #rest: Uint8Array = NOTHING
  #value = 0
  #length = 0
  /** Whether it is a byte, or else a character. */
  #isByte = false

  constructor(kind: EscapeKind) {
    this.#first = FIRST[kind]
    this.#plusIsSpace = kind === 'form'
  }

  write(fresh: Uint8Array): Unwritten {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, fresh]) : fresh
    this.#rest = NOTHING
    if (!this.#hasSpecial(bytes)) return { bytes, first: Infinity, last: -1 }
    const out = new Uint8Array(bytes.length)
    let count = 0
    let [first, last] = [Infinity, -1]
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] as number
      if (byte !== this.#first) {
        const isSpace = byte === PLUS && this.#plusIsSpace
        if (isSpace) [first, last] = [Math.min(first, count), count]
        out[count++] = isSpace ? SPACE : byte
        at++
        continue
      }
      const escape = this.#read(bytes, at)
      if (escape === 'more' && bytes.length - at < MAX_ESCAPE) {
        this.#rest = bytes.slice(at)
        break
      }
      if (escape === 'read') {
        if (first > count) first = count
        last = count
        if (this.#value >= 0) count = put(out, count, this.#value, this.#isByte)
        at += this.#length
      } else {
        out[count++] = byte
        at++
      }
    }
    return { bytes: out.subarray(0, count), first, last }
  }

  #hasSpecial(bytes: Uint8Array): boolean {
    return bytes.includes(this.#first) || (this.#plusIsSpace && bytes.includes(PLUS))
  }

  #read(bytes: Uint8Array, at: number): Escape {
    const byte = bytes[at]
    if (byte === PERCENT) return this.#readPercent(bytes, at)
    return byte === BACKSLASH ? this.#readBackslash(bytes, at) : this.#readReference(bytes, at)
  }

  #is(value: number, length: number, isByte = false): Escape {
    this.#value = value
    this.#length = length
    this.#isByte = isByte
    return 'read'
  }

  /** %41, and %u0041 of JavaScript's unescape. */
  #readPercent(bytes: Uint8Array, at: number): Escape {
    const isLong = bytes[at + 1] === SMALL_U
    return this.#readHex(bytes, isLong ? at + 2 : at + 1, isLong ? 4 : 2, at)
  }

  #readHex(bytes: Uint8Array, from: number, digits: number, at: number): Escape {
    let value = 0
    for (let i = from; i < from + digits; i++) {
      if (i >= bytes.length) return 'more'
      const digit = HEX[bytes[i] as number] as number
      if (digit < 0) return 'none'
      value = value * 16 + digit
    }
    return this.#is(value, from + digits - at, digits === 2)
  }

  /** \u0041, \u{41}, \x41, \101, \n, \/, and a line end that is none. */
  #readBackslash(bytes: Uint8Array, at: number): Escape {
    const next = bytes[at + 1]
    if (next === undefined) return 'more'
    if (next === SMALL_U && bytes[at + 2] === OPEN) return this.#readBraces(bytes, at)
    if (next === SMALL_U) return this.#readHex(bytes, at + 2, 4, at)
    if (next === SMALL_X) return this.#readHex(bytes, at + 2, 2, at)
    if (next >= ZERO && next <= ZERO + 7) return this.#readOctal(bytes, at)
    if (next === 10) return this.#is(-1, 2)
    if (next === 13) return this.#is(-1, bytes[at + 2] === 10 ? 3 : 2)
    return this.#is(LETTERS.get(String.fromCharCode(next)) ?? next, 2)
  }

  #readBraces(bytes: Uint8Array, at: number): Escape {
    let value = 0
    for (let i = at + 3; i < at + MAX_ESCAPE; i++) {
      if (i >= bytes.length) return 'more'
      if (bytes[i] === CLOSE) return i > at + 3 ? this.#is(value & 0xffff, i + 1 - at) : 'none'
      const digit = HEX[bytes[i] as number] as number
      if (digit < 0) return 'none'
      value = (value * 16 + digit) % 0x1000000
    }
    return 'none'
  }

  #readOctal(bytes: Uint8Array, at: number): Escape {
    let [value, i] = [0, at + 1]
    for (; i < at + 4; i++) {
      if (i >= bytes.length) return 'more'
      const digit = (bytes[i] as number) - ZERO
      if (digit < 0 || digit > 7) break
      value = value * 8 + digit
    }
    return this.#is(value & 255, i - at, true)
  }

  /** &#65; &#x41; &plus; — the semicolon may be missing behind digits. */
  #readReference(bytes: Uint8Array, at: number): Escape {
    if (bytes[at + 1] !== HASH) return this.#readName(bytes, at)
    const isHex = ((bytes[at + 2] ?? 0) | 32) === SMALL_X
    const from = at + (isHex ? 3 : 2)
    let value = 0
    let i = from
    for (; i < at + MAX_ESCAPE; i++) {
      if (i >= bytes.length) return 'more'
      const digit = HEX[bytes[i] as number] as number
      if (digit < 0 || (!isHex && digit > 9)) break
      value = (value * (isHex ? 16 : 10) + digit) % 0x1000000
    }
    if (i === from) return from >= bytes.length ? 'more' : 'none'
    return this.#is(value, bytes[i] === SEMICOLON ? i + 1 - at : i - at)
  }

  #readName(bytes: Uint8Array, at: number): Escape {
    for (let i = at + 1; i < at + 10; i++) {
      if (i >= bytes.length) return 'more'
      const byte = bytes[i] as number
      if (byte === SEMICOLON) {
        const value = NAMES.get(String.fromCharCode(...bytes.subarray(at + 1, i)))
        return value === undefined ? 'none' : this.#is(value, i + 1 - at)
      }
      if ((byte | 32) < 0x61 || (byte | 32) > 0x7a) return 'none'
    }
    return 'none'
  }
}

/** Writes a byte, or a character in UTF-8, and returns where the next goes. An escape is no shorter than what it stands for. */
function put(out: Uint8Array, at: number, value: number, isByte: boolean): number {
  if (isByte || value < 0x80) {
    out[at] = value
    return at + 1
  }
  if (value < 0x800) {
    out[at] = 0xc0 | (value >> 6)
    out[at + 1] = 0x80 | (value & 0x3f)
    return at + 2
  }
  out[at] = 0xe0 | ((value >> 12) & 0x0f)
  out[at + 1] = 0x80 | ((value >> 6) & 0x3f)
  out[at + 2] = 0x80 | (value & 0x3f)
  return at + 3
}

/**
 * Takes characters of UTF-8 for bytes, as strings that hold binary data are (`latin1` in Node, `ISO-8859-1` in PHP and Python): each for
 * its low eight bits. What is no UTF-8 stays.
 */
export class BinaryString implements Unwriter {
  #rest: Uint8Array = NOTHING

  write(fresh: Uint8Array): Unwritten {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, fresh]) : fresh
    this.#rest = NOTHING
    if (isAscii(bytes)) return { bytes, first: Infinity, last: -1 }
    const out = new Uint8Array(bytes.length)
    let [count, characters, others] = [0, 0, 0]
    let [first, last] = [Infinity, -1]
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] as number
      const length = byte < 0xc2 || byte >= 0xf0 ? 1 : byte < 0xe0 ? 2 : 3
      if (at + length > bytes.length) {
        this.#rest = bytes.slice(at)
        break
      }
      const isCharacter = length > 1 && isTrail(bytes[at + 1]) && isTrail(bytes[at + length - 1])
      if (isCharacter) {
        if (first > count) first = count
        last = count
        const [high, low] = [bytes[at + length - 2] as number, bytes[at + length - 1] as number]
        out[count++] = ((high << 6) | (low & 0x3f)) & 255
        at += length
        characters++
      } else {
        if (byte >= 0x80) others++
        out[count++] = byte
        at++
      }
    }
    // Of data that is none of characters, a quarter looks like one.
    if (others * 2 > characters) return { bytes, first: Infinity, last: -1 }
    return { bytes: out.subarray(0, count), first, last }
  }
}

function isTrail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

const EQUALS = 0x3d

/** Undoes quoted-printable (RFC 2045, 6.7), and the line ends that it puts in. */
export class QuotedPrintable implements Unwriter {
  #rest: Uint8Array = NOTHING

  write(fresh: Uint8Array): Unwritten {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, fresh]) : fresh
    this.#rest = NOTHING
    if (!bytes.includes(EQUALS)) return { bytes, first: Infinity, last: -1 }
    const out = new Uint8Array(bytes.length)
    let count = 0
    let [first, last] = [Infinity, -1]
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] as number
      if (byte !== EQUALS) {
        out[count++] = byte
        at++
        continue
      }
      if (at + 2 >= bytes.length) {
        this.#rest = bytes.slice(at)
        break
      }
      const length = this.#softEnd(bytes, at)
      const high = HEX[bytes[at + 1] as number] as number
      const low = HEX[bytes[at + 2] as number] as number
      if (length > 0) at += length
      else if (high >= 0 && low >= 0) {
        out[count++] = high * 16 + low
        at += 3
      } else {
        out[count++] = byte
        at++
        continue
      }
      if (first > count) first = Math.max(0, count - 1)
      last = count
    }
    return { bytes: out.subarray(0, count), first, last }
  }

  /** What is left when the text is whole. */
  end(): Uint8Array {
    return this.#rest
  }

  /** Bytes of a line end that is not one of the text, with the white space that mail servers put before it. */
  #softEnd(bytes: Uint8Array, at: number): number {
    let i = at + 1
    while (i < at + MAX_ESCAPE && (bytes[i] === SPACE || bytes[i] === 9)) i++
    if (bytes[i] === 10) return i + 1 - at
    return bytes[i] === 13 && bytes[i + 1] === 10 ? i + 2 - at : 0
  }
}
