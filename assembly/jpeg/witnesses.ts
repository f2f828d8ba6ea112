// For a frame in several scans, only what the scale needs is stored. A few blocks are stored
// completely: one in each line of blocks, or in some lines, at a place that the file cannot know.
// They show whether clamping turns the rest into another picture.
//
//   a line's witness: 64 of i16, in zigzag order, all but its DC value, which is stored with the others

import { allocate } from '../memory'
import { numberAt, readSymbol, symbol } from './bits'
import { coefficients, needsExact, readCoefficients, setCoefficient } from './exact'
import { keptCount, storedBlock } from './coefficients'
import {
  bitLow,
  Component,
  component,
  componentCount,
  divideUp,
  height,
  spectralEnd,
  spectralStart,
} from './header'
import { extendSign, HuffmanTable } from './huffman'
import { endOfBandRun, refineCoefficient } from './progressive'
import { naturalPlace } from './zigzag'

const WITNESS_BYTES: usize = 128
/** Maximum lines of a component with a witness. */
const MAX_LINES: u32 = 256
/** Distance between lines with a witness, in a frame whose height comes late. */
const LATE_STEP: u32 = 8
/** One in this many witnesses may differ: around sharp edges, clamping is normal. */
const FEW_OF: u32 = 16
/** No witness, or no column. */
export const NO_WITNESS: u32 = <u32>-1

let lineStep: u32 = 1
let seed: u32 = 0

/**
 * Begins to keep witnesses of the frame's stored components, if they store less than everything.
 * Returns false if memory is short.
 */
export function beginWitnesses(chance: u32): bool {
  seed = chance
  const first = component(0)
  lineStep = height ? divideUp(first.blocksY, MAX_LINES) : LATE_STEP
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.isNeeded || c.isFlat || keptCount == 64) continue
    c.witnesses = allocate(<usize>MAX_LINES * WITNESS_BYTES)
    if (!c.witnesses) return false
  }
  return true
}

/** Column of the block that is the witness of a line of a component's blocks. */
export function witnessColumn(c: Component, line: u32): u32 {
  if (!c.witnesses || line % lineStep || line / lineStep >= MAX_LINES) return NO_WITNESS
  let mixed = (seed ^ (line * 0x9e3779b1)) * 0x85ebca6b
  mixed = (mixed ^ (mixed >>> 15)) * 0xc2b2ae35
  return (mixed ^ (mixed >>> 13)) % c.blocksX
}

function witnessOf(c: Component, line: u32): usize {
  return c.witnesses + <usize>(line / lineStep) * WITNESS_BYTES
}

/** Keeps a block of a sequential scan. */
export function keepSequential(c: Component, line: u32, position: u32): void {
  const before = c.prediction
  const to = witnessOf(c, line)
  readCoefficients(c, position)
  c.prediction = before
  for (let k: u32 = 1; k < 64; k++) {
    const place = <usize>naturalPlace(k)
    store<i16>(to + ((<usize>k) << 1), load<i16>(coefficients + (place << 1)))
  }
}

/** Keeps a block of a band's first scan (G.1.2.2). */
export function keepAcFirst(c: Component, line: u32, position: u32): void {
  const table = changetype<HuffmanTable>(c.acTable)
  const to = witnessOf(c, line)
  if (endOfBandRun) return
  for (let k = spectralStart; k <= spectralEnd; k++) {
    position = readSymbol(table, position)
    const size = symbol & 15
    k += symbol >> 4
    if (!size) {
      if (symbol >> 4 < 15) return
      continue
    }
    store<i16>(placeIn(to, k), <i16>(extendSign(numberAt(position, size), size) << bitLow))
    position += size
  }
}

/** Keeps a block of a scan that refines a band by one bit (G.1.2.3). */
export function keepAcRefined(c: Component, line: u32, position: u32): void {
  const table = changetype<HuffmanTable>(c.acTable)
  const to = witnessOf(c, line)
  const end = spectralEnd
  let k = spectralStart
  while (k <= end && !endOfBandRun) {
    position = readSymbol(table, position)
    const size = symbol & 15
    let run = symbol >> 4
    if (!size && run < 15) {
      position += run
      break
    }
    const isPositive = size && numberAt(position, 1)
    if (size) position++
    for (; k <= end; k++) {
      if (load<i16>(placeIn(to, k))) position = refineCoefficient(placeIn(to, k), position)
      else if (run == 0) break
      else run--
    }
    const bit = 1 << bitLow
    if (size) store<i16>(placeIn(to, k), <i16>(isPositive ? bit : -bit))
    k++
  }
  for (; k <= end; k++) {
    if (load<i16>(placeIn(to, k))) position = refineCoefficient(placeIn(to, k), position)
  }
}

function placeIn(witness: usize, k: u32): usize {
  return witness + ((<usize>min<u32>(k, 63)) << 1)
}

/**
 * Whether the mean of many witnesses differs from their DC value: then the stored coefficients show
 * another picture.
 */
export function areWitnessesClamped(): bool {
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.witnesses || !c.quant) continue
    let count: u32 = 0
    let clamped: u32 = 0
    for (let line: u32 = 0; line < c.blocksY && count < MAX_LINES; line += lineStep) {
      count++
      if (isClamped(c, line)) clamped++
    }
    if (clamped * FEW_OF > count) return true
  }
  return false
}

function isClamped(c: Component, line: u32): bool {
  const witness = witnessOf(c, line)
  memory.fill(coefficients, 0, 128)
  setCoefficient(0, load<i16>(storedBlock(c, line / c.v, line % c.v, witnessColumn(c, line))))
  for (let k: u32 = 1; k < 64; k++) setCoefficient(k, load<i16>(placeIn(witness, k)))
  return needsExact(c)
}
