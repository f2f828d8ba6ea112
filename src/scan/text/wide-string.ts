import { isAscii } from 'node:buffer'
import { BREAK, Codes, type Coding, NO_CODES } from './codings.ts'
import { Unread } from './unwriter.ts'

/** Consecutive ASCII characters that end such a string. */
const MAX_ASCII = 32

const NOTHING = [NO_CODES, NO_CODES]

/**
 * Strings in UTF-8 whose characters hold two bytes each, in either byte order (`utf16le` in Node,
 * `utf-16-le` and `utf-16-be` in Python). They begin with a character that only texts in a few
 * scripts have.
 */
export class WideStringCoding implements Coding {
  readonly bits = 8
  readonly faintFrom = 0
  readonly #codes = [new Codes(), new Codes()] as const
  readonly #unread = new Unread()
  /** ASCII characters that may still follow. */
  #left = 0

  pick(fresh: Uint8Array): Uint16Array[] {
    const { bytes } = this.#unread.join(fresh)
    if (this.#left === 0 && isAscii(bytes)) return NOTHING
    let at = 0
    while (at < bytes.length) {
      const byte = bytes[at] as number
      const length = byte < 0xc2 || byte >= 0xf5 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
      if (at + length > bytes.length) break
      if (length === 1) this.#takeByte(byte)
      else {
        let value = byte & (0xff >> (length + 1))
        for (let i = at + 1; i < at + length; i++)
          value = (value << 6) | ((bytes[i] as number) & 0x3f)
        this.#takeCharacter(value)
      }
      at += length
    }
    this.#unread.keep(bytes.subarray(at))
    return this.#codes.map((codes) => codes.take())
  }

  end(): Uint16Array[] {
    return []
  }

  #takeByte(byte: number): void {
    if (this.#left === 0) return
    this.#give(byte)
    if (byte >= 0x20 && --this.#left === 0) for (const codes of this.#codes) codes.push(BREAK)
  }

  #takeCharacter(value: number): void {
    if (this.#left === 0 && value < 0x800) return
    this.#left = MAX_ASCII
    if (value < 0x10000) return this.#give(value)
    this.#give(0xd800 | ((value - 0x10000) >> 10))
    this.#give(0xdc00 | (value & 0x3ff))
  }

  #give(unit: number): void {
    const [little, big] = this.#codes
    little.push(unit & 255)
    little.push(unit >> 8)
    big.push(unit >> 8)
    big.push(unit & 255)
  }
}
