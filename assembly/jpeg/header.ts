// The marker segments of a JPEG file (ITU-T T.81, annex B), and what they say about the frame.

import { keepProfile } from '../colour'
import { keepExif } from '../exif'
import { allocate } from '../memory'
import { u16be } from '../input'
import { DAMAGED, MORE, OVER_LIMIT, UNSUPPORTED } from '../status'
import { defineTable, huffmanTable } from './huffman'
import { isJfifSegment, keepThumbnail } from './thumbnail'

/** How luma is made from the components. */
export const GREY: u32 = 0 // component 0 is luma: grey, or YCbCr
export const RGB: u32 = 1
export const CMYK: u32 = 2
export const YCCK: u32 = 3
export const YCC: u32 = 4 // component 0 is luma, corrected where channels leave their range

@unmanaged
export class Component {
  id: u32
  /** Sampling factors, 1 to 4. */
  h: u32
  v: u32
  /** Quantisation table: 64 values of f32 in zigzag order, as they were when the component's first scan began. */
  quantId: u32
  quant: usize
  /** Whether luma needs it. */
  isNeeded: bool
  /** Whether only the means of its blocks are stored. */
  isFlat: bool
  /** Lines of the image decoded so far; in a progressive file coarsely at first. */
  linesDecoded: u32
  /** Size in blocks: of the component alone, and padded to whole MCUs. */
  blocksX: u32
  blocksY: u32
  paddedX: u32
  /** Tables of the current scan, and the last DC value. */
  dcTable: usize
  acTable: usize
  prediction: i32
  /** Samples of one row of MCUs: `rowCount` rows, `stride` bytes apart. Above them is room for one more. */
  samples: usize
  stride: usize
  rowCount: u32
  /** A row of samples at the sampling of the plane. */
  spread: usize
  /** Offset of its blocks in a row of stored coefficients, and in a row of stored history. */
  coefficientOffset: usize
  historyOffset: usize
  /** Maximum energy of a block's coefficients that pixels can have: see exact.ts. */
  energyLimit: f32
  /**
   * Samples by other arithmetic, laid out like `samples`, then a byte per block: whether it has
   * any. 0 if no block has.
   */
  others: usize
  otherMarks: usize
  /** Blocks stored with all coefficients: see witnesses.ts. 0 if there are none. */
  witnesses: usize
  /** The first places whose coefficients have all their bits, in a progressive file: one bit each. */
  wholePlaces: u32
}

const COMPONENT_BYTES: usize = 96
const components = memory.data(4 * 96)
const scanComponents = memory.data(16) // 4 x u32: indices of the components in the current scan
const quantTables = memory.data(4 * 64 * 2) // u16, zigzag order
const isQuantDefined = memory.data(4)

export let width: u32 = 0
export let height: u32 = 0
export let isProgressive: bool = false
export let componentCount: u32 = 0
export let colour: u32 = GREY
export let maxH: u32 = 1
export let maxV: u32 = 1
export let mcusX: u32 = 0
/** Restart interval in MCUs; 0 if there is none. */
export let restartInterval: u32 = 0

// The current scan.
export let scanCount: u32 = 0
export let spectralStart: u32 = 0
export let spectralEnd: u32 = 63
export let bitHigh: i32 = 0
export let bitLow: i32 = 0

// What the file says about colour: Adobe's APP14 transform, -1 without one; and whether APP0 is
// JFIF.
let adobeTransform: i32 = -1
let isJfif: bool = false

export function component(index: u32): Component {
  return changetype<Component>(components + <usize>index * COMPONENT_BYTES)
}

/** Component number `index` of the current scan. */
export function scanComponent(index: u32): Component {
  return component(load<u32>(scanComponents + ((<usize>index) << 2)))
}

/** DQT: one or more quantisation tables of 8 or 16 bits. */
export function readQuantTables(at: usize, bytes: u32): i32 {
  const end = at + bytes
  while (at < end) {
    const info = <u32>load<u8>(at++)
    const is16Bit = info >> 4 != 0
    const id = info & 15
    const size: usize = is16Bit ? 128 : 64
    if (id > 3 || at + size > end) return DAMAGED
    for (let k: usize = 0; k < 64; k++) {
      const value = is16Bit ? u16be(at + 2 * k) : <u32>load<u8>(at + k)
      store<u16>(quantTables + ((<usize>id * 64 + k) << 1), <u16>value)
    }
    store<u8>(isQuantDefined + id, 1)
    at += size
  }
  return MORE
}

