// Blocks of a progressive scan (T.81, annex G): the DC coefficients, or a band of AC coefficients;
// first down to some bit, then one bit more at a time.

import { bitsAt, numberAt, readDc, readSymbol, symbol, value } from './bits'
import { hasHistory, lastKept, storedCoefficient } from './coefficients'
import { Component, bitLow, spectralEnd, spectralStart } from './header'
import { AC_BITS, CODE_BITS, extendSign, HuffmanTable } from './huffman'

/** Blocks that still end here, by an end-of-band code. */
export let endOfBandRun: u32 = 0

export function resetEndOfBand(): void {
  endOfBandRun = 0
}

/** Takes up to `count` blocks off the run at once. Returns how many it took. */
export function takeEndOfBand(count: u32): u32 {
  const taken = min(count, endOfBandRun)
  endOfBandRun -= taken
  return taken
}

/** First scan of a DC coefficient (G.1.2.1). Returns the position after it. */
export function readDcFirst(c: Component, position: u32, block: usize): u32 {
  position = readDc(changetype<HuffmanTable>(c.dcTable), position)
  if (!c.isNeeded) return position
  c.prediction += value
  store<i16>(block, <i16>(c.prediction << bitLow))
  return position
}

/** One more bit of a DC coefficient. Returns the position after it. */
export function refineDc(c: Component, position: u32, block: usize): u32 {
  if (c.isNeeded && numberAt(position, 1)) {
    const refined = <i32>load<i16>(block) | (1 << bitLow)
    store<i16>(block, <i16>refined)
  }
  return position + 1
}

/** First scan of a band (G.1.2.2), of a block in no end-of-band run. Returns the position after it. */
export function readAcFirst(c: Component, position: u32, block: usize, historyAt: usize): u32 {
  const table = changetype<HuffmanTable>(c.acTable)
  let history: u64 = 0
  let k = spectralStart
  const end = spectralEnd
  while (k <= end) {
    const entry = load<i32>(table.values + ((<usize>(bitsAt(position) >> (64 - AC_BITS))) << 2))
    let coefficient = entry >> 16
    if (coefficient) {
      k += (entry >> 8) & 0xff
      position += entry & 0xff
    } else {
      position = readSymbol(table, position)
      const run = symbol >> 4
      const size = symbol & 15
      if (size == 0 && run < 15) {
        endOfBandRun = (1 << run) + numberAt(position, run) - 1
        position += run
        break
      }
      k += run + 1
      if (!size) continue
      coefficient = extendSign(numberAt(position, size), size)
      position += size
    }
    // A run may reach beyond the band: its coefficient counts where it lands, as in libjpeg, or at
    // the last place.
    const place = min<u32>(k - 1, 63)
    history |= (<u64>1) << place
    const to = storedCoefficient(block, place)
    if (to) store<i16>(to, <i16>(coefficient << bitLow))
  }
  if (hasHistory && history) store<u64>(historyAt, load<u64>(historyAt) | history)
  return position
}

/** Reads the correction bit of a coefficient that is not zero (G.1.2.3). Returns the position after it. */
export function refineCoefficient(at: usize, position: u32): u32 {
  const old = <i32>load<i16>(at)
  const bit = 1 << bitLow
  if (numberAt(position, 1) && !(old & bit)) {
    store<i16>(at, <i16>(old < 0 ? old - bit : old + bit))
  }
  return position + 1
}

/** Reads the correction bits of the non-zero coefficients among `places`. Returns the position after them. */
function refineNonZero(block: usize, places: u64, position: u32): u32 {
  while (places) {
    const k = <u32>ctz(places)
    if (k > lastKept) return position + <u32>popcnt(places) // nothing after it is kept: skip the bits
    places &= places - 1
    const at = storedCoefficient(block, k)
    position = at ? refineCoefficient(at, position) : position + 1
  }
  return position
}

/** Bits of a history from place `from` to place `to`, inclusive. */
function placesBetween(history: u64, from: u32, to: u32): u64 {
  return ((history >> from) << from) & (~(<u64>0) >> (63 - to))
}

/** `codes` entry for a code that is too long for the table. */
function longCode(table: HuffmanTable, position: u32): u32 {
  const end = readSymbol(table, position)
  return ((end - position) << 8) | symbol
}

/**
 * The zero coefficient after `run` zeros from place `k` on; beyond `end` if there are not that
 * many.
 */
function zeroBehind(history: u64, k: u32, end: u32, run: u32): u32 {
  let zeros = placesBetween(~history, k, end)
  for (; run && zeros; run--) zeros &= zeros - 1
  return zeros ? <u32>ctz(zeros) : end + 1
}

/** One more bit of a band (G.1.2.3). Returns the position after it. */
export function refineAc(c: Component, position: u32, block: usize, historyAt: usize): u32 {
  let history = load<u64>(historyAt)
  let k = spectralStart
  const end = spectralEnd
  if (!endOfBandRun) {
    const table = changetype<HuffmanTable>(c.acTable)
    const codes = table.codes
    while (k <= end) {
      let bits = bitsAt(position)
      let code = <u32>load<u16>(codes + ((<usize>(bits >> (64 - CODE_BITS))) << 1))
      if (!code) code = longCode(table, position)
      const run = (code >> 4) & 15
      const size = code & 15
      bits <<= <u64>(code >> 8)
      position += code >> 8
      if (size == 0 && run < 15) {
        endOfBandRun = (1 << run) + (run ? <u32>(bits >> <u64>(64 - run)) : 0)
        position += run
        break
      }
      // The new coefficient, or the last of sixteen zeros. Its sign comes first, then a bit for
      // each non-zero coefficient on the way.
      const isNegative = <i64>bits >= 0
      if (size) position++
      let place = min(k + run, end + 1) // of most blocks, as no other coefficient lies between
      if ((history >> k) & (((<u64>2) << run) - 1)) {
        place = zeroBehind(history, k, end, run)
        position = refineNonZero(block, placesBetween(history, k, place - 1), position)
      }
      k = place + 1
      if (!size) continue
      const target = min<u32>(place, 63)
      history |= (<u64>1) << target
      if (target > lastKept) continue
      const to = storedCoefficient(block, target)
      const bit = 1 << bitLow
      if (to) store<i16>(to, <i16>(isNegative ? -bit : bit))
    }
    store<u64>(historyAt, history)
  }
  if (endOfBandRun) {
    if (k <= end) position = refineNonZero(block, placesBetween(history, k, end), position)
    endOfBandRun--
  }
  return position
}
