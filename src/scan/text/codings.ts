/**
 * Stands among codes where a value may end: a quote, a bracket, padding. Readers that are lenient read on behind it. Those above it are
 * breaks, too.
 */
export const BREAK = 256
export const SEMICOLON_BREAK = 257
export const COMMA_BREAK = 258
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
function tableOf(codes: Record<string, number>, breaks: string): Uint16Array {
  const table = new Uint16Array(256).fill(SKIP)
  for (const char of breaks) table[char.charCodeAt(0)] = BREAK
  for (const [char, code] of Object.entries(codes)) table[char.charCodeAt(0)] = code
  return table
}

function codesOf(alphabet: string): Record<string, number> {
  return Object.fromEntries(Array.from(alphabet).map((char, code) => [char, code]))
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const BASE64 = tableOf(
  {
    ...codesOf(`${UPPER}${UPPER.toLowerCase()}0123456789+/-_`),
    ';': SEMICOLON_BREAK,
    ',': COMMA_BREAK,
    '\n': LINE_BREAK,
  },
  '"\'`<>:{}[]()|&=',
)

export class Base64Coding implements Coding {
  readonly bits = 6

  pick(bytes: Uint8Array): Uint16Array {
    return pickBy(BASE64, bytes)
  }

  end(): Uint16Array {
    return NOTHING
  }
}

const HEX = tableOf(
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

const MINUS = 0x2d

/** Kinds of bytes between numbers. */
const [OTHER, DIGIT, POINT, COLON, SPACE, BRACKET] = [0, 1, 2, 3, 4, 5]
const KINDS = new Uint8Array(256).fill(OTHER)
for (const [kind, chars] of [
  [DIGIT, '0123456789'],
  [POINT, '.'],
  [COLON, ':'],
  [SPACE, ' \t\n\r"\'\\'],
  [BRACKET, '[]{}()'],
] as const)
  for (const char of chars) KINDS[char.charCodeAt(0)] = kind

/** What is known of a number: it is being read, or what is behind its point; it has been, and may be a name; there is none. */
const [NONE, DIGITS, FRACTION, READ] = [0, 1, 2, 3]

/** Bytes as decimal numbers, those of Java below 0; not the names of members, as `0` and `1` in {"0":255,"1":216}. */
export class NumberCoding implements Coding {
  readonly bits = 8
  #state = NONE
  #value = 0
  #isNegative = false
  #last = 0

  pick(bytes: Uint8Array): Uint16Array {
    const codes = new Uint16Array(2 * bytes.length + 1)
    let count = 0
    let [state, value, isNegative, last] = [this.#state, this.#value, this.#isNegative, this.#last]
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      const kind = KINDS[byte] as number
      if (kind === DIGIT) {
        if (state === READ && isByte(value, isNegative))
          codes[count++] = isNegative ? -value & 255 : value
        if (state === READ || state === NONE) {
          isNegative = last === MINUS
          value = 0
          state = DIGITS
        }
        if (state === DIGITS && value < 1000) value = value * 10 + byte - ZERO
      } else if (state !== NONE) {
        if (kind === POINT && state === DIGITS) state = FRACTION
        else if (kind === SPACE) state = READ
        else {
          if (kind !== COLON && isByte(value, isNegative))
            codes[count++] = isNegative ? -value & 255 : value
          state = NONE
        }
      }
      if (kind === BRACKET) codes[count++] = BREAK
      last = byte
    }
    this.#state = state
    this.#value = value
    this.#isNegative = isNegative
    this.#last = last
    return codes.subarray(0, count)
  }

  end(): Uint16Array {
    const [value, isNegative] = [this.#value, this.#isNegative]
    if (this.#state === NONE || !isByte(value, isNegative)) return NOTHING
    return Uint16Array.of(isNegative ? -value & 255 : value)
  }
}

function isByte(value: number, isNegative: boolean): boolean {
  return value <= (isNegative ? 128 : 255)
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
