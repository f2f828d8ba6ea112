// Inflate (RFC 1950 and 1951), a piece at a time: compressed bytes in, at most OUTPUT_BYTES of the
// result out.
//
// The platform's DecompressionStream would do, but it costs more than reading the whole picture
// here: it copies each piece through two streams and an await, and nothing stops it within a piece
// that grows a thousandfold.
//
//   compressed: │ used up │ bitAt .. to be read │ room │
//   output:     │ 32 KiB that matches may refer to │ new bytes: outputStart .. outputEnd │ room │
//
// The reader takes all of the output before it asks for more.

import { allocate } from '../memory'
import {
  buildTable,
  codeLengthPlace,
  DISTANCE_BITS,
  distances,
  EXCEPTION,
  lengths,
  LITERAL,
  LITERAL_BITS,
  literals,
} from './tables'

const HISTORY_BYTES: usize = 32768
const OUTPUT_BYTES: usize = 65536
const COMPRESSED_BYTES: usize = 65536
/** Two literals and a match may write this far beyond the point where the output counts as full. */
const OVERHANG_BYTES: usize = 258 + 32

/** Most bits of a literal, or a length and a distance with their extra bits. */
const MAX_SYMBOL_BITS: u32 = 15 + 5 + 15 + 13
/** Most bytes of a block's header: 14 bits, 19 code lengths, 316 lengths of up to 14 bits. */
const MAX_HEADER_BYTES: u32 = 576

/** Results of `inflate`. */
export const NEEDS_INPUT: i32 = 0
export const OUTPUT_FULL: i32 = 1
export const STREAM_END: i32 = 2
const BAD_STREAM: i32 = -1
export const TOO_MANY_BLOCKS: i32 = -2

let compressed: usize = 0
let compressedEnd: usize = 0
let output: usize = 0

/** The new bytes of the last call. */
export let outputStart: usize = 0
export let outputEnd: usize = 0

/** Position of the next bit, from `compressed`. */
let bitAt: u32 = 0

const IN_ZLIB_HEADER: u32 = 0
const AT_BLOCK: u32 = 1
const IN_STORED: u32 = 2
const IN_CODES: u32 = 3
const AT_END: u32 = 4
let state: u32 = IN_ZLIB_HEADER
let isLastBlock: bool = false
let storedLeft: u32 = 0
let hasFixedTables: bool = false

// Blocks cost time whatever they hold. Encoders end a block after a few thousand symbols.
const FREE_BLOCKS: u64 = 4096
const BYTES_PER_BLOCK: u64 = 128
let blocks: u64 = 0
let bytesOut: u64 = 0

/** Begins a zlib stream. Returns false if memory is over its limit. */
export function beginInflate(): bool {
  if (!compressed) {
    compressed = allocate(COMPRESSED_BYTES)
    output = allocate(HISTORY_BYTES + OUTPUT_BYTES + OVERHANG_BYTES)
    if (!compressed || !output) return false
  }
  compressedEnd = compressed
  bitAt = 0
  outputStart = output + HISTORY_BYTES
  outputEnd = outputStart
  bytesOut = 0
  blocks = 0
  isLastBlock = false
  state = IN_ZLIB_HEADER
  return true
}

/** Takes compressed bytes as far as there is room. Returns how many it took. */
export function giveCompressed(from: usize, count: u32): u32 {
  const used = <usize>(bitAt >> 3)
  if (used > COMPRESSED_BYTES / 2 || compressed + used == compressedEnd) {
    memory.copy(compressed, compressed + used, compressedEnd - compressed - used)
    compressedEnd -= used
    bitAt &= 7
  }
  const taken = min(count, <u32>(compressed + COMPRESSED_BYTES - compressedEnd))
  memory.copy(compressedEnd, from, taken)
  compressedEnd += taken
  return taken
}

function bitsLeft(): u32 {
  return ((<u32>(compressedEnd - compressed)) << 3) - bitAt
}

/** At least 57 bits of the stream, lowest first. Beyond the last byte they are arbitrary. */
function bits(): u64 {
  return load<u64>(compressed + (bitAt >> 3)) >> (<u64>bitAt & 7)
}

function take(count: u32): u32 {
  const value = <u32>bits() & ((1 << count) - 1)
  bitAt += count
  return value
}

/**
 * Inflates what was given, to `outputStart` .. `outputEnd`.
 * `isLast`: no more will be given, so do not wait for bits that are missing at the end.
 */
