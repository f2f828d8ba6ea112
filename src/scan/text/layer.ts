import { Base64Coding, HexCoding, runCodings } from './alphabets.ts'
import { base85Codings } from './base85.ts'
import { ByteCoding, type Coding } from './codings.ts'
import type { CodedFinds } from './coded-search.ts'
import { CodingSearch } from './coding-search.ts'
import { Entities } from './entities.ts'
import { BinaryString } from './binary-string.ts'
import { MarkupCuts } from './markup-cuts.ts'
import { NumberCoding } from './numbers.ts'
import { QuotedPrintable } from './quoted-printable.ts'
import { ESCAPE_SIGNS, type EscapeKind, Unescaper } from './unescape.ts'
import { UuCoding } from './uuencode.ts'
import { WideStringCoding } from './wide-string.ts'
import { type Unwriter, type Unwritten, unchanged } from './unwriter.ts'
import { UrlLines } from './url-lines.ts'

/** Bytes before an escape that are searched with it, if no file is being read. */
const REPLAY_BYTES = 1024
/** Bytes after an escape that are searched beneath it: enough to see whether a file has begun. */
const BEHIND_BYTES = 256
/**
 * Bytes of a text kept while a file in it is read, in case an escape follows. Honest escapes come
 * early.
 */
const MAX_REPLAY_BYTES = 256 * 1024

/** A layer searched for plain files alone costs one part in this many of the usual work. */
const BYTES_SHARE = 8

/**
 * How a layer was written: entities of XML, URLs with line ends, bytes as characters, a text as it
 * came, markup, then kinds of escapes in the order of undoing them.
 */
const [ENTITIES, LINES, BYTES, ROOT, MARKUP] = [-5, -4, -3, -2, -1]
const KINDS: readonly EscapeKind[] = ['percent', 'string', 'style', 'reference', 'form']

const EQUALS = 0x3d

const STRING = KINDS.indexOf('string')
const [PRINTABLE, LETTERS] = [KINDS.length, KINDS.length + 1]
/** Escapes of forms and JSON, which may contain JSON. */
const AROUND_JSON: ReadonlySet<number> = new Set([
  KINDS.indexOf('percent'),
  KINDS.indexOf('form'),
  STRING,
])
/**
 * Escapes beneath which codings are searched for whose alphabets overlap with the characters of
 * escapes.
 */
const NEAR: ReadonlySet<number> = new Set([
  ...AROUND_JSON,
  KINDS.indexOf('reference'),
  PRINTABLE,
  LETTERS,
])

/**
 * A text, or what it becomes with its escapes undone. It is searched in each coding, and beneath
 * its own escapes.
 */
export class Layer {
  readonly #parts: LayerParts
  readonly #own: number
  readonly #isRoot: boolean
  readonly #searches: readonly CodingSearch[]
  readonly #beneath: Beneath[] = []
  /**
   * @param depth layers of escapes that may still be undone
   * @param own the way of writing that was undone; `ROOT`: none, and others search its bytes as
   *   they are
   * @param isNear whether to search for codings whose alphabets contain most characters of escapes
   */
  constructor(parts: LayerParts, depth: number, own = ROOT, isNear = true) {
    this.#parts = parts
    this.#own = own
    this.#isRoot = own === ROOT
    this.#searches = this.#codings(isNear).map((coding) => new CodingSearch(coding, parts))
    if (own === LINES) this.#addEscape('percent', depth)
    else if (depth > 0) this.#addEscapes(depth, own)
    if (depth < 0 || own === LINES) return
    // Bytes written as characters are the last layer. Few of a text's characters stand for letters.
    this.#add(new BinaryString('latin1'), -1, BYTES)
    this.#add(new BinaryString('windows-1252'), -1, BYTES)
    this.#add(new BinaryString('letters'), -1, LETTERS)
  }

