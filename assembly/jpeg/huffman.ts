// Huffman tables of a JPEG file (ITU-T T.81, annex C and F.2.2), as look-ahead tables.
//
// A table is stored as it came (DHT) and expanded when a scan first uses it, so that a file that redefines tables a
// thousand times pays for those it uses. Expanded, indexed by the next bits of the stream:
//
//   DC    (difference << 8) | bits                one difference: code and extra bits
//   AC    (value << 16) | (advance << 8) | bits   one coefficient: zeros before it and itself are `advance`
//   codes length << 8 | symbol                    one symbol: for what the others do not hold
//   skip  advance << 6 | bits                     as many whole coefficients as the bits hold; END_OF_BLOCK is added to
//                                                 `advance` if the last ends the block
//
// Where the look-ahead is too short (or the code undefined), an entry is 0, or NO_SKIP, and the next table is asked:
// `symbolAt` at last compares codes length by length.

import { allocate } from '../memory'

/** Bits of look-ahead. */
export const DC_BITS: u32 = 10
export const AC_BITS: u32 = 10
export const CODE_BITS: u32 = 9
export const SKIP_BITS: u32 = 13

/**
 * In a `skip` entry the bits come lowest, in as many bits as a 64-bit shift uses, so that the entry
 * itself can be the shift count.
 */
export const SKIP_SHIFT: u32 = 6
export const SKIP_MASK: u32 = 63

/**
 * Advance of the end-of-block code. It ends any block, and exceeds how far a run may reach beyond
 * one.
 */
export const END_OF_BLOCK: u32 = 80

/** Advance of an entry without coefficients: past the end of any block. */
const NO_SKIP: u32 = 512

/** Symbol that `symbolAt` gives for a code that is not in the table. */
export const BAD_CODE: u32 = 0x100

@unmanaged
export class HuffmanTable {
  /** Whether the file has defined it. */
  isDefined: bool
  isExpanded: bool
  isAc: bool
  /** 16 counts by code length, then up to 256 symbols. */
  counts: usize
  symbols: usize
  /** For each code length: the first 16-bit word above its codes, left-justified; and symbol index minus code. */
  limits: usize // 17 x u32
  offsets: usize // 17 x i32
  /** Look-ahead tables, as above. DC has no `skip`. */
  values: usize // 2^DC_BITS or 2^AC_BITS x i32
  codes: usize // 2^CODE_BITS x u16
  skips: usize // 2^SKIP_BITS x u16; sequential AC tables only
}

const TABLES: u32 = 8 // four DC, then four AC
const tables = memory.data(8 * 64)

/** Table `id` (0 to 3) of a class (0: DC, 1: AC). */
export function huffmanTable(tableClass: u32, id: u32): HuffmanTable {
  return changetype<HuffmanTable>(tables + <usize>((tableClass * 4 + id) % TABLES) * 64)
}

/**
 * Stores one table of a DHT segment. Returns the bytes it took, or 0 if it does not fit. Whether it
 * is a valid Huffman code is checked when it is used.
 */
export function defineTable(
  table: HuffmanTable,
  isAc: bool,
  at: usize, // 16 counts and the symbols
  bytesLeft: u32,
): u32 {
  if (bytesLeft < 16) return 0
  let total: u32 = 0
  for (let length: u32 = 1; length <= 16; length++) total += load<u8>(at + length - 1)
  if (total > 256 || bytesLeft < 16 + total) return 0
  if (!table.counts) {
    table.counts = allocate(16 + 256)
    table.limits = allocate(17 * 4)
    table.offsets = allocate(17 * 4)
    if (!table.counts || !table.limits || !table.offsets) return 0
    table.symbols = table.counts + 16
  }
  memory.copy(table.counts, at, 16 + total)
  table.isDefined = true
  table.isExpanded = false
  table.isAc = isAc
  return 16 + total
}

/** Whether each length has no more codes than it has room for. */
function isCode(counts: usize): bool {
  let code: u32 = 0
  for (let length: u32 = 1; length <= 16; length++) {
    code = (code << 1) + <u32>load<u8>(counts + length - 1)
    if (code > (<u32>1) << length) return false
  }
  return true
}

/**
 * Expands a table's look-ahead, unless that is done already. A progressive file skips nothing and
 * needs no `skips`. Returns false if the table is undefined or not a Huffman code, or memory is
 * over its limit.
 */
