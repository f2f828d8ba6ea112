import { isTextByte } from './signs.ts'
import { type Unwriter, type Unwritten, unchanged, Unread, Written } from './unwriter.ts'

const [PERCENT, BACKSLASH, AMPERSAND, PLUS, HASH, SEMICOLON] = [0x25, 0x5c, 0x26, 0x2b, 0x23, 0x3b]
const [SMALL_U, SMALL_X, OPEN, CLOSE, ZERO, SPACE] = [0x75, 0x78, 0x7b, 0x7d, 0x30, 0x20]

/** Longest escape, not counting leading zeros of a character reference. */
const MAX_ESCAPE = 32

/** Values of hex digits, by character; -1 for others. */
export const HEX = new Int8Array(256).fill(-1)
for (const [i, digit] of Array.from('0123456789abcdef').entries()) {
  HEX[digit.charCodeAt(0)] = i
  HEX[digit.toUpperCase().charCodeAt(0)] = i
}

/** Letters that stand for a control character after a backslash; others stand for themselves. */
const LETTERS = new Map(Object.entries({ b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, a: 7, e: 27 }))

/** Named references for U+00A0 to U+00FF, in order (HTML 4.01, 24.2.1). */
const LATIN_1_NAMES =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg ' +
  'plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 ' +
  'iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml ' +
  'Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil ' +
  'egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ' +
  'ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'

/** Those for characters that no coding uses, so that lenient readers skip them (24.3, 24.4). */
const FOREIGN_NAMES =
  'Alpha Beta Chi Dagger Delta Epsilon Eta Gamma Iota Kappa Lambda Mu Nu OElig Omega ' +
  'Omicron Phi Pi Prime Psi Rho Scaron Sigma Tau Theta Upsilon Xi Yuml Zeta alefsym alpha ' +
  'and ang asymp bdquo beta bull cap chi circ clubs cong crarr cup dArr dagger darr delta ' +
  'diams empty emsp ensp epsilon equiv eta euro exist fnof forall frasl gamma ge hArr harr ' +
  'hearts hellip image infin int iota isin kappa lArr lambda lang larr lceil ldquo le ' +
  'lfloor lowast loz lrm lsaquo lsquo mdash minus mu nabla ndash ne ni notin nsub nu oelig ' +
  'oline omega omicron oplus or otimes part permil perp phi pi piv prime prod prop psi rArr ' +
  'radic rang rarr rceil rdquo real rfloor rho rlm rsaquo rsquo sbquo scaron sdot sigma ' +
  'sigmaf sim spades sub sube sum sup supe tau there4 theta thetasym thinsp tilde trade ' +
  'uArr uarr upsih upsilon weierp xi zeta zwj zwnj'
const FOREIGN = 0x200b

