import { bufferOf } from '../../util/buffer.ts'
import { concatenate } from '../../util/bytes.ts'
import { type Unwriter, type Unwritten, unchanged, Unread, Written } from './unwriter.ts'

const DECLARATION = '<!ENTITY'
/**
 * A declaration up to its value, and the start of one that is cut off. It may declare a parameter
 * entity. Its white space and quotes may be escaped as in JSON: the search beneath escapes reads
 * only what is near them, and a value may be long.
 */
const HEAD =
  /^<!ENTITY(?:\s|\\[nrt])+(?:%(?:\s|\\[nrt])+)?([^\s"'<>&;%#\\]+)(?:\s|\\[nrt])+\\?(["'])/
const HEAD_BEGUN = /^<!ENTITY([\s\\][^"'<>&;#]*)?$/
const MAX_HEAD = 256
const [AMPERSAND, SEMICOLON, LESS, EXCLAMATION] = [0x26, 0x3b, 0x3c, 0x21]
/** Bytes that end a name. */
const NO_NAMES: ReadonlySet<number> = new Set(Buffer.from(' \t\r\n"\'<>&;%#'))
const MAX_NAME = 128

/** Bytes of values that are kept, and work of references in one text, in bytes. */
const MAX_KEPT_BYTES = 1024 * 1024
const MAX_EXPANDED_BYTES = 2 * 1024 * 1024
const REFERENCE_BYTES = 64
/** Entities within entities that are expanded. */
const MAX_DEPTH = 8
/** Bytes of a value between two spans: they must be closer than those that are joined. */
const PIECE_BYTES = 512
/** Bytes returned at once: a reference may stand for many, and other requests wait meanwhile. */
const PORTION_BYTES = 8 * 1024

/**
 * Puts the values of entities that a text declares itself where it refers to them (XML 1.0, 4.4):
 * XML parsers and browsers join them with the text around them.
 */
export class Entities implements Unwriter {
  readonly #unread = new Unread()
  readonly #onOverLimit: () => void
  readonly #values = new Map<string, Buffer>()
  /** What the last bytes became, and how much of it was returned. */
  #pieces: ValuePiece[] = []
  #returned = 0
  #keptBytes = 0
  #expandedBytes = 0
  /** The declaration whose value is being read. */
  #declared: { name: string; quote: number; parts: Uint8Array[] } | undefined

  constructor(onOverLimit: () => void) {
    this.#onOverLimit = onOverLimit
  }

  write(fresh: Uint8Array): Unwritten {
    const text = bufferOf(this.#unread.join(fresh).bytes)
    let [from, at] = [0, 0]
    while (at < text.length) {
      if (this.#declared) {
        at = this.#readValue(text, at)
        continue
      }
      at = this.#next(text, at)
      const isReference = text[at] === AMPERSAND
      const end = isReference ? referenceEnd(text, at) : this.#begin(text, at)
      if (end > text.length) break
      if (isReference && end > at && this.#expand(text, { from, at, end }, false, 0)) from = end
      at = Math.max(end, at + 1)
    }
    const rest = text.subarray(from, Math.min(at, text.length))
    if (at < text.length) this.#unread.keep(text.subarray(at))
    if (this.#pieces.length === 0) return unchanged(rest)
    this.#pieces.push({ bytes: rest, isMade: false })
    return this.#portion()
  }

  more(): Unwritten | undefined {
    return this.#pieces.length > 0 ? this.#portion() : undefined
  }

  #portion(): Unwritten {
    const portion: ValuePiece[] = []
    for (let room = PORTION_BYTES; room > 0 && this.#returned < this.#pieces.length;) {
      const { bytes, isMade } = this.#pieces[this.#returned] as ValuePiece
      portion.push({ bytes: bytes.subarray(0, room), isMade })
      if (bytes.length > room)
        this.#pieces[this.#returned] = { bytes: bytes.subarray(room), isMade }
      else this.#returned++
      room -= bytes.length + REFERENCE_BYTES
    }
    if (this.#returned === this.#pieces.length) [this.#pieces, this.#returned] = [[], 0]
    return written(portion)
  }

  /**
   * Index where the next declaration may begin, or the next reference once something is declared.
   * Without either, it is the length of the text.
   */
  #next(text: Uint8Array, from: number): number {
    const reference = this.#values.size > 0 ? AMPERSAND : LESS
    for (let at = from; at < text.length; at++) {
      const byte = text[at]
      const isLess = byte === LESS && (text[at + 1] ?? EXCLAMATION) === EXCLAMATION
      if (isLess || (byte === reference && reference === AMPERSAND)) return at
    }
    return text.length
  }

  /**
   * Starts to read a declaration. Returns the index of its value. `Infinity`: the text ends too
   * early to tell. `at`: this is no declaration.
   */
  #begin(text: Buffer, at: number): number {
    const start = text.toString('latin1', at, at + MAX_HEAD)
    const [head, name = '', quote = ''] = HEAD.exec(start) ?? []
    if (head !== undefined) {
      this.#declared = { name, quote: quote.charCodeAt(0), parts: [] }
      return at + head.length
    }
    const mayFollow = DECLARATION.startsWith(start) || HEAD_BEGUN.test(start)
    return mayFollow && start.length < MAX_HEAD ? Infinity : at
  }

  /** Reads a value up to its end. Returns where that is. */
  #readValue(text: Buffer, from: number): number {
    const declared = this.#declared
    if (!declared) return from
    const end = text.indexOf(declared.quote, from)
    const part = text.subarray(from, end === -1 ? text.length : end)
    this.#keptBytes += part.length
    if (this.#keptBytes <= MAX_KEPT_BYTES) declared.parts.push(part.slice())
    else this.#onOverLimit()
    if (end === -1) return text.length
    this.#declared = undefined
    // The first declaration counts (4.2).
    if (!this.#values.has(declared.name))
      this.#values.set(declared.name, bufferOf(concatenate(declared.parts)))
    return end
  }

  /**
   * Adds what comes before a reference, and what that stands for. Returns whether anything of its
   * name is declared.
   */
  #expand(text: Buffer, { from, at, end }: Reference, isMade: boolean, depth: number): boolean {
    const value = this.#values.get(text.toString('latin1', at + 1, end - 1))
    if (!value) return false
    this.#expandedBytes += value.length + REFERENCE_BYTES
    if (depth > MAX_DEPTH || this.#expandedBytes > MAX_EXPANDED_BYTES) {
      this.#onOverLimit()
      return false
    }
    this.#pieces.push({ bytes: text.subarray(from, at), isMade })
    let done = 0
    for (let next = 0; next < value.length; next++) {
      if (value[next] !== AMPERSAND) continue
      const last = referenceEnd(value, next)
      if (last === next || last > value.length) continue
      if (this.#expand(value, { from: done, at: next, end: last }, true, depth + 1)) done = last
    }
    this.#pieces.push({ bytes: value.subarray(done), isMade: true })
    return true
  }
}

/** A reference to an entity, and the first byte before it that was not read. */
interface Reference {
  from: number
  at: number
  end: number
}

/** Some bytes of the text, or of a value. */
interface ValuePiece {
  bytes: Uint8Array
  isMade: boolean
}

function written(pieces: readonly ValuePiece[]): Unwritten {
  const out = new Written(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0))
  for (const { bytes, isMade } of pieces) {
    if (!isMade) out.copy(bytes)
    else
      for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES) {
        out.make(-1, true, true)
        out.copy(bytes, at, Math.min(bytes.length, at + PIECE_BYTES))
      }
  }
  return out.end()
}

/**
 * Index behind a reference. `Infinity`: the text ends too early to tell. `at`: this is no reference.
 */
function referenceEnd(text: Uint8Array, at: number): number {
  let end = at + 1
  while (end < text.length && end - at <= MAX_NAME && !NO_NAMES.has(text[end] as number)) end++
  if (end - at > MAX_NAME || end === at + 1) return end === text.length ? Infinity : at
  if (end === text.length) return Infinity
  return text[end] === SEMICOLON ? end + 1 : at
}
