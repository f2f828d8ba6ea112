// Blocks of a sequential scan (T.81, F.2.2): a DC difference, then AC coefficients up to the end of the block.

import { advance, bitsAt, readAc, readDc, value } from './bits'
import { keptPlaces, lastKept, storedCoefficient } from './coefficients'
import { isBeyondPixels, needsExact, readCoefficients, writeExact } from './exact'
import { Component } from './header'
import {
  AC_BITS,
  DC_BITS,
  END_OF_BLOCK,
  HuffmanTable,
  SKIP_BITS,
  SKIP_MASK,
  SKIP_SHIFT,
} from './huffman'
import { beginBlock, block, FLAT, linesOf, writeBlock } from './synthesis'

// Loaded bits are passed on from one table to the next. `bits` has the stream from `position` on;
// of those LOADED_BITS are valid, minus the distance from `loadedAt` to `position`. A 64-bit shift
// uses the lowest six bits of an entry, which say how many bits it takes.

/** Minimum number of bits that `bitsAt` returns. */
const LOADED_BITS: u32 = 57

/**
 * Skips the coefficients from place `k` to the end of the block, starting with the bits loaded at
 * `loadedAt`. Returns the position after it. Each look-up depends on the one before it: a shift, a
 * load and a shift.
 */
function skipAc(table: HuffmanTable, position: u32, k: u32, bits: u64, loadedAt: u32): u32 {
  const skips = table.skips
  let last = loadedAt + (LOADED_BITS - SKIP_BITS)
  while (k < 64) {
    if (position > last) {
      bits = bitsAt(position)
      last = position + (LOADED_BITS - SKIP_BITS)
    }
    const entry = <u32>load<u16>(skips + ((<usize>(bits >> (64 - SKIP_BITS))) << 1))
    const next = k + (entry >> SKIP_SHIFT)
    if (next < 64) {
      position += entry & SKIP_MASK
      bits <<= <u64>entry
      k = next
      continue
    }
    const isEnd = entry >= END_OF_BLOCK << SKIP_SHIFT
    if (next == 64 || (isEnd && next < END_OF_BLOCK + 64)) return position + (entry & SKIP_MASK)
    // The entry is empty, or includes bits of the next block beyond place 63: read a single
    // coefficient.
    position = readAc(table, position)
    k += advance
    bits = bitsAt(position)
    last = position + (LOADED_BITS - SKIP_BITS)
  }
  return position
}

/**
 * The farthest place, from 1, at which a run beyond the last place may end. Anything farther is the
 * end of the block.
 */
const LAST_RUN: u32 = 79

/** Skips a block. Returns the position after it. */
export function skipBlock(c: Component, position: u32): u32 {
  let loadedAt = position
  let bits = bitsAt(position)
  const dc = load<i32>(
    changetype<HuffmanTable>(c.dcTable).values + ((<usize>(bits >> (64 - DC_BITS))) << 2),
  )
  if (dc) {
    c.prediction += dc >> 8
    position += dc & 0xff
    bits <<= <u64>dc
  } else {
    position = readDc(changetype<HuffmanTable>(c.dcTable), position)
    c.prediction += value
    bits = bitsAt(position)
    loadedAt = position
  }
  return skipAc(changetype<HuffmanTable>(c.acTable), position, 1, bits, loadedAt)
}

/**
 * The place before `k` in zigzag order, as row and column: BEHIND_BLOCK for a coefficient that is
 * not kept, and for the end of the block. There is no branch: the processor could not predict it.
 */
function placeBefore(k: u32): u32 {
  return <u32>load<u8>(keptPlaces + k - 1)
}

/** The dequantised coefficient at the place before `k`. */
function dequantise(coefficient: i32, k: u32, quant: usize): f32 {
  return <f32>coefficient * f32.load(quant + ((<usize>min<u32>(k - 1, 63)) << 2))
}

/** Reads a block and writes its samples. Returns the position after it. */
export function readBlock(c: Component, position: u32, dst: usize): u32 {
  const begin = position
  const before = c.prediction
  let loadedAt = position
  let bits = bitsAt(position)
  const difference = load<i32>(
    changetype<HuffmanTable>(c.dcTable).values + ((<usize>(bits >> (64 - DC_BITS))) << 2),
  )
  if (difference) {
    c.prediction += difference >> 8
    position += difference & 0xff
    bits <<= <u64>difference
  } else {
    position = readDc(changetype<HuffmanTable>(c.dcTable), position)
    c.prediction += value
    bits = bitsAt(position)
    loadedAt = position
  }
  const quant = c.quant
  const dc = <f32>(<i16>c.prediction) * f32.load(quant)
  beginBlock(dc)
  let energy = dc * dc // of all coefficients read, kept or not

  const table = changetype<HuffmanTable>(c.acTable)
  const values = table.values
  const last = lastKept
  let lines = FLAT
  let k: u32 = 1
  while (k <= last) {
    if (position - loadedAt > LOADED_BITS - AC_BITS) {
      bits = bitsAt(position)
      loadedAt = position
    }
    const entry = load<i32>(values + ((<usize>(bits >> (64 - AC_BITS))) << 2))
    let coefficient = entry >> 16
    if (entry) {
      position += entry & 0xff
      bits <<= <u64>entry
      k += (entry >> 8) & 0xff
    } else {
      position = readAc(table, position)
      bits = bitsAt(position)
      loadedAt = position
      coefficient = value
      k += advance
    }
    const place = placeBefore(k)
    const dequantised = dequantise(coefficient, k, quant)
    f32.store(block + ((<usize>place) << 2), dequantised)
    energy += dequantised * dequantised
    lines |= linesOf(place)
  }
  if (energy > c.energyLimit) {
    c.prediction = before
    position = readCoefficients(c, begin)
    isBeyondPixels(c)
    writeExact(c, dst)
    return position
  }
  position = skipAc(table, position, k, bits, loadedAt)
  writeBlock(lines, dst, c.stride)
  return position
}

/**
 * Reads a block that may need exact computation, and writes its samples. Returns the position after
 * it.
 */
export function readExactBlock(c: Component, position: u32, dst: usize): u32 {
  const before = c.prediction
  const next = readCoefficients(c, position)
  if (needsExact(c)) {
    writeExact(c, dst)
    return next
  }
  c.prediction = before
  return readBlock(c, position, dst)
}

/**
 * Reads a block into storage, over what an earlier scan may have left there. Returns the position
 * after it.
 */
export function storeBlock(c: Component, position: u32, stored: usize): u32 {
  position = readDc(changetype<HuffmanTable>(c.dcTable), position)
  c.prediction += value
  store<i16>(stored, <i16>c.prediction)
  const table = changetype<HuffmanTable>(c.acTable)
  let k: u32 = 1
  while (k <= lastKept) {
    position = readAc(table, position)
    k += advance
    if (value && k <= LAST_RUN) {
      const to = storedCoefficient(stored, min<u32>(k - 1, 63))
      if (to) store<i16>(to, <i16>value)
    }
  }
  return skipAc(table, position, k, bitsAt(position), position)
}
