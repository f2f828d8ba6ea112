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
  /** Whether its readers read nothing on behind a break. */
  readonly isStrict?: boolean
  /** The first of its readings that any text may have: pictures are looked for in it by long signs, and no texts. */
  readonly faintFrom?: number
  /** Codes of the last bytes that it searched itself. */
  readonly searched?: number
  /** Codes in the next bytes, and breaks, as each reading has them. */
  pick(bytes: Uint8Array): readonly Uint16Array[]
  /** Told that no file is being read in a reading, which need not be given until there seems to be one again. */
  rest?(reading: number): void
  /** Codes that are left when there are no more. */
  end(): readonly Uint16Array[]
}

export const NO_CODES = new Uint16Array(0)

let room = NO_CODES

/** Room for codes that are used before anything else asks for it. */
export function roomFor(count: number): Uint16Array<ArrayBuffer> {
  if (room.length < count) room = new Uint16Array(2 * count)
  return room
}

/** Codes of one reading, as they are picked. */
export class Codes {
  #codes = NO_CODES
  count = 0

  push(code: number): void {
    if (this.count === this.#codes.length) this.#grow()
    this.#codes[this.count++] = code
  }

  #grow(): void {
    const grown = new Uint16Array(2 * this.count + 64)
    grown.set(this.#codes)
    this.#codes = grown
  }

  /** Returns what was picked since it was last asked. It is good until the next code comes. */
  take(): Uint16Array {
    if (this.count === 0) return NO_CODES
    const codes = this.#codes.subarray(0, this.count)
    this.count = 0
    return codes
  }
}

/** Bytes as they are. */
export class ByteCoding implements Coding {
  readonly bits = 8
  readonly isText = true

  pick(bytes: Uint8Array): Uint16Array[] {
    return [new Uint16Array(bytes)]
  }

  end(): Uint16Array[] {
    return []
  }
}

export function concatenateCodes(a: Uint16Array, b: Uint16Array): Uint16Array {
  if (a.length === 0) return b
  const joined = new Uint16Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
