/**
 * Marks among codes where a value may end: a quote, a bracket, padding. Lenient readers read on
 * after it. Higher values are breaks, too.
 */
export const BREAK = 256
export const SEMICOLON_BREAK = 257
export const COMMA_BREAK = 258
/** Marks padding: a new text may begin after it, and shares no bits with the one before. */
export const PAD_BREAK = 260
/** Marks the end of a line: a value may begin after it, but does not end at it. */
export const LINE_BREAK = 259

/**
 * Added to 1, 2 or 3: marks that a value may end behind so many of the next bytes. Then these, taken
 * as one number, are one more than they are in a value that goes on.
 */
export const LAST_BYTES = 261

/**
 * Codes of base64's second alphabet (RFC 4648, 5): some readers skip them, others read them as +
 * and /.
 */
export const URL_CODES = 64

/**
 * Picks the codes of one coding from a text and drops everything between them, as lenient readers
 * do.
 */
export interface Coding {
  /** Bits of a code. */
  readonly bits: number
  /** Whether its bytes are those of a text that is searched anyway. */
  readonly isText?: boolean
  /** Whether its readers stop at a break. */
  readonly isStrict?: boolean
  /**
   * The first of its readings that any text may fit: there, only long signs of pictures count, and
   * texts are not looked for.
   */
  readonly faintFrom?: number
  /** Number of codes in the last bytes that it has searched itself. */
  readonly searched?: number
  /** Codes and breaks in the next bytes, in each reading. */
  pick(bytes: Uint8Array): readonly Uint16Array[]
  /** No file is being read in a reading, so it may pause until there seems to be one again. */
  rest?(reading: number): void
  /** The remaining codes at the end. */
  end(): readonly Uint16Array[]
}

export const NO_CODES = new Uint16Array(0)

let room = NO_CODES

/** Scratch room for codes, valid until the next call. */
export function scratchCodes(count: number): Uint16Array<ArrayBuffer> {
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

  /** Returns what was picked since the last call. Valid until the next code. */
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