export function expandTable(table: HuffmanTable, isProgressive: bool): bool {
  if (!table.isDefined || !isCode(table.counts)) return false
  if (table.isExpanded) return true
  const bits = table.isAc ? AC_BITS : DC_BITS
  const hasSkips = table.isAc && !isProgressive
  if (!table.values) {
    table.values = allocate((<usize>4) << bits)
    table.codes = allocate((<usize>2) << CODE_BITS)
    if (hasSkips) table.skips = allocate((<usize>2) << SKIP_BITS)
  }
  if (!table.values || !table.codes || (hasSkips && !table.skips)) return false
  memory.fill(table.values, 0, (<usize>4) << bits)
  memory.fill(table.codes, 0, (<usize>2) << CODE_BITS)
  if (hasSkips) memory.fill(single, 0, 2 << SKIP_BITS)

  let code: u32 = 0
  let index: u32 = 0
  for (let length: u32 = 1; length <= 16; length++) {
    const count = <u32>load<u8>(table.counts + length - 1)
    store<i32>(table.offsets + ((<usize>length) << 2), <i32>index - <i32>code)
    for (let n: u32 = 0; n < count; n++, code++, index++) {
      const symbol = <u32>load<u8>(table.symbols + index)
      fillValues(table, code, length, symbol, bits)
      if (length <= CODE_BITS)
        fillCodes(table.codes, CODE_BITS, code, length, (length << 8) | symbol)
      const total = length + (symbol & 15)
      if (hasSkips && total <= SKIP_BITS) {
        fillCodes(single, SKIP_BITS, code, length, (advanceOf(symbol) << SKIP_SHIFT) | total)
      }
    }
    store<u32>(table.limits + ((<usize>length) << 2), code << (16 - length))
    code <<= 1
  }
  if (hasSkips) fillSkips(table)
  table.isExpanded = true
  return true
}

/** Look-ahead entries for one code: one for each value of its extra bits, or none if those do not fit. */
function fillValues(table: HuffmanTable, code: u32, length: u32, symbol: u32, bits: u32): void {
  const size = table.isAc ? symbol & 15 : symbol
  const total = length + size
  if (total > bits) return
  const advance = advanceOf(symbol)
  const repeats = (<u32>1) << (bits - total)
  let to = table.values + ((<usize>code) << (bits - length + 2))
  for (let extra: u32 = 0; extra < (<u32>1) << size; extra++) {
    const value = extendSign(extra, size)
    const entry = table.isAc ? (value << 16) | (advance << 8) | total : (value << 8) | total
    for (let n: u32 = 0; n < repeats; n++, to += 4) store<i32>(to, entry)
  }
}

/** Places that an AC symbol advances. */
function advanceOf(symbol: u32): u32 {
  const run = symbol >> 4
  return symbol & 15 || run == 15 ? run + 1 : END_OF_BLOCK
}

// One coefficient for each value of the look-ahead, while a table is expanded: advance << 6 | bits; 0 if none fits.
const single = memory.data(16384) // 2^SKIP_BITS x u16

/** The same 16-bit entry for everything that may follow a code. */
function fillCodes(dst: usize, bits: u32, code: u32, length: u32, entry: u32): void {
  const end = dst + ((<usize>(code + 1)) << (bits - length + 1))
  for (let to = dst + ((<usize>code) << (bits - length + 1)); to < end; to += 2)
    store<u16>(to, entry)
}

/**
 * Look-ahead entries for skipping: each has its first coefficient, then those that still fit into
 * the bits after it.
 */
function fillSkips(table: HuffmanTable): void {
  for (let index: u32 = 0; index < 1 << SKIP_BITS; index++) {
    let used: u32 = 0
    let advance: u32 = 0
    while (advance < END_OF_BLOCK) {
      const next = <u32>(
        load<u16>(single + ((<usize>((index << used) & ((1 << SKIP_BITS) - 1))) << 1))
      )
      const bits = next & SKIP_MASK
      const step = next >> SKIP_SHIFT
      if (!bits || used + bits > SKIP_BITS) break
      if (step < END_OF_BLOCK && advance + step > 63) break
      advance += step
      used += bits
    }
    const entry = used ? (advance << SKIP_SHIFT) | used : NO_SKIP << SKIP_SHIFT
    store<u16>(table.skips + ((<usize>index) << 1), entry)
  }
}

/** Length of the code that `symbolAt` found last. */
export let lastLength: u32 = 0

/**
 * Symbol of the code at the top of a 16-bit word, with its length in `lastLength`; BAD_CODE, 17
 * bits long, if there is none.
 */
export function symbolAt(table: HuffmanTable, word: u32): u32 {
  const entry = <u32>load<u16>(table.codes + ((<usize>(word >> (16 - CODE_BITS))) << 1))
  if (entry) {
    lastLength = entry >> 8
    return entry & 0xff
  }
  for (let length = CODE_BITS + 1; length <= 16; length++) {
    if (word < load<u32>(table.limits + ((<usize>length) << 2))) {
      lastLength = length
      const index = <i32>(word >> (16 - length)) + load<i32>(table.offsets + ((<usize>length) << 2))
      return <u32>load<u8>(table.symbols + <usize>(index & 255))
    }
  }
  lastLength = 17 // libjpeg notices at the 17th bit
  return BAD_CODE
}

/** The number that `size` extra bits stand for: T.81, figure F.12 (EXTEND). */
export function extendSign(bits: u32, size: u32): i32 {
  return size && bits < (<u32>1) << (size - 1) ? <i32>bits - (1 << size) + 1 : <i32>bits
}
