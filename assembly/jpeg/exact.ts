// Blocks that no encoder writes: their values are so large that decoders' arithmetic wraps or
// saturates, so decoders show different pictures. libjpeg-turbo stores coefficients in 16 bits. Its
// vector code then multiplies and adds in 16 bits, which wraps, and saturates at the end. Its C
// code has wider numbers, and wraps samples instead. Both results are hashed.
// References: jidctint-sse2.asm and jidctint-avx2.asm, which agree; jidctint.c.
//
// Such a block is computed at full scale and its samples are then averaged: at a reduced scale it
// would be another picture.

import { allocate } from '../memory'
import { advance, readAc, readDc, value } from './bits'
import { Component } from './header'
import { HuffmanTable } from './huffman'
import { nx, ny } from './synthesis'
import { naturalPlace } from './zigzag'

/** Coefficients of a block as they are stored, row v and column u at v x 8 + u. */
export const coefficients = memory.data(128) // 64 of i16
const dequantised = memory.data(256) // 64 of i32
const work = memory.data(256) // 64 of i32: after the first pass
export const vectorPixels = memory.data(64) // 64 of u8
const scalarPixels = memory.data(64)

const CONST_BITS: i32 = 13
const PASS1_BITS: i32 = 2
// Constants of jidctint.c, times 2^13.
const F_0_298: i32 = 2446
const F_0_390: i32 = 3196
const F_0_541: i32 = 4433
const F_0_765: i32 = 6270
const F_0_899: i32 = 7373
const F_1_175: i32 = 9633
const F_1_501: i32 = 12299
const F_1_847: i32 = 15137
const F_1_961: i32 = 16069
const F_2_053: i32 = 16819
const F_2_562: i32 = 20995
const F_3_072: i32 = 25172

/** Number of blocks computed this way: each takes as long as many others. */
export let exactBlocks: u32 = 0

/** Reads all coefficients of a block of a sequential scan. Returns the position after it. */
export function readCoefficients(c: Component, position: u32): u32 {
  position = readDc(changetype<HuffmanTable>(c.dcTable), position)
  c.prediction += value
  memory.fill(coefficients, 0, 128)
  store<i16>(coefficients, <i16>c.prediction)
  const table = changetype<HuffmanTable>(c.acTable)
  for (let k: u32 = 1; k < 64;) {
    position = readAc(table, position)
    k += advance
    if (value && k <= 79) setCoefficient(k - 1, value)
  }
  return position
}

/**
 * Sets the coefficient at place `k` in zigzag order. Places beyond the last count as the last, as
 * in libjpeg.
 */
export function setCoefficient(k: u32, coefficient: i32): void {
  const place = <usize>naturalPlace(min<u32>(k, 63))
  store<i16>(coefficients + (place << 1), <i16>coefficient)
}

/** Energy of the block that `isBeyondPixels` left: the sum of squares. */
export let blockEnergy: f32 = 0

/** Whether the block's dequantised coefficients have more energy than pixels can. Leaves them for `writeExact`. */
export function isBeyondPixels(c: Component): bool {
  let energy: f32 = 0
  for (let k: u32 = 0; k < 64; k++) {
    const place = <usize>naturalPlace(k)
    const coefficient = <i32>load<i16>(coefficients + (place << 1))
    const quant = f32.load(c.quant + ((<usize>k) << 2))
    store<i32>(dequantised + (place << 2), coefficient * <i32>(<i16>(<u32>quant)))
    energy += <f32>coefficient * quant * (<f32>coefficient * quant)
  }
  blockEnergy = energy
  return energy > c.energyLimit
}

/**
 * The mean of a block's pixels differs from its first coefficient where pixels are clamped. Up to
 * this much, in luma, is tolerated.
 */
const MAX_SHIFT: i32 = 4

/**
 * Whether the block must be computed exactly: it has more energy than pixels can, or so many of its
 * pixels are clamped that their mean changes, which may be all that scaled decoding shows.
 */
export function needsExact(c: Component): bool {
  if (isBeyondPixels(c)) return true
  // Clamping at a border at distance m from the mean moves the mean by at most variance / 4 m.
  const dc = load<i32>(dequantised)
  const mean = max(0, min(255, (dc >> 3) + 128))
  const variance = (blockEnergy - <f32>dc * <f32>dc) / 64
  if (variance <= 2 * <f32>MAX_SHIFT * <f32>min(mean, 255 - mean)) return false
  makeVectorPixels()
  let sum: i32 = 0
  for (let at: usize = 0; at < 64; at++) sum += load<u8>(vectorPixels + at)
  return abs((sum >> 6) - mean) > MAX_SHIFT
}