export function inflate(isLast: bool): i32 {
  const kept = min(outputEnd - output, HISTORY_BYTES)
  memory.copy(output + HISTORY_BYTES - kept, outputEnd - kept, kept)
  outputStart = output + HISTORY_BYTES
  outputEnd = outputStart
  let status: i32
  do status = step(isLast)
  while (status == CONTINUE)
  bytesOut += outputEnd - outputStart
  return status
}

const CONTINUE: i32 = 100

function step(isLast: bool): i32 {
  switch (state) {
    case IN_ZLIB_HEADER: {
      if (bitsLeft() < 16) return NEEDS_INPUT
      const header = take(16) // method 8, no preset dictionary, and a valid check of both bytes
      if ((header & 15) != 8 || (header >> 8) & 0x20) return BAD_STREAM
      state = AT_BLOCK
      return CONTINUE
    }
    case AT_BLOCK:
      return readBlockHeader(isLast)
    case IN_STORED:
      return copyStored()
    case IN_CODES:
      return decodeCodes(isLast)
    default:
      return STREAM_END
  }
}

function readBlockHeader(isLast: bool): i32 {
  if (isLastBlock) {
    state = AT_END
    return STREAM_END
  }
  if (bitsLeft() < (isLast ? 3 : MAX_HEADER_BYTES << 3)) return NEEDS_INPUT
  if (++blocks > FREE_BLOCKS + (bytesOut + <u64>(outputEnd - outputStart)) / BYTES_PER_BLOCK) {
    return TOO_MANY_BLOCKS
  }
  isLastBlock = take(1) != 0
  const kind = take(2)
  if (kind == 0) {
    bitAt = (bitAt + 7) & ~7
    if (<i32>bitsLeft() < 32) return NEEDS_INPUT // forever, since only the end of the input leaves so few bits
    storedLeft = take(16)
    if (take(16) != (storedLeft ^ 0xffff)) return BAD_STREAM
    state = IN_STORED
    return CONTINUE
  }
  if (kind == 3) return BAD_STREAM
  const isCode: bool = kind == 1 ? useFixedTables() : readTables()
  if (!isCode || <i32>bitsLeft() < 0) return BAD_STREAM
  state = IN_CODES
  return CONTINUE
}

function useFixedTables(): bool {
  if (hasFixedTables) return true
  hasFixedTables = true
  memory.fill(lengths, 8, 144)
  memory.fill(lengths + 144, 9, 112)
  memory.fill(lengths + 256, 7, 24)
  memory.fill(lengths + 280, 8, 8)
  memory.fill(lengths + 288, 5, 32)
  return (
    buildTable(literals, LITERAL_BITS, lengths, 288, false) &&
    buildTable(distances, DISTANCE_BITS, lengths + 288, 32, true)
  )
}

/** A dynamic block's code lengths, themselves coded (3.2.7). */
function readTables(): bool {
  hasFixedTables = false
  const literalCount = take(5) + 257
  const distanceCount = take(5) + 1
  const codeCount = take(4) + 4
  if (literalCount > 286 || distanceCount > 30) return false
  memory.fill(lengths, 0, 19)
  for (let index: u32 = 0; index < codeCount; index++) {
    store<u8>(lengths + codeLengthPlace(index), take(3))
  }
  // Its 19 symbols are treated as literals.
  if (!buildTable(literals, LITERAL_BITS, lengths, 19, false)) return false
  const total = literalCount + distanceCount
  let count: u32 = 0
  let last: u32 = 0
  while (count < total) {
    const entry = load<u32>(literals + ((<usize>bits() & ((1 << LITERAL_BITS) - 1)) << 2))
    if (!entry) return false
    bitAt += entry & 0xff
    const symbol = entry >> 16
    let repeats: u32 = 1
    if (symbol < 16) last = symbol
    else if (symbol == 16) {
      if (!count) return false
      repeats = 3 + take(2)
    } else {
      last = 0
      repeats = symbol == 17 ? 3 + take(3) : 11 + take(7)
    }
    if (count + repeats > total) return false
    memory.fill(lengths + count, <u8>last, repeats)
    count += repeats
  }
  if (!load<u8>(lengths + 256)) return false // no end of block
  return (
    buildTable(literals, LITERAL_BITS, lengths, literalCount, false) &&
    buildTable(distances, DISTANCE_BITS, lengths + literalCount, distanceCount, true)
  )
}

function copyStored(): i32 {
  const full = output + HISTORY_BYTES + OUTPUT_BYTES
  const room = full > outputEnd ? <u32>(full - outputEnd) : 0
  const count = min(min(storedLeft, bitsLeft() >> 3), room)
  memory.copy(outputEnd, compressed + (bitAt >> 3), count)
  outputEnd += count
  bitAt += count << 3
  storedLeft -= count
  if (!storedLeft) {
    state = AT_BLOCK
    return CONTINUE
  }
  return count == room ? OUTPUT_FULL : NEEDS_INPUT
}