/** DHT: one or more Huffman tables. */
export function readHuffmanTables(at: usize, bytes: u32): i32 {
  const end = at + bytes
  while (at < end) {
    const info = <u32>load<u8>(at++)
    const tableClass = info >> 4
    const id = info & 15
    if (tableClass > 1 || id > 3) return DAMAGED
    const used = defineTable(huffmanTable(tableClass, id), tableClass == 1, at, <u32>(end - at))
    if (!used) return DAMAGED
    at += used
  }
  return MORE
}

/** DRI */
export function readRestartInterval(at: usize, bytes: u32): i32 {
  if (bytes < 2) return DAMAGED
  restartInterval = u16be(at)
  return MORE
}

/** DNL: the height of a frame whose header said 0. Elsewhere it is skipped, as by libjpeg. */
export function readLineCount(at: usize, bytes: u32): i32 {
  if (componentCount == 0 || height != 0) return MORE
  if (bytes < 2 || u16be(at) == 0) return DAMAGED
  setHeight(u16be(at))
  return MORE
}

function setHeight(lines: u32): void {
  height = lines
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    c.blocksY = divideUp(divideUp(height * c.v, maxV), 8)
  }
}

/** SOF: size, components and their sampling. `code` is the marker's second byte. */
export function readFrame(
  code: u32, // 0xc0 to 0xcf but for DHT, JPG and DAC
  at: usize,
  bytes: u32,
): i32 {
  if (code > 0xc2) return UNSUPPORTED
  if (componentCount != 0 || bytes < 6) return DAMAGED
  if (load<u8>(at) != 8) return UNSUPPORTED
  isProgressive = code == 0xc2
  height = u16be(at + 1)
  width = u16be(at + 3)
  const count = <u32>load<u8>(at, 5)
  if (width == 0 || bytes < 6 + 3 * count) return DAMAGED
  if (count != 1 && count != 3 && count != 4) return UNSUPPORTED
  for (let i: u32 = 0; i < count; i++) {
    const c = component(i)
    const spec = at + 6 + 3 * i
    c.id = load<u8>(spec)
    c.h = load<u8>(spec, 1) >> 4
    c.v = load<u8>(spec, 1) & 15
    c.quantId = load<u8>(spec, 2)
    if (c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quantId > 3) return DAMAGED
    maxH = max(maxH, c.h)
    maxV = max(maxV, c.v)
  }
  componentCount = count
  mcusX = divideUp(width, 8 * maxH)
  for (let i: u32 = 0; i < count; i++) {
    const c = component(i)
    c.blocksX = divideUp(divideUp(width * c.h, maxH), 8)
    c.paddedX = mcusX * c.h
  }
  setHeight(height)
  return MORE
}

/**
 * Whether a component has this id and is not among the scan's first `count`: some files give all
 * components the same id.
 */
function isNextInScan(index: u32, id: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(scanComponents + ((<usize>i) << 2)) == index) return false
  }
  return component(index).id == id
}

/** SOS: the scan's components, tables, band of coefficients and bits. */
export function readScan(at: usize, bytes: u32): i32 {
  if (componentCount == 0 || bytes < 1) return DAMAGED
  scanCount = load<u8>(at)
  if (scanCount < 1 || scanCount > componentCount || bytes < 4 + 2 * scanCount) return DAMAGED
  let blocks: u32 = 0
  for (let i: u32 = 0; i < scanCount; i++) {
    const spec = at + 1 + 2 * i
    let index: u32 = 0
    while (index < componentCount && !isNextInScan(index, load<u8>(spec), i)) index++
    if (index == componentCount) return DAMAGED
    store<u32>(scanComponents + (i << 2), index)
    const c = component(index)
    blocks += c.h * c.v
    const tables = <u32>load<u8>(spec, 1)
    // A scan may name a table that does not exist if it does not use it.
    c.dcTable = tables >> 4 > 3 ? 0 : changetype<usize>(huffmanTable(0, tables >> 4))
    c.acTable = (tables & 15) > 3 ? 0 : changetype<usize>(huffmanTable(1, tables & 15))
    c.prediction = 0
  }
  if (scanCount > 1 && blocks > 10) return OVER_LIMIT // T.81, B.2.3
  spectralStart = load<u8>(at + 1 + 2 * scanCount)
  spectralEnd = load<u8>(at + 2 + 2 * scanCount)
  bitHigh = load<u8>(at + 3 + 2 * scanCount) >> 4
  bitLow = load<u8>(at + 3 + 2 * scanCount) & 15
  if (!isProgressive) {
    spectralStart = 0 // some encoders leave other values here
    spectralEnd = 63
    bitHigh = 0
    bitLow = 0
    return MORE
  }
  if (spectralEnd > 63 || spectralStart > spectralEnd || bitLow > 13) return DAMAGED
  if (spectralStart == 0 && spectralEnd != 0) return DAMAGED
  if (spectralStart > 0 && scanCount != 1) return DAMAGED
  if (bitHigh != 0 && bitHigh != bitLow + 1) return DAMAGED
  return MORE
}

