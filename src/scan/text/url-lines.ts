import { HEX } from './unescape.ts'
import { type Unwriter, type Unwritten, unchanged, Written } from './unwriter.ts'

const [TAB, LINE_FEED, RETURN, PERCENT] = [0x09, 0x0a, 0x0d, 0x25]
/**
 * Bytes after an escape in which a line end counts as one of the same URL. Compressed pictures are
 * full of escapes; bitmaps may have few.
 */
const NEAR_BYTES = 1024

/**
 * Removes line ends and tabs from percent-encoding, as browsers do before they read a URL (URL
 * Living Standard, 4.4). Escapes of ASCII do not count: other texts have them, too.
 */
export class UrlLines implements Unwriter {
  /** Bytes since the last escape of a byte that is no ASCII letter, digit or mark. */
  #since = NEAR_BYTES
  #isBehindPercent = false

  write(bytes: Uint8Array): Unwritten {
    if (!bytes.includes(PERCENT) && this.#since >= NEAR_BYTES && !this.#isBehindPercent)
      return unchanged(bytes)
    const out = new Written(bytes.length)
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number
      const isLineEnd = byte === LINE_FEED || byte === RETURN || byte === TAB
      if (isLineEnd && (this.#isBehindPercent || this.#since < NEAR_BYTES)) {
        out.copy(bytes, from, at)
        out.make(-1, true, true)
        from = at + 1
      } else this.#pass(byte)
    }
    out.copy(bytes, from)
    return out.end()
  }

  #pass(byte: number): void {
    const digit = this.#isBehindPercent ? (HEX[byte] as number) : -1
    if (digit >= 8 || digit === 0 || digit === 1) this.#since = 0
    else this.#since++
    this.#isBehindPercent = byte === PERCENT
  }
}
