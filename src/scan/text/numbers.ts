import { BREAK, Codes, type Coding } from './codings.ts'
import { HEX } from './unescape.ts'

const [ZERO, PLUS, MINUS, EQUALS] = [0x30, 0x2b, 0x2d, 0x3d]
const [CLOSE, SMALL_B, SMALL_E, SMALL_O, SMALL_X] = [0x5d, 0x62, 0x65, 0x6f, 0x78]

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

/**
 * State of a number: the part being read; read completely, but perhaps a name; followed by a
 * closing bracket; over.
 */
const [NONE, DIGITS, FRACTION, EXPONENT, READ, CLOSED, OVER] = [0, 1, 2, 3, 4, 5, 6]
/** Up to this value, digits are kept exactly; further ones are dropped. */
const EXACT = 1e14

/** After this many byte-sized numbers in a row, they are no longer parts of larger ones. */
const MAX_SMALL = 64

/**
 * Small numbers before the first large one that belong to the file. AVIF begins with zeros, JPEG
 * with FFD8 FFE0 0010, which are small as signed numbers.
 */
const MAX_LEADING = 4

/**
 * Bytes written as numbers, Java's below 0 included; but not names of members, such as `0` and `1`
 * in {"0":255,"1":216} or a[0]=255. The other readings take each number for several bytes, or every
 * second one for an index.
 */
export class NumberCoding implements Coding {
  readonly bits = 8
  readonly faintFrom = 1
  readonly #number = new WrittenNumber()
  readonly #bytes = new Codes()
  readonly #words = [
    new Words(16, false),
    new Words(16, true),
    new Words(32, false),
    new Words(32, true),
  ]
  readonly #indexed = new IndexedValues()
  #state = NONE
  #last = 0
  #isBroken = false

  pick(bytes: Uint8Array): Uint16Array[] {
    const number = this.#number
    let [state, last] = [this.#state, this.#last]
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      const kind = KINDS[byte] as number
      if (state === NONE && kind !== DIGIT) {
        if (kind === BRACKET) this.#break()
        last = byte
        continue
      }
      if (state === CLOSED) {
        // A name has one number in its brackets.
        if (byte !== EQUALS || !this.#isBroken) {
          this.#take(number.value)
          this.#break()
        }
        state = NONE
      }
      if (state === DIGITS && kind !== DIGIT && number.isHex && (HEX[byte] as number) >= 0)
        number.add(HEX[byte] as number, state)
      else if (kind === DIGIT) {
        if (state === READ) this.#take(number.value)
        if (state === READ || state === NONE) {
          number.begin(last === MINUS)
          state = DIGITS
        }
        number.add(byte - ZERO, state)
      } else if (state !== NONE) state = this.#pass(byte, kind, state, last)
      if (state === OVER) {
        if (kind !== COLON) this.#take(number.value)
        state = NONE
      }
      if (kind === BRACKET && state !== CLOSED) this.#break()
      last = byte
    }
    this.#state = state
    this.#last = last
    return this.#taken()
  }

  end(): Uint16Array[] {
    if (this.#state !== NONE) this.#take(this.#number.value)
    return this.#taken()
  }

  #take(value: number): void {
    this.#isBroken = false
    this.#bytes.push(value & 255)
    for (const words of this.#words) words.take(value)
    this.#indexed.take(value)
  }

  #break(): void {
    // Several breaks in a row say no more than one.
    if (this.#isBroken) return
    this.#isBroken = true
    this.#bytes.push(BREAK)
    for (const words of this.#words) words.break()
  }

  #taken(): Uint16Array[] {
    return [this.#bytes, ...this.#words.map(({ codes }) => codes), this.#indexed.codes].map(
      (codes) => codes.take(),
    )
  }

  /** The state of a number after a byte that is not a digit. */
  #pass(byte: number, kind: number, state: number, last: number): number {
    if (kind === POINT && state === DIGITS) return FRACTION
    if ((byte | 32) === SMALL_E && (state === DIGITS || state === FRACTION)) return EXPONENT
    if (state === EXPONENT && (last | 32) === SMALL_E && (byte === MINUS || byte === PLUS)) {
      if (byte === MINUS) this.#number.setSmall()
      return EXPONENT
    }
    if (state === DIGITS && last === ZERO && this.#number.takeBase(byte | 32)) return DIGITS
    if (kind === SPACE) return READ
    return byte === CLOSE ? CLOSED : OVER
  }
}