// The coefficients of 64 pixels have at most 8 x 128 as the root of the sum of their squares, since
// the DCT preserves it. It is a quarter more if an encoder overshoots on purpose, as mozjpeg does
// around text. Then each is rounded by half a step.
const PIXEL_MAGNITUDE: f32 = 1280
const MAX_MAGNITUDE: f32 = 2047

/**
 * Keeps the quantisation table that the component's first scan uses, as later ones may be for other
 * components. Returns false if there is none, or no memory.
 */
export function latchQuantTable(c: Component): bool {
  if (c.quant) return true
  if (!load<u8>(isQuantDefined + c.quantId)) return false
  c.quant = allocate(64 * 4)
  if (!c.quant) return false
  let steps: f32 = 0 // sum of squares
  for (let k: usize = 0; k < 64; k++) {
    const step = <f32>load<u16>(quantTables + ((<usize>c.quantId * 64 + k) << 1))
    f32.store(c.quant + (k << 2), step)
    steps += step * step
  }
  const largest = min<f32>(MAX_MAGNITUDE, PIXEL_MAGNITUDE + sqrt<f32>(steps) / 2)
  c.energyLimit = largest * largest
  return true
}

/**
 * Uses zeros as the table of a component that is in no scan: it is grey, as in libjpeg. Returns
 * false if memory is short.
 */
export function latchNoTable(c: Component): bool {
  if (!c.quant) c.quant = allocate(64 * 4)
  return c.quant != 0
}

/**
 * APP0, APP1, APP2 and APP14: their content about colour and orientation. `code` is the marker's
 * second byte.
 */
export function readApplication(code: u32, at: usize, bytes: u32): void {
  if (code == 0xe0) {
    isJfif = isJfif || isJfifSegment(at, bytes)
    keepThumbnail(at, bytes)
  }
  if (code == 0xee && bytes >= 12 && load<u32>(at) == 0x626f6441 && load<u8>(at, 4) == 0x65) {
    adobeTransform = load<u8>(at, 11) // 'Adobe'
  }
  // 'Exif\0', and an arbitrary byte.
  const isExif = code == 0xe1 && bytes > 6 && load<u32>(at) == 0x66697845 && !load<u8>(at, 4)
  if (isExif) keepExif(at + 6, bytes - 6)
  // 'ICC_PROFILE\0', the number of the part, and the number of parts.
  const isProfile =
    code == 0xe2 &&
    bytes > 14 &&
    load<u32>(at) == 0x5f434349 &&
    load<u32>(at, 4) == 0x464f5250 &&
    load<u32>(at, 8) == 0x00454c49
  if (isProfile) keepProfile(at + 14, bytes - 14, load<u8>(at, 12), load<u8>(at, 13))
}

/**
 * Chooses how to make luma in the way that libjpeg determines colour: three components are YCbCr
 * unless Adobe's marker or their ids say RGB; four are CMYK if Adobe's marker is missing or says 0,
 * otherwise YCCK.
 */
export function chooseColour(): void {
  colour = GREY
  if (componentCount == 3 && !isJfif) {
    const isNamedRgb = component(0).id == 0x52 && component(1).id == 0x47 && component(2).id == 0x42
    if (adobeTransform == 0 || (adobeTransform < 0 && isNamedRgb)) colour = RGB
  }
  if (componentCount == 4) colour = adobeTransform > 0 ? YCCK : CMYK
  for (let i: u32 = 0; i < componentCount; i++) {
    component(i).isNeeded = i == 0 || colour != GREY
  }
}

/** Makes luma from all three components rather than from the first alone: see clamp.ts. */
export function useColour(): void {
  colour = YCC
  component(1).isNeeded = true
  component(2).isNeeded = true
}

/** Makes luma from component 0 alone after all. */
export function dropColour(): void {
  colour = GREY
  component(1).isNeeded = false
  component(2).isNeeded = false
}

/** Whether component 0 is luma, at its own sampling. */
export function isLumaStored(): bool {
  return colour == GREY || colour == YCC
}

export function divideUp(value: u32, divisor: u32): u32 {
  return (value + divisor - 1) / divisor
}
