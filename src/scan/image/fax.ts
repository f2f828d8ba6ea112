import { CODE_BITS, RUNS } from './fax-codes.ts'
import type { Unpacked } from './unpack.ts'

/**
 * Codes of vertical mode by the next 7 bits: 16 times the length, plus 8 plus the offset from -3 to
 * 3 (T.4, table 4).
 */
const VERTICAL = new Uint8Array(128)
for (const [code, offset] of [
  ['1', 0],
  ['011', 1],
  ['000011', 2],
  ['0000011', 3],
  ['010', -1],
  ['000010', -2],
  ['0000010', -3],
] as const) {
  const free = 7 - code.length
  const start = Number.parseInt(code, 2) << free
  VERTICAL.fill(code.length * 16 + offset + 8, start, start + (1 << free))
}

const PASS = { code: 1, bits: 4 }
const HORIZONTAL = { code: 1, bits: 3 }
/** Zeros that begin an end-of-line code. */
const EOL_ZEROS = 11
/** Zeros that no code of a row in two dimensions begins with. */
const END_ZEROS = 7
/** Bytes of rows handed on at once. */
const OUTPUT_BYTES = 8 * 1024

/**
 * Decodes fax data. Yields rows in packed bits, 1 for black, several at a time; the buffer is
 * reused. A broken row is white from where it breaks, as in libtiff. Decoding continues behind the
 * broken code in group 4, and at the next line in group 3. The data are then `damaged`.
 */
export function* decodeFax(form: FaxForm, data: Uint8Array): Unpacked {
  const reader = new RowReader(form, data)
  const rowBytes = Math.ceil(form.columns / 8)
  const out = new Uint8Array(rowBytes * Math.max(1, Math.floor(OUTPUT_BYTES / rowBytes)))
  let filled = 0
  let isDamaged = false
  for (let left = form.rows; left > 0 && reader.readRow(); left--) {
    isDamaged ||= reader.isBroken
    reader.paint(out.subarray(filled, filled + rowBytes))
    filled += rowBytes
    if (filled < out.length) continue
    yield out
    filled = 0
  }
  if (filled > 0) yield out.subarray(0, filled)
  return isDamaged ? 'damaged' : 'ended'
}

/** How a bilevel picture is coded for fax machines. */
export interface FaxForm {
  /** Pixels per row. */
  columns: number
  /** Maximum number of rows. */
  rows: number
  /** T.6 (group 4); T.4 in one or two dimensions (group 3). */
  coding: 'group-4' | 'one-dimensional' | 'two-dimensional'
  /** Whether each row begins on a byte boundary. */
  isAligned: boolean
}

/** Reads rows as the positions where their colour changes, starting with white. */
class RowReader {
  readonly #form: FaxForm
  readonly #data: Uint8Array
  /** Bits read so far. */
  #at = 0
  /** Pixels of this row read so far. */
  #column = 0
  /** Changes of this row and of the previous one; the row's width follows the last. */
  #changes: Int32Array
  #before: Int32Array
  #count = 0
  #isBroken = false
  /** Whether a row began with an end of line. */
  #hasLineEnds = false

  constructor(form: FaxForm, data: Uint8Array) {
    this.#form = form
    this.#data = data
    this.#changes = new Int32Array(form.columns + 8).fill(form.columns)
    this.#before = this.#changes.slice()
  }

