/**
 * Stands among codes where a value may end: a quote, a bracket, padding. Readers that are lenient read on behind it. Those above it are
 * breaks, too.
 */
export const BREAK = 256
export const SEMICOLON_BREAK = 257
export const COMMA_BREAK = 258
/** Stands where padding is: a new text may begin behind it, in whose bits those before it have no part. */
export const PAD_BREAK = 260
/** Stands where a line ends: a value may begin behind it, and does not end at it. */
export const LINE_BREAK = 259

/** Codes of base64 that are not of its first alphabet (RFC 4648, 5): some readers skip them, others read them as + and /. */
export const URL_CODES = 64

/** Picks from a text what is of one code, and drops whatever else stands between, as lenient readers do. */
export interface Coding {
  /** Bits of a code. */
  readonly bits: number
  /** Whether its bytes are those of a text that is searched anyway. */
  readonly isText?: boolean
  /** Codes in the next bytes, and breaks. */
  pick(bytes: Uint8Array): Uint16Array
  /** Codes that are left when there are no more. */
  end(): Uint16Array
}

const SKIP = 0xffff
const NOTHING = new Uint16Array(0)

/** Table of codes by byte. */
function codeTable(codes: Record<string, number>, breaks: string): Uint16Array {
  const table = new Uint16Array(256).fill(SKIP)
  for (const char of breaks) table[char.charCodeAt(0)] = BREAK
  for (const [char, code] of Object.entries(codes)) table[char.charCodeAt(0)] = code
  return table
}

