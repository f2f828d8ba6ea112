import { isAscii } from 'node:buffer'
import { isTextByte } from './signs.ts'
import { type Unwriter, type Unwritten, unchanged, Unread, Written } from './unwriter.ts'

/** Windows-1252 from 0x80 on. It leaves five bytes undefined, which decoders make U+0081 and so on. */
const WINDOWS =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'
const WINDOWS_BYTES = new Map(
  Array.from(WINDOWS, (char, i) => [char.charCodeAt(0), 0x80 + i] as const).filter(
    ([character]) => character > 0xff,
  ),
)

/**
 * Turns UTF-8 characters back into bytes, as in strings that hold binary data. Invalid UTF-8 stays
 * as it is.
 */
export class BinaryString implements Unwriter {
  readonly #charset: BinaryCharset
  readonly #unread = new Unread()

  constructor(charset: BinaryCharset) {
    this.#charset = charset
  }

  write(fresh: Uint8Array): Unwritten {
    const { bytes } = this.#unread.join(fresh)
    if (isAscii(bytes)) return unchanged(bytes)
    const out = new Written(bytes.length)
    let [characters, others, from, end] = [0, 0, 0, bytes.length]
    for (let at = 0; at < end;) {
      const byte = bytes[at] as number
      const length = byte < 0xc2 || byte >= 0xf0 ? 1 : byte < 0xe0 ? 2 : 3
      if (at + length > bytes.length) {
        this.#unread.keep(bytes.subarray(at))
        end = at
        break
      }
      if (length === 1 || !isTrail(bytes[at + 1]) || !isTrail(bytes[at + length - 1])) {
        if (byte >= 0x80) others++
        at++
        continue
      }
      const [high, low] = [bytes[at + length - 2] as number, bytes[at + length - 1] as number]
      out.copy(bytes, from, at)
      const lead = length === 3 ? byte : 0
      this.#make(out, ((lead & 15) << 12) | ((high & 0x3f) << 6) | (low & 0x3f))
      at += length
      from = at
      characters++
    }
    // In other data, about a quarter looks like such characters.
    if (others * 2 > characters) return unchanged(bytes.subarray(0, end))
    out.copy(bytes, from, end)
    return out.end()
  }

  #make(out: Written, character: number): void {
    const charset = this.#charset
    const other = charset === 'windows-1252' ? WINDOWS_BYTES.get(character) : undefined
    const value = other ?? character & 255
    // Without one of its own characters, Windows-1252 reads the same as Latin-1.
    if (charset === 'windows-1252' && other === undefined) out.put(value, true)
    else out.make(value, true, charset !== 'letters' || isTextByte(value))
  }
}

/** What tells a caller that characters stand for bytes. */
export type BinaryCharset =
  /** Any character stands for its low eight bits (`latin1` in Node, `ISO-8859-1` in PHP, Python). */
  | 'latin1'
  /** The same, but only those count that stand for printable ASCII. */
  | 'letters'
  /** Those of Windows-1252 that have other bytes in it (`TextDecoder('latin1')`, MySQL, PHP). */
  | 'windows-1252'

function isTrail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