  /** Whether the last row was broken, or followed something that should not be there. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Reads the next row. Returns whether there was one. */
  readRow(): boolean {
    const { coding, isAligned } = this.#form
    if (isAligned) this.#at = (this.#at + 7) & ~7
    let lineEnds = this.#skipLineEnds()
    // Group 4 has such codes only behind the last row; in group 3 each row has one, or none has.
    this.#isBroken = coding === 'group-4' ? lineEnds > 0 : this.#hasLineEnds && lineEnds === 0
    if (this.#isBroken && coding !== 'group-4') lineEnds = this.#skipToLineEnd()
    this.#hasLineEnds ||= lineEnds > 0
    if (lineEnds > 1 || this.#isAtEnd) return false
    if (coding === 'group-4' && this.#peek(END_ZEROS) === 0) return false
    ;[this.#before, this.#changes] = [this.#changes, this.#before]
    this.#count = 0
    this.#column = 0
    const isFlat =
      coding === 'one-dimensional' || (coding === 'two-dimensional' && this.#takeBit() === 1)
    const isWhole = isFlat ? this.#readFlat() : this.#readByRowBefore()
    this.#endRow()
    if (isWhole) return true
    this.#isBroken = true
    return coding === 'group-4' || this.#findLineEnd()
  }

  /** Sets the bits that are black. */
  paint(row: Uint8Array): void {
    row.fill(0)
    for (let i = 0; i < this.#count; i += 2) {
      const [start, end] = [this.#changes[i] ?? 0, this.#changes[i + 1] ?? 0]
      if (start < end) setBits(row, start, end)
    }
  }

  get #isAtEnd(): boolean {
    return this.#at >= this.#data.length * 8
  }

  #peek(bits: number): number {
    const at = this.#at >> 3
    const data = this.#data
    const word = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)
    return (word >> (24 - bits - (this.#at & 7))) & ((1 << bits) - 1)
  }

  #takeBit(): number {
    const bit = this.#peek(1)
    this.#at++
    return bit
  }

  /**
   * Consecutive ends of lines end the picture. In two dimensions a bit follows each; that of the
   * last one is left unread.
   */
  #skipLineEnds(): number {
    let count = 0
    while (this.#peek(EOL_ZEROS) === 0 && !this.#isAtEnd) {
      this.#skipZeros()
      count++
      if (this.#form.coding === 'two-dimensional' && this.#peekBehind(1, EOL_ZEROS) === 0)
        this.#at++
    }
    return count
  }

  #peekBehind(skipped: number, bits: number): number {
    this.#at += skipped
    const value = this.#peek(bits)
    this.#at -= skipped
    return value
  }

  /** Skips past the next 1 bit. */
  #skipZeros(): void {
    while (!this.#isAtEnd && this.#takeBit() === 0)
      if ((this.#at & 7) === 0) while (this.#data[this.#at >> 3] === 0) this.#at += 8
  }

  #findLineEnd(): boolean {
    while (!this.#isAtEnd && this.#peek(EOL_ZEROS) !== 0) this.#at++
    return !this.#isAtEnd
  }

  /**
   * Skips to the next end of a line and past it. If only the end of the picture is left, lines have
   * no ends from here on. Returns how many ends it passed.
   */
  #skipToLineEnd(): number {
    const start = this.#at
    if (this.#findLineEnd() && this.#skipLineEnds() === 1) return 1
    this.#at = start
    this.#hasLineEnds = false
    return 0
  }

  /** The colour changes after the pixels read so far. */
  #change(): void {
    this.#changes[this.#count++] = this.#column
  }

  /** Whether the row has more changes than pixels: then its runs are empty. */
  get #isCrowded(): boolean {
    return this.#count > this.#form.columns
  }

  /**
   * Completes a row that is short or too long, as libtiff does: runs that pass its end are dropped,
   * and the rest is white.
   */
  #endRow(): void {
    const { columns } = this.#form
    const changes = this.#changes
    this.#isBroken ||= this.#column > columns
    if (this.#column > (changes[this.#count - 1] ?? 0)) this.#change()
    while (this.#column > columns) this.#column = changes[--this.#count - 1] ?? 0
    if (this.#column < columns && this.#count % 2 === 1) this.#change()
    if (this.#column < columns) changes[this.#count++] = columns
    changes.fill(columns, this.#count, this.#count + 5)
  }

  /** As in libtiff, the run before an extension or an early end goes on to the end of the row. */
  #runOn(): void {
    const { columns } = this.#form
    const last = this.#changes[this.#count - 1] ?? 0
    this.#changes[this.#count++] = last + columns - this.#column
    this.#column = columns
  }

  #readFlat(): boolean {
    for (let colour = 0; this.#column < this.#form.columns; colour ^= 1) {
      if (this.#isCrowded || !this.#readRun(colour)) return false
    }
    return true
  }

  #readByRowBefore(): boolean {
    const { columns } = this.#form
    // Changes of the row before. There is one before the first, at its start.
    const before = (index: number) => (index < 0 ? 0 : (this.#before[index] ?? columns))
    let next = 0
    while (this.#column < columns) {
      if (this.#isCrowded) return false
      // The first change to the other colour after this place.
      if (this.#count > 0) while (before(next) <= this.#column && before(next) < columns) next += 2
      const vertical = VERTICAL[this.#peek(7)] ?? 0
      if (vertical !== 0) {
        this.#at += vertical >> 4
        const offset = (vertical & 15) - 8
        const position = before(next) + offset
        if (position < this.#column) return false
        this.#column = position
        this.#change()
        next += offset < 0 ? -1 : 1
      } else if (this.#peek(PASS.bits) === PASS.code) {
        this.#at += PASS.bits
        this.#column = before(next + 1)
        this.#isBroken ||= this.#column >= columns // no encoder passes the end
        next += 2
      } else if (this.#peek(HORIZONTAL.bits) === HORIZONTAL.code) {
        this.#at += HORIZONTAL.bits
        const colour = this.#count & 1
        if (!this.#readRun(colour) || !this.#readRun(colour ^ 1)) return false
      } else {
        if (this.#isAtEnd) return false
        if (this.#peek(END_ZEROS) !== 0) this.#at += END_ZEROS // an extension
        this.#runOn()
        return false
      }
    }
    return true
  }

  /**
   * Reads a run: codes for multiples of 64, then one for the rest. Returns whether it has that one.
   */
  #readRun(colour: number): boolean {
    const table = RUNS[colour === 0 ? 0 : 1]
    for (;;) {
      const entry = table[this.#peek(CODE_BITS)] ?? 0
      if (entry === 0 || this.#isAtEnd) {
        if (this.#peek(EOL_ZEROS) === 0) this.#at += EOL_ZEROS
        return false
      }
      this.#at += entry >> 12
      this.#column += entry & 4095
      if ((entry & 4095) >= 64) continue
      this.#change()
      return true
    }
  }
}

function setBits(row: Uint8Array, start: number, end: number): void {
  const [first, last] = [start >> 3, (end - 1) >> 3]
  const head = 255 >> (start & 7)
  const tail = (255 << (7 - ((end - 1) & 7))) & 255
  if (first === last) {
    row[first] = (row[first] ?? 0) | (head & tail)
    return
  }
  row[first] = (row[first] ?? 0) | head
  row.fill(255, first + 1, last)
  row[last] = (row[last] ?? 0) | tail
}
