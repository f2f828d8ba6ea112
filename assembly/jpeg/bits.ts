// Symbols and bits at a position of the entropy-coded stream. A position counts bits in the buffer of entropy.ts.

import { top } from './entropy'
import {
  AC_BITS,
  BAD_CODE,
  DC_BITS,
  END_OF_BLOCK,
  HuffmanTable,
  extendSign,
  lastLength,
  symbolAt,
} from './huffman'

/** The stream's next bits, from the top; at least 57 are valid. */
export function bitsAt(position: u32): u64 {
  return load<u64>(top - 8 - <usize>(position >> 3)) << (<u64>position & 7)
}

/** The next `count` bits, 0 to 16, as a number. */
export function numberAt(position: u32, count: u32): u32 {
  return count ? <u32>(bitsAt(position) >> <u64>(64 - count)) : 0
}

/** What the last `readDc` or `readAc` found. */
export let value: i32 = 0
/** Number of places that the last `readAc` advanced. */
export let advance: u32 = 0
/**
 * The symbol that the last `readSymbol` found. A code in no table counts as symbol 0, as in
 * libjpeg.
 */
export let symbol: u32 = 0

/** Reads one symbol. Returns the position after its code. */
export function readSymbol(table: HuffmanTable, position: u32): u32 {
  const found = symbolAt(table, <u32>(bitsAt(position) >> 48))
  symbol = found == BAD_CODE ? 0 : found
  return position + lastLength
}

/** Reads a DC difference into `value`. Returns the position after it. */
export function readDc(table: HuffmanTable, position: u32): u32 {
  const entry = load<i32>(table.values + ((<usize>(bitsAt(position) >> (64 - DC_BITS))) << 2))
  if (entry) {
    value = entry >> 8
    return position + (entry & 0xff)
  }
  position = readSymbol(table, position)
  const size = min<u32>(symbol, 15)
  value = extendSign(numberAt(position, size), size)
  return position + size
}

/** Reads an AC coefficient into `value` and `advance`. Returns the position after it. */
export function readAc(table: HuffmanTable, position: u32): u32 {
  const entry = load<i32>(table.values + ((<usize>(bitsAt(position) >> (64 - AC_BITS))) << 2))
  if (entry) {
    value = entry >> 16
    advance = (entry >> 8) & 0xff
    return position + (entry & 0xff)
  }
  position = readSymbol(table, position)
  const size = symbol & 15
  const run = symbol >> 4
  advance = size || run == 15 ? run + 1 : END_OF_BLOCK
  value = extendSign(numberAt(position, size), size)
  return position + size
}