  #codings(isNear: boolean): Coding[] {
    const own = this.#own
    if (own === BYTES) return [new ByteCoding()]
    if (own === LINES) return [] // the other codings skip line ends
    const codings: Coding[] = [new Base64Coding(), new HexCoding(), new NumberCoding()]
    if (isNear) codings.push(...strictCodings())
    if (!this.#isRoot && own !== LETTERS) codings.push(new ByteCoding())
    // Beneath `form`, spaces are really spaces.
    const isPercent = this.#isRoot || own === KINDS.indexOf('percent')
    if (this.#parts.isUrlencoded && isPercent) codings.push(new Base64Coding(true))
    return codings
  }

  /** Most escapes can be undone in either order: see `Unescaper` for those that cannot. */
  #addEscapes(depth: number, own: number): void {
    if (own !== MARKUP) this.#add(new MarkupCuts(), depth - 1, MARKUP)
    if (own !== ENTITIES)
      this.#add(new Entities(() => this.#parts.onOverLimit()), depth - 1, ENTITIES)
    const kinds = KINDS.filter((kind) => kind !== 'form' || this.#parts.isUrlencoded)
    for (const kind of kinds) this.#addEscape(kind, depth - 1)
    this.#add(new QuotedPrintable(), depth - 1, PRINTABLE)
    this.#add(new UrlLines(), depth - 1, LINES)
  }

  #addEscape(kind: EscapeKind, depth: number): void {
    const [at, own] = [KINDS.indexOf(kind), this.#own]
    const around = own === PRINTABLE ? EQUALS : ESCAPE_SIGNS[KINDS[own] ?? kind]
    this.#add(new Unescaper(kind, at <= own ? around : undefined), depth, at)
  }

  #add(unwriter: Unwriter, depth: number, own: number): void {
    const isNear = (this.#isRoot && NEAR.has(own)) || (AROUND_JSON.has(this.#own) && own === STRING)
    this.#beneath.push(new Beneath(unwriter, () => new Layer(this.#parts, depth, own, isNear)))
  }

  /** Whether an incomplete file is being read. */
  get isReading(): boolean {
    return (
      this.#searches.some((search) => search.isReading) ||
      this.#beneath.some((one) => one.isReading)
    )
  }

  /**
   * Takes the next bytes, which come from a position in the upload's text. They must not change
   * afterwards.
   */
  write(bytes: Uint8Array, rootAt: number, made?: Uint8Array): void {
    const counted = this.#own === BYTES ? bytes.length / BYTES_SHARE : bytes.length
    if (bytes.length === 0 || !this.#parts.takeBytes(counted)) return
    // Binary data has escapes by chance. The text itself is always checked for them.
    const isBinary = !this.#isRoot && this.#beneath.length > 0 && !isMostlyText(bytes)
    const unwritten = this.#beneath.map((one) =>
      isBinary && one.isEscape && !one.isAwake ? unchanged(bytes) : one.unwrite(bytes, made),
    )
    const isDoubtful =
      !this.#isRoot ||
      unwritten.some(({ spans }, i) => spans.length > 0 || this.#beneath[i]?.isAwake)
    const wasReading = this.isReading
    for (const search of this.#searches) search.write(bytes, rootAt, isDoubtful)
    // What one of them reads, another may read differently.
    const isReading = wasReading || this.isReading
    // Those that may begin a file come first: then others matter more.
    const found = this.#beneath.map((one, i) => ({ one, plain: unwritten[i] as Unwritten }))
    const before = this.#parts.opened()
    const isFirst = ({ one, plain }: (typeof found)[0]) => plain.spans.length > 0 || one.isAwake
    for (const { one, plain } of [...found.filter(isFirst), ...found.filter((x) => !isFirst(x))]) {
      const isOpen = this.#beneath.some((other) => other !== one && other.isReading)
      const isWithin = isOpen || this.#parts.opened() > before
      const spans = isWithin ? plain.allSpans : plain.spans
      if (!one.take({ ...plain, spans }, isReading || isWithin, rootAt)) this.#parts.onOverLimit()
    }
  }

  /**
   * Searches more of what the last bytes stand for, if that was too much at once. Returns whether
   * there was any.
   */
  writeMore(rootAt: number): boolean {
    return this.#beneath.some((one) => {
      if (one.writeMore(rootAt)) return true
      const more = one.more()
      if (more && !one.take(more, this.isReading, rootAt)) this.#parts.onOverLimit()
      return more !== undefined
    })
  }

  close(): void {
    for (const one of this.#beneath) one.close()
    for (const search of this.#searches) search.close()
  }
}

/** Codings with alphabets so large that any text may fit them beneath arbitrary escapes. */
function strictCodings(): Coding[] {
  return [...runCodings(), ...base85Codings(), new UuCoding(), new WideStringCoding()]
}

/** What the layers of one text share. */
export interface LayerParts extends CodedFinds {
  /** Whether a plus sign may be a space, as in application/x-www-form-urlencoded. */
  isUrlencoded: boolean
  /** Number of files that were found. */
  opened: () => number
  /** Asks whether `count` more bytes may be searched. */
  takeBytes: (count: number) => boolean
}

/** Some of what lies beneath an escape, and where it comes from. */
interface Piece {
  bytes: Uint8Array
  made: Uint8Array | undefined
  rootAt: number
}

/**
 * What lies beneath one kind of escape in a text. It is searched only from a little before an
 * escape to a little after it, wherever the text was cut into pieces.
 */
class Beneath {
  readonly isEscape: boolean
  readonly #unwriter: Unwriter
  readonly #open: () => Layer
  #layer: Layer | undefined
  /** Bytes of the layer's share behind the last escape that are still to come. */
  #behindBytes = 0
  /** Bytes kept from the layer: it gets them if an escape follows. */
  #kept: Piece[] = []
  #keptBytes = 0
  #isKeptShort = false

  constructor(unwriter: Unwriter, open: () => Layer) {
    this.isEscape = !(unwriter instanceof BinaryString)
    this.#unwriter = unwriter
    this.#open = open
  }

  /** Whether it currently differs from the text. */
  get isAwake(): boolean {
    return this.#layer !== undefined && this.#keptBytes === 0
  }

  get isReading(): boolean {
    return this.#layer?.isReading ?? false
  }

  unwrite(bytes: Uint8Array, made?: Uint8Array): Unwritten {
    return this.#unwriter.write(bytes, made)
  }

  more(): Unwritten | undefined {
    return this.#unwriter.more?.()
  }

  writeMore(rootAt: number): boolean {
    return this.#layer?.writeMore(rootAt) ?? false
  }

  /**
   * Takes what the next bytes stand for. `isReading`: whether a file is being read in the text,
   * which may continue differently here. Returns whether all of it could be read.
   */
  take({ bytes, spans, made }: Unwritten, isReading: boolean, rootAt: number): boolean {
    const all: Piece = { bytes, made, rootAt }
    let [at, isWhole] = [0, true]
    for (const { first, last } of spans) {
      if (first > at + this.#behindBytes && !this.isReading) {
        this.#pass(cut(all, at, first), isReading)
        at = first
      }
      isWhole = this.#wake() && isWhole
      const behind = last + 1 + BEHIND_BYTES
      const end = Math.min(bytes.length, behind)
      this.#give(cut(all, at, end))
      this.#behindBytes = behind - end
      at = end
    }
    if (at < bytes.length) this.#pass(cut(all, at), isReading)
    return isWhole
  }

  /** Takes bytes without an escape: the layer gets them as long as it reads a file. */
  #pass(piece: Piece, isReading: boolean): void {
    const { length } = piece.bytes
    const given = this.isReading ? length : Math.min(length, this.#behindBytes)
    if (given > 0) this.#give(cut(piece, 0, given))
    this.#behindBytes = Math.max(0, this.#behindBytes - given)
    if (given === length) return
    if (this.isReading) this.#give(cut(piece, given))
    else this.#keep(cut(piece, given), isReading)
  }

  #give({ bytes, made, rootAt }: Piece): void {
    this.#layer?.write(bytes, rootAt, made)
  }

  /** Begins to search, or continues with what was kept. Returns whether that is all. */
  #wake(): boolean {
    const isWhole = !this.#isKeptShort
    this.#layer ??= this.#open()
    for (const piece of this.#kept) this.#give(piece)
    this.#forget()
    return isWhole
  }

  close(): void {
    this.#layer?.close()
    this.#layer = undefined
  }

  #keep(piece: Piece, isReading: boolean): void {
    this.#kept.push(piece)
    this.#keptBytes += piece.bytes.length
    if (!isReading) this.#trim()
    else if (this.#keptBytes > MAX_REPLAY_BYTES) {
      this.close()
      this.#forget()
      this.#isKeptShort = true
    }
  }

  /** Drops what is too far back to matter to an escape. The layer cannot go on without it. */
  #trim(): void {
    this.#isKeptShort = false
    if (this.#keptBytes <= REPLAY_BYTES) return
    this.close()
    for (let [oldest] = this.#kept; oldest; [oldest] = this.#kept) {
      const excess = this.#keptBytes - REPLAY_BYTES
      const { length } = oldest.bytes
      if (excess < length) this.#kept[0] = cut(oldest, excess)
      else this.#kept.shift()
      this.#keptBytes -= Math.min(excess, length)
      if (excess < length) return
    }
  }

  #forget(): void {
    this.#kept = []
    this.#keptBytes = 0
    this.#isKeptShort = false
  }
}

function cut({ bytes, made, rootAt }: Piece, from: number, to?: number): Piece {
  return { bytes: bytes.subarray(from, to), made: made?.subarray(from, to), rootAt }
}

/** Whether hardly any bytes are control characters: one in ten bytes of other data is. */
function isMostlyText(bytes: Uint8Array): boolean {
  let controls = 0
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 27)) controls++
  return controls * 64 <= bytes.length
}
