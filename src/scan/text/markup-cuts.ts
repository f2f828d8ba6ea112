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
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
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
      out.copy(text.subarray(at, mark === -1 ? text.length : mark))
      if (mark === -1) break
      const rest = text.subarray(mark)
      const cut = CUTS.find(({ begin }) => begin.equals(rest.subarray(0, begin.length)))
      if (!cut && CUTS.some(({ begin }) => begin.subarray(0, rest.length).equals(rest))) {
        this.#unread.keep(rest)
        break
      }
      at = mark + (cut?.begin.length ?? 1)
      if (!cut) out.copy(rest.subarray(0, 1))
      else {
        out.make(-1, true, true)
        if (cut.end.length > 0) this.#until = cut.end
      }
    }
    return out.end()
  }
}

function nextMark(text: Buffer, from: number): number {
  const less = text.indexOf(LESS, from)
  const bracket = text.subarray(0, less === -1 ? text.length : less).indexOf(BRACKET, from)
  return bracket === -1 ? less : bracket
}
