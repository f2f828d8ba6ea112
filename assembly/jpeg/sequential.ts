// Blocks of a sequential scan (T.81, F.2.2): a DC difference, then AC coefficients up to the end of the block.

import { advance, bitsAt, readAc, readDc, value } from './bits'
import { keptPlaces, lastKept, NOT_KEPT, storedCoefficient } from './coefficients'
import { isBeyondPixels, needsExact, readCoefficients, writeExact } from './exact'
import { Component } from './header'
import { AC_BITS, END_OF_BLOCK, HuffmanTable, SKIP_BITS } from './huffman'
import { beginBlock, block, FLAT, linesOf, writeBlock } from './synthesis'

/**
 * Skips the coefficients from place `k` to the end of the block. Returns the position behind it.
 * One load of the stream serves four look-ahead entries: together they use at most 52 of its 57 bits.
 */
function skipAc(table: HuffmanTable, position: u32, k: u32): u32 {
  const skips = table.skips
  while (k < 64) {
    let bits = bitsAt(position)
    for (let n = 0; n < 4; n++) {
      const entry = <u32>load<u16>(skips + ((<usize>(bits >> (64 - SKIP_BITS))) << 1))
      const next = k + (entry >> 5)
      if (next < 64) {
        position += entry & 31
        bits <<= <u64>(entry & 31)
        k = next
        continue
      }
      const isEnd = entry >= END_OF_BLOCK << 5
      if (next == 64 || (isEnd && next < END_OF_BLOCK + 64)) return position + (entry & 31)
      // The entry has nothing, or bits of the next block behind place 63: one coefficient, then.
      position = readAc(table, position)
      k += advance
      break
    }
  }
  return position
}

/** The farthest place, from 1, that a run behind the last one may end at. Farther is the end of the block. */
const LAST_RUN: u32 = 79

/** Skips a block. Returns the position behind it. */
export function skipBlock(c: Component, position: u32): u32 {
  position = readDc(changetype<HuffmanTable>(c.dcTable), position)
  c.prediction += value
  return skipAc(changetype<HuffmanTable>(c.acTable), position, 1)
}

/** Reads a block and writes its samples. Returns the position behind it. */
export function readBlock(c: Component, position: u32, dst: usize): u32 {
  const begin = position
  const before = c.prediction
  position = readDc(changetype<HuffmanTable>(c.dcTable), position)
  c.prediction += value
  const quant = c.quant
  const dc = <f32>(<i16>c.prediction) * f32.load(quant)
  beginBlock(dc)
  let energy = dc * dc

  const table = changetype<HuffmanTable>(c.acTable)
  const values = table.values
  const last = lastKept
  let lines = FLAT
  let k: u32 = 1
  while (k <= last) {
    let bits = bitsAt(position)
    for (let n = 0; n < 5 && k <= last; n++) {
      const entry = load<i32>(values + ((<usize>(bits >> (64 - AC_BITS))) << 2))
      let coefficient = entry >> 16
      if (entry) {
        position += entry & 0xff
        bits <<= <u64>(entry & 0xff)
        k += (entry >> 8) & 0xff
      } else {
        position = readAc(table, position)
        bits = bitsAt(position)
        n = 0
        coefficient = value
        k += advance
      }
      if (!coefficient || k > LAST_RUN) continue
      const at = min<u32>(k - 1, 63) // a run may go behind the last place, which it then has, as in libjpeg
      const place = <u32>load<u8>(keptPlaces + at)
      if (place == NOT_KEPT) continue
      const dequantised = <f32>coefficient * f32.load(quant + ((<usize>at) << 2))
      f32.store(block + ((<usize>place) << 2), dequantised)
      energy += dequantised * dequantised
      lines |= linesOf(place)
    }
  }
  if (energy > c.energyLimit) {
    c.prediction = before
    position = readCoefficients(c, begin)
    isBeyondPixels(c)
    writeExact(c, dst)
    return position
  }
  position = skipAc(table, position, k)
  writeBlock(lines, dst, c.stride)
  return position
}

/** Reads a block that may have to be made exactly, and writes its samples. Returns the position behind it. */
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

/** Reads a block into storage, over what an earlier scan may have left there. Returns the position behind it. */
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
  return skipAc(table, position, k)
}