/** Copies a match, whose source may overlap its destination. Writes up to 15 bytes too many. */
function copyMatch(to: usize, length: u32, distance: u32): void {
  const from = to - distance
  const end = to + length
  if (distance >= 16) {
    for (let offset: usize = 0; to + offset < end; offset += 16) {
      v128.store(to + offset, v128.load(from + offset))
    }
  } else if (distance == 1) {
    const run = v128.load_splat<u8>(from)
    for (; to < end; to += 16) v128.store(to, run)
  } else {
    for (let offset: usize = 0; to + offset < end; offset++) {
      store<u8>(to + offset, load<u8>(from + offset))
    }
  }
}

function decodeCodes(isLast: bool): i32 {
  const literalMask: usize = (1 << LITERAL_BITS) - 1
  const distanceMask: usize = (1 << DISTANCE_BITS) - 1
  const full = output + HISTORY_BYTES + OUTPUT_BYTES
  const earliest = outputStart - <usize>min<u64>(bytesOut, <u64>HISTORY_BYTES)
  const source = compressed
  const inputBits = (<u32>(compressedEnd - compressed)) << 3
  // While this much is left, no symbol can reach beyond the input. At the very end each is checked
  // as it is read.
  const stopAt = isLast ? inputBits : inputBits < MAX_SYMBOL_BITS ? 0 : inputBits - MAX_SYMBOL_BITS
  let to = outputEnd
  let at = bitAt
  let status: i32 = NEEDS_INPUT
  while (at < stopAt) {
    if (to >= full) {
      status = OUTPUT_FULL
      break
    }
    let before = at
    let next = load<u64>(source + (at >> 3)) >> (<u64>at & 7)
    let entry = load<u32>(literals + ((<usize>next & literalMask) << 2))
    if (entry & LITERAL && at + 3 * LITERAL_BITS <= inputBits) {
      // Up to three literals at once: none is longer than the first level. A shift only uses an
      // entry's lowest six bits.
      store<u8>(to++, entry >> 16)
      at += entry & 0xff
      next >>= <u64>entry
      entry = load<u32>(literals + ((<usize>next & literalMask) << 2))
      if (entry & LITERAL) {
        store<u8>(to++, entry >> 16)
        at += entry & 0xff
        next >>= <u64>entry
        entry = load<u32>(literals + ((<usize>next & literalMask) << 2))
        if (entry & LITERAL) {
          store<u8>(to++, entry >> 16)
          at += entry & 0xff
          continue
        }
      }
      // What follows is known already; more bits are loaded in parallel with its look-up.
      before = at
      next = load<u64>(source + (at >> 3)) >> (<u64>at & 7)
    }
    if (entry & EXCEPTION && entry >> 16) {
      const second =
        (entry >> 16) + (<u32>(next >> LITERAL_BITS) & ((1 << (15 - LITERAL_BITS)) - 1))
      entry = load<u32>(literals + ((<usize>second) << 2))
    }
    const total = entry & 0xff
    at += total
    if (at > inputBits) {
      at = before
      break
    }
    if (entry & LITERAL) {
      store<u8>(to++, entry >> 16)
      continue
    }
    if (entry & EXCEPTION) {
      state = AT_BLOCK
      status = CONTINUE
      break
    }
    if (!total) {
      status = BAD_STREAM
      break
    }
    const code = <u64>((entry >> 8) & 63)
    const length = (entry >> 16) + (<u32>(next >> code) & ((1 << (total - <u32>code)) - 1))
    next >>= <u64>total

    let far = load<u32>(distances + ((<usize>next & distanceMask) << 2))
    if (far & EXCEPTION) {
      const second =
        (far >> 16) + (<u32>(next >> DISTANCE_BITS) & ((1 << (15 - DISTANCE_BITS)) - 1))
      far = load<u32>(distances + ((<usize>second) << 2))
    }
    const farTotal = far & 0xff
    const farCode = <u64>((far >> 8) & 63)
    const distance = (far >> 16) + (<u32>(next >> farCode) & ((1 << (farTotal - <u32>farCode)) - 1))
    at += farTotal
    if (at > inputBits) {
      at = before
      break
    }
    if (!farTotal || <usize>distance > to - earliest) {
      status = BAD_STREAM
      break
    }
    copyMatch(to, length, distance)
    to += length
  }
  bitAt = at
  outputEnd = to
  return status
}