/** Whether C code gives other samples for any block of the frame. */
export let hasOthers: bool = false

/**
 * Writes the samples of the block to `dst`: those of vector code, and next to them those of C code,
 * if they differ.
 */
export function writeExact(c: Component, dst: usize): void {
  exactBlocks++
  makeVectorPixels()
  makeScalarPixels()
  writeMeans(vectorPixels, dst, c.stride)
  let differs: bool = false
  for (let at: usize = 0; at < 64; at += 8) {
    differs = differs || load<u64>(vectorPixels + at) != load<u64>(scalarPixels + at)
  }
  if (!differs || !makeRoomForOthers(c)) return
  hasOthers = true
  writeMeans(scalarPixels, c.others + (dst - c.samples), c.stride)
  store<u8>(markOf(c, dst), 1)
}

/** If memory for them is short, there are no other samples. */
function makeRoomForOthers(c: Component): bool {
  if (c.others) return true
  c.otherMarks = allocate(<usize>c.paddedX * c.v)
  const rows = c.otherMarks ? allocate(c.stride * (c.rowCount + 1)) : 0
  if (!rows) return false
  memory.copy(rows, c.samples - c.stride, c.stride)
  c.others = rows + c.stride
  return true
}

/** Address of a block's mark, from that of its samples. */
function markOf(c: Component, dst: usize): usize {
  const offset = dst - c.samples
  const line = offset / c.stride
  return c.otherMarks + (line / ny) * c.paddedX + (offset - line * c.stride) / nx
}

/**
 * Completes the other samples of the row with blocks that have no others, so that both rows are
 * complete.
 */
export function completeOthers(c: Component): void {
  if (!makeRoomForOthers(c)) return
  for (let y: u32 = 0; y < c.v; y++) {
    for (let x: u32 = 0; x < c.paddedX; x++) {
      const mark = c.otherMarks + <usize>(y * c.paddedX + x)
      const isMarked = load<u8>(mark) != 0
      store<u8>(mark, 0)
      if (isMarked) continue
      let at = <usize>(y * ny) * c.stride + <usize>(x * nx)
      for (let j: u32 = 0; j < ny; j++, at += c.stride) {
        memory.copy(c.others + at, c.samples + at, nx)
      }
    }
  }
}

/** Swaps the samples of a row with the others. */
export function swapOthers(c: Component): void {
  const samples = c.samples
  if (!c.others) return
  c.samples = c.others
  c.others = samples
}

/** Computes `vectorPixels` from the block that `isBeyondPixels` left. */
export function makeVectorPixels(): void {
  if (isFirstRowOnly()) {
    for (let at: usize = 0; at < 32; at += 4) {
      const mean = <i32>(<i16>(load<i32>(dequantised + at) << PASS1_BITS))
      for (let row: usize = 0; row < 256; row += 32) store<i32>(work + row + at, mean)
    }
  } else {
    for (let at: usize = 0; at < 64; at++) {
      const to = dequantised + (at << 2)
      store<i32>(work + (at << 2), <i32>(<i16>load<i32>(to)))
    }
    for (let at: usize = 0; at < 32; at += 4)
      transform(work + at, 32, CONST_BITS - PASS1_BITS, true)
  }
  for (let at: usize = 0; at < 256; at += 32) {
    transform(work + at, 4, CONST_BITS + PASS1_BITS + 3, true)
  }
  for (let at: usize = 0; at < 64; at++) {
    const sample = load<i32>(work + (at << 2))
    store<u8>(vectorPixels + at, <u8>(max(-128, min(127, sample)) + 128))
  }
}

function makeScalarPixels(): void {
  memory.copy(work, dequantised, 256)
  for (let at: usize = 0; at < 32; at += 4) transform(work + at, 32, CONST_BITS - PASS1_BITS, false)
  for (let at: usize = 0; at < 256; at += 32) {
    transform(work + at, 4, CONST_BITS + PASS1_BITS + 3, false)
  }
  for (let at: usize = 0; at < 64; at++) {
    store<u8>(scalarPixels + at, rangeLimited(load<i32>(work + (at << 2))))
  }
}

