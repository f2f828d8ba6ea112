import { HEX } from './unescape.ts'
import { type Unwriter, type Unwritten, unchanged, Unread, Written } from './unwriter.ts'

const [EQUALS, SPACE] = [0x3d, 0x20]
/**
 * Longest line end that quoted-printable inserts, with the white space that mail servers put before
 * it.
 */
const MAX_SOFT_END = 32

/** Undoes quoted-printable (RFC 2045, 6.7) and the line ends that it inserts. */
export class QuotedPrintable implements Unwriter {
  readonly #unread = new Unread()

  write(fresh: Uint8Array): Unwritten {
    const { bytes } = this.#unread.join(fresh)
    let at = bytes.indexOf(EQUALS)
    if (at === -1) return unchanged(bytes)
    const out = new Written(bytes.length)
    let from = 0
    while (at !== -1) {
      if (at + 2 >= bytes.length) {
        this.#unread.keep(bytes.subarray(at))
        out.copy(bytes, from, at)
        return out.end()
      }
      const length = softEnd(bytes, at)
      const high = HEX[bytes[at + 1] as number] as number
      const low = HEX[bytes[at + 2] as number] as number
      const isByte = high >= 0 && low >= 0
      if (length > 0 || isByte) {
        out.copy(bytes, from, at)
        out.make(length > 0 ? -1 : high * 16 + low, true, true)
        from = at + (length || 3)
      }
      at = bytes.indexOf(EQUALS, Math.max(from, at + 1))
    }
    out.copy(bytes, from)
    return out.end()
  }

  /** The remaining bytes at the end of the text. */
  end(): Uint8Array {
    return this.#unread.bytes
  }
}

/** Bytes of an inserted line end; 0 if there is none. */
function softEnd(bytes: Uint8Array, at: number): number {
  let i = at + 1
  while (i < at + MAX_SOFT_END && (bytes[i] === SPACE || bytes[i] === 9)) i++
  if (bytes[i] === 10) return i + 1 - at
  return bytes[i] === 13 && bytes[i + 1] === 10 ? i + 2 - at : 0
}
