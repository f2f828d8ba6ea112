import { bufferOf } from '../../util/buffer.ts'
import { type Unwriter, type Unwritten, unchanged, Unread, Written } from './unwriter.ts'

/**
 * What markup may put into the middle of a value, and how that ends; empty if it is a single mark.
 */
const CUTS = [
  ['<![CDATA[', ''],
  [']]>', ''],
  ['<!--', '-->'],
  ['<?', '?>'],
].map(([begin = '', end = '']) => ({ begin: Buffer.from(begin), end: Buffer.from(end) }))
const [LESS, BRACKET] = [0x3c, 0x5d]

/**
 * Removes the marks of CDATA sections, comments and instructions: XML parsers join the text around
 * them.
 */
export class MarkupCuts implements Unwriter {
  readonly #unread = new Unread()
  /** How the current cut ends. */
  #until: Buffer | undefined

  write(fresh: Uint8Array): Unwritten {
    const { bytes } = this.#unread.join(fresh)
    const text = bufferOf(bytes)
    if (!this.#until && nextMark(text, 0) === -1) return unchanged(bytes)
    const out = new Written(bytes.length)
    let at = 0
    while (at < text.length) {
      if (this.#until) {
        const end = text.indexOf(this.#until, at)
        if (end === -1) {
          this.#unread.keep(text.subarray(Math.max(at, text.length - this.#until.length + 1)))
          return out.end()
        }
        at = end + this.#until.length
        this.#until = undefined
      }
      const mark = nextMark(text, at)
      out.copy(text, at, mark === -1 ? text.length : mark)
      if (mark === -1) break
      const cut = CUTS.find(({ begin }) => isAt(begin, text, mark))
      if (!cut) {
        out.copy(text, mark, mark + 1)
        at = mark + 1
        continue
      }
      if (mark + cut.begin.length > text.length) {
        this.#unread.keep(text.subarray(mark))
        break
      }
      at = mark + cut.begin.length
      out.make(-1, true, true)
      if (cut.end.length > 0) this.#until = cut.end
    }
    return out.end()
  }
}

/** Whether a needle is at a position, as far as the text goes. */
function isAt(needle: Buffer, text: Buffer, at: number): boolean {
  const end = Math.min(needle.length, text.length - at)
  for (let i = 0; i < end; i++) if (text[at + i] !== needle[i]) return false
  return true
}

/** Index of the next mark. Marks are dense in some texts: a call of `indexOf` would cost more. */
function nextMark(text: Buffer, from: number): number {
  for (let at = from; at < text.length; at++) {
    const byte = text[at]
    if (byte === LESS || byte === BRACKET) return at
  }
  return -1
}