/**
 * Whether all stored coefficients below the first row are zero: the vector code then takes a path
 * that wraps elsewhere.
 */
function isFirstRowOnly(): bool {
  for (let at: usize = 16; at < 128; at += 8) if (load<u64>(coefficients + at)) return false
  return true
}

/** libjpeg's sample table, indexed by 10 bits (prepare_range_limit_table). */
function rangeLimited(sample: i32): u8 {
  const index = sample & 1023
  if (index < 128) return <u8>(index + 128)
  if (index < 512) return 255
  return index < 896 ? 0 : <u8>(index - 896)
}

/**
 * One line of the inverse DCT, in place: 8 of i32, `step` bytes apart. Sums are those of C code,
 * whose `long` has 64 bits; those of vector code (`isVector`) wrap at 16 and 32 bits, and saturate.
 */
function transform(at: usize, step: usize, shift: i64, isVector: bool): void {
  const in0 = <i64>load<i32>(at)
  const in1 = <i64>load<i32>(at + step)
  const in2 = <i64>load<i32>(at + step * 2)
  const in3 = <i64>load<i32>(at + step * 3)
  const in4 = <i64>load<i32>(at + step * 4)
  const in5 = <i64>load<i32>(at + step * 5)
  const in6 = <i64>load<i32>(at + step * 6)
  const in7 = <i64>load<i32>(at + step * 7)
  const z3 = cut(in7 + in3, isVector)
  const z4 = cut(in5 + in1, isVector)

  const even0 = cut(in0 + in4, isVector) << CONST_BITS
  const even1 = cut(in0 - in4, isVector) << CONST_BITS
  const even2 = in2 * F_0_541 + in6 * (F_0_541 - F_1_847)
  const even3 = in2 * (F_0_541 + F_0_765) + in6 * F_0_541
  const odd3 = z3 * (F_1_175 - F_1_961) + z4 * F_1_175
  const odd4 = z3 * F_1_175 + z4 * (F_1_175 - F_0_390)
  const odd0 = in7 * (F_0_298 - F_0_899) - in1 * F_0_899 + odd3
  const odd1 = in5 * (F_2_053 - F_2_562) - in3 * F_2_562 + odd4
  const odd2 = in3 * (F_3_072 - F_2_562) - in5 * F_2_562 + odd3
  const odd5 = in1 * (F_1_501 - F_0_899) - in7 * F_0_899 + odd4

  storeSum(at, even0 + even3 + odd5, shift, isVector)
  storeSum(at + step * 7, even0 + even3 - odd5, shift, isVector)
  storeSum(at + step, even1 + even2 + odd2, shift, isVector)
  storeSum(at + step * 6, even1 + even2 - odd2, shift, isVector)
  storeSum(at + step * 2, even1 - even2 + odd1, shift, isVector)
  storeSum(at + step * 5, even1 - even2 - odd1, shift, isVector)
  storeSum(at + step * 3, even0 - even3 + odd0, shift, isVector)
  storeSum(at + step * 4, even0 - even3 - odd0, shift, isVector)
}

/** A sum; vector code has only 16 bits for it. */
function cut(sum: i64, isVector: bool): i64 {
  return isVector ? <i64>(<i16>sum) : sum
}

/**
 * Stores a sum, rounded and shifted down: saturated to 16 bits by vector code, truncated by C code.
 */
function storeSum(to: usize, sum: i64, shift: i64, isVector: bool): void {
  const half: i64 = (<i64>1) << (shift - 1)
  if (!isVector) {
    store<i32>(to, <i32>((sum + half) >> shift))
    return
  }
  const rounded = <i32>(sum + half) >> <i32>shift
  store<i32>(to, max(-32768, min(32767, rounded)))
}

/** Averages 8 x 8 pixels to the block's nx x ny samples. */
function writeMeans(pixels: usize, dst: usize, stride: usize): void {
  const width: u32 = 8 / nx
  const height: u32 = 8 / ny
  const count = width * height
  for (let j: u32 = 0; j < ny; j++, dst += stride) {
    for (let i: u32 = 0; i < nx; i++) {
      let sum: u32 = count >> 1
      for (let k: u32 = 0; k < count; k++) {
        sum += load<u8>(pixels + (j * height + k / width) * 8 + i * width + (k % width))
      }
      store<u8>(dst + i, <u8>(sum / count))
    }
  }
}