/** A number in the syntax of JSON, JavaScript or Python, as it is read. */
class WrittenNumber {
  #digits = 0
  #scale = 0
  #exponent = 0
  #base = 10
  #isNegative = false
  #isSmall = false

  begin(isNegative: boolean): void {
    this.#digits = this.#scale = this.#exponent = 0
    this.#base = 10
    this.#isNegative = isNegative
    this.#isSmall = false
  }

  add(digit: number, state: number): void {
    if (state === EXPONENT) this.#exponent = Math.min(99, this.#exponent * 10 + digit)
    else if (this.#digits < EXACT) {
      this.#digits = this.#digits * this.#base + digit
      if (state === FRACTION) this.#scale++
    }
  }

  /** Whether a letter after a leading zero selects the base: 0o377, 0b11111111, 0xff. */
  takeBase(letter: number): boolean {
    if (this.#digits !== 0 || this.#base !== 10) return false
    if (letter === SMALL_O) this.#base = 8
    else if (letter === SMALL_B) this.#base = 2
    else if (letter === SMALL_X) this.#base = 16
    return this.#base !== 10
  }

  get isHex(): boolean {
    return this.#base === 16
  }

  /** Notes the minus sign of the exponent. */
  setSmall(): void {
    this.#isSmall = true
  }

  /**
   * The value as typed arrays, `Buffer.from` and `chr` take it: beyond a byte, or 32 bits, it
   * wraps.
   */
  get value(): number {
    const power = (this.#isSmall ? -this.#exponent : this.#exponent) - this.#scale
    const value = power === 0 ? this.#digits : Math.trunc(this.#digits * 10 ** power + 1e-9)
    return (this.#isNegative ? -value : value) | 0
  }
}

/**
 * Numbers of two or four bytes, from a little before the first that needs more than half of them.
 */
class Words {
  readonly codes = new Codes()
  readonly #bits: 16 | 32
  readonly #isBigEndian: boolean
  /** Small numbers that may still follow. */
  #left = 0
  /** Small numbers since the last break. */
  #leading: number[] = []

  constructor(bits: 16 | 32, isBigEndian: boolean) {
    this.#bits = bits
    this.#isBigEndian = isBigEndian
  }

  take(value: number): void {
    const bits = this.#bits
    const isLarge = value >> (bits / 2) !== 0 && value >> (bits / 2) !== -1
    if (isLarge) {
      for (const small of this.#leading.splice(0)) this.#push(small)
      this.#left = MAX_SMALL
    } else if (this.#left > 0) this.#left--
    else {
      this.#leading.push(value)
      if (this.#leading.length > MAX_LEADING) this.#leading.shift()
      return
    }
    this.#push(value)
  }

  #push(value: number): void {
    const bits = this.#bits
    for (let i = 0; i < bits; i += 8)
      this.codes.push((value >> (this.#isBigEndian ? bits - 8 - i : i)) & 255)
  }

  break(): void {
    // If nothing came since the last break, that one still holds.
    if (this.#left > 0) this.codes.push(BREAK)
    this.#left = this.#leading.length = 0
  }
}

/** Values that each follow their index: [0,255],[1,216], or i:0;i:255;i:1;i:216; of PHP. */
class IndexedValues {
  readonly codes = new Codes()
  /** The next index, and the value of the one before if no other index confirms it yet. */
  #next = 0
  #first = -1
  #isValueNext = false
  #last = 0

  take(value: number): void {
    if (this.#isValueNext) {
      if (this.#first >= 0) {
        this.codes.push(BREAK)
        this.codes.push(this.#first)
        this.#first = -1
      }
      this.codes.push(value & 255)
      this.#next++
      this.#isValueNext = false
    } else if (value === this.#next) this.#isValueNext = true
    else {
      // The number before may be an index, and this its value.
      this.#first = value & 255
      this.#next = this.#last + 1
    }
    this.#last = value
  }
}
