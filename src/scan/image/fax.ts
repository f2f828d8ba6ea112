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
/** Bytes of rows handed on at once. */
const OUTPUT_BYTES = 8 * 1024

/**
 * Decodes fax data. Yields rows in packed bits, 1 for black, several at a time; the buffer is
 * reused. A broken row of group 3 ends where it breaks, and decoding continues at the next line;
 * group 4 ends with its first broken row.
 */
export function* decodeFax(form: FaxForm, data: Uint8Array): Unpacked {
  const reader = new RowReader(form, data)
  const rowBytes = Math.ceil(form.columns / 8)
  const out = new Uint8Array(rowBytes * Math.max(1, Math.floor(OUTPUT_BYTES / rowBytes)))
  let filled = 0
  while (reader.readRow()) {
    reader.paint(out.subarray(filled, filled + rowBytes))
    filled += rowBytes
    if (filled < out.length) continue
    yield out
    filled = 0
  }
  if (filled > 0) yield out.subarray(0, filled)
  return 'ended'
}

/** How a bilevel picture is coded for fax machines. */
export interface FaxForm {
  /** Pixels per row. */
  columns: number
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
  /** Changes of this row and of the previous one; the row's width follows the last. */
  #changes: Int32Array
  #before: Int32Array
  #count = 0

  constructor(form: FaxForm, data: Uint8Array) {
    this.#form = form
    this.#data = data
    this.#changes = new Int32Array(form.columns + 8).fill(form.columns)
    this.#before = this.#changes.slice()
  }

  /** Reads the next row. Returns whether there was one. */
  readRow(): boolean {
    const { coding, isAligned } = this.#form
    if (isAligned) this.#at = (this.#at + 7) & ~7
    const lineEnds = this.#skipLineEnds()
    if (lineEnds > 1 || this.#isAtEnd) return false
    ;[this.#before, this.#changes] = [this.#changes, this.#before]
    this.#count = 0
    const isFlat =
      coding === 'one-dimensional' || (coding === 'two-dimensional' && this.#takeBit() === 1)
    const isWhole = isFlat ? this.#readFlat() : this.#readByRowBefore()
    this.#changes.fill(this.#form.columns, this.#count, this.#count + 5)
    if (isWhole) return true
    if (coding === 'group-4') return false
    return this.#findLineEnd()
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

  /** Adds a change. As in libtiff, a run that passes the end of the row is white. */
  #add(position: number): void {
    if (position <= this.#form.columns) this.#changes[this.#count++] = position
    else if (this.#count % 2 === 1) this.#count--
  }

  #readFlat(): boolean {
    const { columns } = this.#form
    let at = 0
    for (let colour = 0; at < columns; colour ^= 1) {
      const run = this.#readRun(colour)
      if (run < 0 || this.#count > columns) return false
      at += run
      this.#add(at)
    }
    return true
  }

  #readByRowBefore(): boolean {
    const { columns } = this.#form
    const before = this.#before
    let [at, colour, next] = [-1, 0, 0]
    while (at < columns) {
      if (this.#count > columns) return false
      // The first change to the other colour after this place.
      while (next > 1 && (before[next - 2] ?? 0) > at) next -= 2
      while ((before[next] ?? columns) <= at && (before[next] ?? columns) < columns) next += 2
      const vertical = VERTICAL[this.#peek(7)] ?? 0
      if (vertical !== 0) {
        this.#at += vertical >> 4
        const position = (before[next] ?? columns) + (vertical & 15) - 8
        if (position < Math.max(at, 0)) return false
        this.#add(position)
        at = position
        colour ^= 1
        next++
      } else if (this.#peek(PASS.bits) === PASS.code) {
        this.#at += PASS.bits
        at = before[next + 1] ?? columns
      } else if (this.#peek(HORIZONTAL.bits) === HORIZONTAL.code) {
        this.#at += HORIZONTAL.bits
        const [first, second] = [this.#readRun(colour), this.#readRun(colour ^ 1)]
        if (first < 0 || second < 0) return false
        at = Math.max(at, 0) + first
        this.#add(at)
        at += second
        this.#add(at)
      } else return false
    }
    return true
  }

  /** Pixels of a run: codes for multiples of 64, then one for the rest. -1 if there is no code. */
  #readRun(colour: number): number {
    const table = RUNS[colour === 0 ? 0 : 1]
    for (let total = 0; ;) {
      const entry = table[this.#peek(CODE_BITS)] ?? 0
      if (entry === 0 || this.#isAtEnd) return -1
      this.#at += entry >> 12
      const run = entry & 4095
      total += run
      if (run < 64) return total
      if (total > this.#form.columns + 2560) return -1
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
