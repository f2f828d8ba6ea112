import { isAscii } from 'node:buffer'
import { type Unwriter, type Unwritten, unchanged, Unread, Written } from './unwriter.ts'

/**
 * Turns UTF-8 characters back into bytes, as in strings that hold binary data (`latin1` in Node,
 * `ISO-8859-1` in PHP and Python): each into its low eight bits. Invalid UTF-8 stays as it is.
 */
export class BinaryString implements Unwriter {
  readonly #isTold: (byte: number) => boolean
  readonly #unread = new Unread()

  /** @param isTold the bytes whose decoding matters to the caller */
  constructor(isTold: (byte: number) => boolean = () => true) {
    this.#isTold = isTold
  }

  write(fresh: Uint8Array): Unwritten {
    const { bytes } = this.#unread.join(fresh)
    if (isAscii(bytes)) return unchanged(bytes)
    const out = new Written(bytes.length)
    let [characters, others, from] = [0, 0, 0]
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] as number
      const length = byte < 0xc2 || byte >= 0xf0 ? 1 : byte < 0xe0 ? 2 : 3
      if (at + length > bytes.length) {
        this.#unread.keep(bytes.subarray(at))
        out.copy(bytes, from, at)
        from = bytes.length
        break
      }
      if (length === 1 || !isTrail(bytes[at + 1]) || !isTrail(bytes[at + length - 1])) {
        if (byte >= 0x80) others++
        at++
        continue
      }
      const [high, low] = [bytes[at + length - 2] as number, bytes[at + length - 1] as number]
      out.copy(bytes, from, at)
      const value = ((high << 6) | (low & 0x3f)) & 255
      out.make(value, true, this.#isTold(value))
      at += length
      from = at
      characters++
    }
    // In other data, about a quarter looks like such characters.
    if (others * 2 > characters) return unchanged(bytes)
    out.copy(bytes, from)
    return out.end()
  }
}

function isTrail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