function codesOf(alphabet: string): Record<string, number> {
  return Object.fromEntries(Array.from(alphabet).map((char, code) => [char, code]))
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const BASE64 = codeTable(
  {
    ...codesOf(`${UPPER}${UPPER.toLowerCase()}0123456789+/-_`),
    ';': SEMICOLON_BREAK,
    ',': COMMA_BREAK,
    '\n': LINE_BREAK,
    '=': PAD_BREAK,
  },
  '"\'`<>:{}[]()|&',
)
/** The same where a plus sign has become a space: those who take such texts put it back. */
const BASE64_WITH_SPACES = BASE64.with(0x20, 62)

export class Base64Coding implements Coding {
  readonly bits = 6
  readonly #table: Uint16Array

  /** @param isSpacePlus whether spaces stand for plus signs */
  constructor(isSpacePlus = false) {
    this.#table = isSpacePlus ? BASE64_WITH_SPACES : BASE64
  }

  pick(bytes: Uint8Array): Uint16Array {
    return pickBy(this.#table, bytes)
  }

  end(): Uint16Array {
    return NOTHING
  }
}

const HEX = codeTable(
  { ...codesOf('0123456789abcdef'), A: 10, B: 11, C: 12, D: 13, E: 14, F: 15, '\n': LINE_BREAK },
  '"\'`<>{}[]()=&',
)
const ZERO = 0x30
const SMALL_X = 0x78

/** Hex digits, with or without what stands between bytes: spaces, colons, `\x`, `0x`, a percent sign. */
export class HexCoding implements Coding {
  readonly bits = 4
  /** Whether the last byte was a zero, which counts unless an x follows: in 0x41, the first digit is none. */
  #hasZero = false

  pick(bytes: Uint8Array): Uint16Array {
    const codes = new Uint16Array(bytes.length + 1)
    let count = 0
    let hasZero = this.#hasZero
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      if (hasZero && (byte | 32) !== SMALL_X) codes[count++] = 0
      hasZero = byte === ZERO
      const code = HEX[byte] as number
      codes[count] = code
      if (code !== SKIP && !hasZero) count++
    }
    this.#hasZero = hasZero
    return codes.subarray(0, count)
  }

  end(): Uint16Array {
    return this.#hasZero ? Uint16Array.of(0) : NOTHING
  }
}

/** Bytes as they are. */
export class ByteCoding implements Coding {
  readonly bits = 8
  readonly isText = true

  pick(bytes: Uint8Array): Uint16Array {
    return new Uint16Array(bytes)
  }

  end(): Uint16Array {
    return NOTHING
  }
}

const [PLUS, MINUS, EQUALS, CLOSE, SMALL_E] = [0x2b, 0x2d, 0x3d, 0x5d, 0x65]

/** Kinds of bytes between numbers. */
const [OTHER, DIGIT, POINT, COLON, SPACE, BRACKET] = [0, 1, 2, 3, 4, 5]
const KINDS = new Uint8Array(256).fill(OTHER)
for (const [kind, chars] of [
  [DIGIT, '0123456789'],
  [POINT, '.'],
  [COLON, ':='],
  [SPACE, ' \t\n\r"\'\\'],
  [BRACKET, '[]{}()'],
] as const)
  for (const char of chars) KINDS[char.charCodeAt(0)] = kind

/** What is known of a number: which part of it is being read; it has been read, and may be a name; a bracket closed
 * behind it; it is over. */
const [NONE, DIGITS, FRACTION, EXPONENT, READ, CLOSED, OVER] = [0, 1, 2, 3, 4, 5, 6]
/** Digits that a number keeps exactly. */
const EXACT = 1e14

/** A number as JSON has them, as it is read. */
class DecimalNumber {
  #digits = 0
  #scale = 0
  #exponent = 0
  #isNegative = false
  #isSmall = false

  begin(isNegative: boolean): void {
    this.#digits = this.#scale = this.#exponent = 0
    this.#isNegative = isNegative
    this.#isSmall = false
  }

  add(digit: number, state: number): void {
    if (state === EXPONENT) this.#exponent = Math.min(99, this.#exponent * 10 + digit)
    else if (this.#digits < EXACT) {
      this.#digits = this.#digits * 10 + digit
      if (state === FRACTION) this.#scale++
    }
  }

  /** Tells that a minus sign stands before the exponent. */
  setSmall(): void {
    this.#isSmall = true
  }

  /** As a typed array, `Buffer.from` and `chr` take it: what is beyond a byte wraps. */
  get byte(): number {
    const power = (this.#isSmall ? -this.#exponent : this.#exponent) - this.#scale
    const value = power === 0 ? this.#digits : Math.trunc(this.#digits * 10 ** power + 1e-9)
    return (this.#isNegative ? 256 - (value % 256) : value % 256) & 255
  }
}

/** Bytes as decimal numbers, those of Java below 0; not the names of members, as `0` and `1` in {"0":255,"1":216} or a[0]=255. */
export class NumberCoding implements Coding {
  readonly bits = 8
  readonly #number = new DecimalNumber()
  #state = NONE
  #last = 0

  pick(bytes: Uint8Array): Uint16Array {
    const codes = new Uint16Array(2 * bytes.length + 2)
    const number = this.#number
    let [count, state, last] = [0, this.#state, this.#last]
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      const kind = KINDS[byte] as number
      if (state === CLOSED) {
        if (byte !== EQUALS) {
          codes[count++] = number.byte
          codes[count++] = BREAK
        }
        state = NONE
      }
      if (kind === DIGIT) {
        if (state === READ) codes[count++] = number.byte
        if (state === READ || state === NONE) {
          number.begin(last === MINUS)
          state = DIGITS
        }
        number.add(byte - ZERO, state)
      } else if (state !== NONE) state = this.#pass(byte, kind, state, last)
      if (state === OVER) {
        if (kind !== COLON) codes[count++] = number.byte
        state = NONE
      }
      if (kind === BRACKET && state !== CLOSED) codes[count++] = BREAK
      last = byte
    }
    this.#state = state
    this.#last = last
    return codes.subarray(0, count)
  }

  end(): Uint16Array {
    return this.#state === NONE ? NOTHING : Uint16Array.of(this.#number.byte)
  }

  /** What is known of a number behind a byte that is no digit. */
  #pass(byte: number, kind: number, state: number, last: number): number {
    if (kind === POINT && state === DIGITS) return FRACTION
    if ((byte | 32) === SMALL_E && (state === DIGITS || state === FRACTION)) return EXPONENT
    if (state === EXPONENT && (last | 32) === SMALL_E && (byte === MINUS || byte === PLUS)) {
      if (byte === MINUS) this.#number.setSmall()
      return EXPONENT
    }
    if (kind === SPACE) return READ
    return byte === CLOSE ? CLOSED : OVER
  }
}

function pickBy(table: Uint16Array, bytes: Uint8Array): Uint16Array {
  const codes = new Uint16Array(bytes.length)
  let count = 0
  for (let i = 0; i < bytes.length; i++) {
    const code = table[bytes[i] as number] as number
    codes[count] = code
    if (code !== SKIP) count++
  }
  return codes.subarray(0, count)
}