/** Values of named references: those of HTML 4, and ASCII (HTML Living Standard, 13.5). */
const NAMES = new Map<string, number>([
  ...FOREIGN_NAMES.split(' ').map((name) => [name, FOREIGN] as const),
  ...LATIN_1_NAMES.split(' ').map((name, i) => [name, 0xa0 + i] as const),
  ...Object.entries({
    amp: 0x26,
    AMP: 0x26,
    lt: 0x3c,
    LT: 0x3c,
    gt: 0x3e,
    GT: 0x3e,
    quot: 0x22,
    QUOT: 0x22,
    apos: 0x27,
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
])

const LONGEST_NAME = Math.max(...[...NAMES.keys()].map((name) => name.length))

/** What begins an escape of each kind. */
export const ESCAPE_SIGNS: Record<EscapeKind, number> = {
  percent: PERCENT,
  form: PERCENT,
  string: BACKSLASH,
  style: BACKSLASH,
  reference: AMPERSAND,
}

/** What begins an escape. Base64 readers skip a backslash before anything else, too. */
const BEGINS_ESCAPE: ReadonlySet<number> = new Set([PERCENT, BACKSLASH, AMPERSAND, PLUS, 0x3d])

/** Undoes one layer of escapes of one kind. */
export class Unescaper implements Unwriter {
  readonly #kind: EscapeKind
  readonly #first: number
  readonly #around: number | undefined
  readonly #unread = new Unread()
  #value = 0
  #length = 0
  /** Whether the value is a byte rather than a character. */
  #isByte = false
  #isReported = true

  /**
   * @param around the character that begins the escapes around these, if they are also undone in
   *   the other order. Then only those count that make a difference: those that contain a byte of
   *   the others, or make one, or a control character, as in binary data, which is not searched
   *   for escapes
   */
  constructor(kind: EscapeKind, around?: number) {
    this.#kind = kind
    this.#first = ESCAPE_SIGNS[kind]
    this.#around = around
  }

  write(fresh: Uint8Array, freshMade?: Uint8Array): Unwritten {
    const { bytes, made } = this.#unread.join(fresh, freshMade)
    let at = this.#next(bytes, 0)
    if (at === -1) return unchanged(bytes)
    const out = new Written(bytes.length)
    let from = 0
    for (; at !== -1; at = this.#next(bytes, at)) {
      const escape = this.#read(bytes, at)
      if (escape === 'more' && this.#canWait(bytes, at)) {
        out.copy(bytes, from, at)
        this.#keep(bytes.subarray(at), made?.subarray(at))
        return out.end()
      }
      if (escape !== 'read') {
        at++
        continue
      }
      const isReported =
        this.#isReported && (this.#isDecisive || isMade(made, at, at + this.#length))
      out.copy(bytes, from, at)
      out.make(this.#value, this.#isByte, isReported)
      at += this.#length
      from = at
    }
    out.copy(bytes, from)
    return out.end()
  }

  get #isDecisive(): boolean {
    const [value, around] = [this.#value, this.#around]
    return (
      around === undefined ||
      value === around ||
      (value >= 0 && value < SPACE && !isTextByte(value))
    )
  }

  /** Index of the next possible escape. */
  #next(bytes: Uint8Array, from: number): number {
    if (this.#kind !== 'form') return bytes.indexOf(this.#first, from)
    for (let at = from; at < bytes.length; at++)
      if (bytes[at] === PLUS || bytes[at] === PERCENT) return at
    return -1
  }

  /** Whether following bytes may complete it to an escape. */
  #canWait(bytes: Uint8Array, at: number): boolean {
    return bytes.length - at < MAX_ESCAPE || this.#kind === 'reference'
  }

  /** A number may have any number of leading zeros, which make no difference. */
  #keep(bytes: Uint8Array, made: Uint8Array | undefined): void {
    const zeros = bytes.length < MAX_ESCAPE ? 0 : bytes.length - MAX_ESCAPE + 1
    if (zeros === 0) return this.#unread.keep(bytes, made)
    const kept = Buffer.concat([bytes.subarray(0, 3), bytes.subarray(3 + zeros)])
    this.#unread.keep(kept, made && new Uint8Array(kept.length).fill(1))
  }

  #read(bytes: Uint8Array, at: number): Escape {
    const byte = bytes[at]
    if (byte === PLUS) return this.#is(SPACE, 1)
    if (byte === PERCENT) return this.#readPercent(bytes, at)
    if (byte === AMPERSAND) return this.#readReference(bytes, at)
    return this.#kind === 'style' ? this.#readStyle(bytes, at) : this.#readBackslash(bytes, at)
  }

  #is(value: number, length: number, isByte = false): Escape {
    this.#value = value
    this.#length = length
    this.#isByte = isByte
    this.#isReported = true
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

  /** \u0041, \u{41}, \x41, \x{41}, \101, \n, \/, and an escaped line end. */
  #readBackslash(bytes: Uint8Array, at: number): Escape {
    const next = bytes[at + 1]
    if (next === undefined) return 'more'
    const isHex = next === SMALL_U || next === SMALL_X
    if (isHex && bytes[at + 2] === OPEN) return this.#readBraces(bytes, at)
    if (isHex) return this.#readHex(bytes, at + 2, next === SMALL_U ? 4 : 2, at)
    if (next >= ZERO && next <= ZERO + 7) return this.#readOctal(bytes, at)
    if (next === 10 || next === 13) return this.#readLineEnd(bytes, at)
    const letter = LETTERS.get(String.fromCharCode(next))
    this.#is(letter ?? next, 2)
    this.#isReported = letter !== undefined || BEGINS_ESCAPE.has(next)
    return 'read'
  }

  #readLineEnd(bytes: Uint8Array, at: number): Escape {
    return this.#is(-1, bytes[at + 1] === 13 && bytes[at + 2] === 10 ? 3 : 2)
  }

  /** \41 of CSS: up to six digits, and one white space. */
  #readStyle(bytes: Uint8Array, at: number): Escape {
    let [value, i] = [0, at + 1]
    for (; i < at + 7; i++) {
      if (i >= bytes.length) return 'more'
      const digit = HEX[bytes[i] as number] as number
      if (digit < 0) break
      value = value * 16 + digit
    }
    const next = bytes[i]
    if (next === undefined) return 'more'
    if (i === at + 1) return this.#readStyleCharacter(bytes, at, next)
    const isSpace = next === SPACE || (next >= 9 && next <= 13)
    const isBreak = next === 13 && bytes[i + 1] === 10
    // Only printable ASCII: codings consist of it.
    if (value < SPACE || value > 0x7e) return 'none'
    return this.#is(value, i + (isSpace ? 1 : 0) + (isBreak ? 1 : 0) - at)
  }

  #readStyleCharacter(bytes: Uint8Array, at: number, next: number): Escape {
    if (next === 10 || next === 13) return this.#readLineEnd(bytes, at)
    this.#is(next, 2)
    this.#isReported = false
    return 'read'
  }

  #readBraces(bytes: Uint8Array, at: number): Escape {
    let value = 0
    for (let i = at + 3; i < at + MAX_ESCAPE; i++) {
      if (i >= bytes.length) return 'more'
      const isByte = bytes[at + 1] === SMALL_X && value < 256
      if (bytes[i] === CLOSE)
        return i > at + 3 ? this.#is(value & 0xffff, i + 1 - at, isByte) : 'none'
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

  /** &#65; &#x41; &plus; — the semicolon may be missing after digits. */
  #readReference(bytes: Uint8Array, at: number): Escape {
    if (bytes[at + 1] !== HASH) return this.#readName(bytes, at)
    const isHex = ((bytes[at + 2] ?? 0) | 32) === SMALL_X
    const from = at + (isHex ? 3 : 2)
    let value = 0
    let i = from
    while (bytes[i] === ZERO) i++
    for (const end = i + MAX_ESCAPE; i < end; i++) {
      if (i >= bytes.length) return 'more'
      const digit = HEX[bytes[i] as number] as number
      if (digit < 0 || (!isHex && digit > 9)) break
      value = (value * (isHex ? 16 : 10) + digit) % 0x1000000
    }
    if (i === from) return from >= bytes.length ? 'more' : 'none'
    return this.#is(value, bytes[i] === SEMICOLON ? i + 1 - at : i - at)
  }

  #readName(bytes: Uint8Array, at: number): Escape {
    for (let i = at + 1; i <= at + 1 + LONGEST_NAME; i++) {
      if (i >= bytes.length) return 'more'
      const byte = bytes[i] as number
      if (byte === SEMICOLON) {
        const value = NAMES.get(String.fromCharCode(...bytes.subarray(at + 1, i)))
        return value === undefined ? 'none' : this.#is(value, i + 1 - at)
      }
      const isDigit = byte >= ZERO && byte <= ZERO + 9
      if (!isDigit && ((byte | 32) < 0x61 || (byte | 32) > 0x7a)) return 'none'
    }
    return 'none'
  }
}

/**
 * Outcome of reading an escape: complete, with its byte and length; `more` must follow; `none`: not
 * an escape.
 */
type Escape = 'more' | 'none' | 'read'

/**
 * Kinds of escapes: percent-encoding, with or without a plus sign for a space; those of strings and
 * of CSS; character references.
 */
export type EscapeKind = 'percent' | 'form' | 'string' | 'style' | 'reference'

function isMade(made: Uint8Array | undefined, from: number, to: number): boolean {
  const at = made?.indexOf(1, from) ?? -1
  return at !== -1 && at < to
}
