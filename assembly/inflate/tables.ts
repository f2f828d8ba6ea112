// Huffman tables of a deflate block (RFC 1951, 3.2), as look-ahead tables in two levels.
//
// A table is indexed by the next bits of the stream, lowest first. An entry has all that decoding needs:
//
//   31        16 15 14   13..8      7..0
//   ┌───────────┬──┬──┬──────────┬────────┐
//   │ value     │X │L │ code     │ total  │   total: bits of code and extra bits; code: bits of the code alone
//   └───────────┴──┴──┴──────────┴────────┘
//   L set         literal: value is the byte
//   X set         value 0: end of block; else the second table, at entry `value`, which the next bits index
//   neither       length or distance: value is its base
//   0             no code begins with these bits

/** Bits of the first level. */
export const LITERAL_BITS: u32 = 11
export const DISTANCE_BITS: u32 = 8

export const LITERAL: u32 = 1 << 14
export const EXCEPTION: u32 = 1 << 15

const MAX_LENGTH: u32 = 15

// A second table has at least two symbols, so the 286 and 30 symbols give at most 143 and 15
// tables.
const LITERAL_ENTRIES: u32 = 4352 // 2^11 + 144 x 2^4
const DISTANCE_ENTRIES: u32 = 2304 // 2^8 + 16 x 2^7

export const literals = memory.data(17408) // LITERAL_ENTRIES x u32
export const distances = memory.data(9216) // DISTANCE_ENTRIES x u32

const order: usize = memory.data<u8>([
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
])

const lengthBase: usize = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
])
const lengthExtra: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
])
const distanceBase: usize = memory.data<u16>([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
  3073, 4097, 6145, 8193, 12289, 16385, 24577,
])
const distanceExtra: usize = memory.data<u8>([
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
])

/** Code lengths while a table is built: literals and lengths, then distances; at most 286 + 30, plus an overrun. */
export const lengths = memory.data(512)
const counts = memory.data(64) // u32 by length
const nextCodes = memory.data(64) // u32 by length

/** Place of code length code `index` (3.2.7). */
export function codeLengthPlace(index: u32): u32 {
  return load<u8>(order + index)
}

function literalEntry(symbol: u32, length: u32): u32 {
  if (symbol < 256) return (symbol << 16) | LITERAL | (length << 8) | length
  if (symbol == 256) return EXCEPTION | (length << 8) | length
  if (symbol > 285) return 0
  const extra = <u32>load<u8>(lengthExtra + symbol - 257)
  return (
    ((<u32>load<u16>(lengthBase + ((symbol - 257) << 1))) << 16) | (length << 8) | (length + extra)
  )
}

function distanceEntry(symbol: u32, length: u32): u32 {
  if (symbol > 29) return 0
  const extra = <u32>load<u8>(distanceExtra + symbol)
  return ((<u32>load<u16>(distanceBase + (symbol << 1))) << 16) | (length << 8) | (length + extra)
}

function reverseBits(code: u32, length: u32): u32 {
  let reversed: u32 = 0
  for (; length; length--, code >>= 1) reversed = (reversed << 1) | (code & 1)
  return reversed
}

/**
 * Builds a table from code lengths. As in zlib's rule for distances, a code may only be incomplete
 * if it has one symbol, or none. Returns whether the lengths form a code.
 */
export function buildTable(
  table: usize,
  bits: u32, // of the first level
  codeLengths: usize, // count x u8
  count: u32,
  isDistance: bool,
): bool {
  memory.fill(counts, 0, 64)
  for (let symbol: u32 = 0; symbol < count; symbol++) {
    const at = counts + ((<usize>load<u8>(codeLengths + symbol)) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  const used = count - load<u32>(counts)
  let code: u32 = 0
  let left: i32 = 1
  store<u32>(counts, 0)
  for (let length: u32 = 1; length <= MAX_LENGTH; length++) {
    code = (code + load<u32>(counts + ((length - 1) << 2))) << 1
    store<u32>(nextCodes + (length << 2), code)
    left = (left << 1) - load<u32>(counts + (length << 2))
    if (left < 0) return false
  }
  if (left > 0 && used > 1) return false

  const firstEntries = (<u32>1) << bits
  const secondBits = MAX_LENGTH - bits
  const size = isDistance ? DISTANCE_ENTRIES : LITERAL_ENTRIES
  memory.fill(table, 0, (<usize>firstEntries) << 2)
  let free = firstEntries
  for (let symbol: u32 = 0; symbol < count; symbol++) {
    const length = <u32>load<u8>(codeLengths + symbol)
    if (!length) continue
    const codeAt = nextCodes + ((<usize>length) << 2)
    const reversed = reverseBits(load<u32>(codeAt), length)
    store<u32>(codeAt, load<u32>(codeAt) + 1)
    const entry = isDistance ? distanceEntry(symbol, length) : literalEntry(symbol, length)
    if (length <= bits) {
      repeatEntry(table, reversed, firstEntries, length, entry)
      continue
    }
    const link = table + ((<usize>(reversed & (firstEntries - 1))) << 2)
    if (!load<u32>(link)) {
      if (free + ((<u32>1) << secondBits) > size) return false
      memory.fill(table + ((<usize>free) << 2), 0, (<usize>4) << secondBits)
      store<u32>(link, (free << 16) | EXCEPTION)
      free += (<u32>1) << secondBits
    }
    const second = table + ((<usize>(load<u32>(link) >> 16)) << 2)
    repeatEntry(second, reversed >> bits, (<u32>1) << secondBits, length - bits, entry)
  }
  return true
}

/** Writes an entry to each index that ends, in its low `length` bits, like `first`. */
function repeatEntry(table: usize, first: u32, entries: u32, length: u32, entry: u32): void {
  for (let index = first; index < entries; index += (<u32>1) << length) {
    store<u32>(table + ((<usize>index) << 2), entry)
  }
}
