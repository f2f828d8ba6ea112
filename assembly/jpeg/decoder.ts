// JPEG to luma. Markers and scans are taken from the input window as they come; see docs/decoding.md.
//
//   markers ─▶ tables, frame ─▶ scan ─┬─ direct: samples of one row of MCUs ─▶ luma rows ─▶ plane
//      ▲                              └─ stored: coefficients, until the last scan ─▶ the same
//      └──────────────────────────────┘
//
// A frame is decoded directly if its first scan is sequential and has all components. Any other
// frame may have scans that replace what earlier ones said.

import { limitMemory, SMALL_MEMORY } from '../memory'
import { inputLeft, skipInput, start, u16be } from '../input'
import {
  CONTINUE,
  DAMAGED,
  DONE,
  FRAME,
  MORE,
  OUT_OF_RANGE,
  OVER_BUDGET,
  OVER_LIMIT,
  PAUSED,
  TONES,
  TRUNCATED,
} from '../status'
import {
  chooseKept,
  fitsRows,
  hasHistory,
  keptCount,
  layOutRow,
  storeRows,
  storedBlock,
  storedCount,
  storedHistory,
  writeStoredRow,
} from './coefficients'
import { availableBits, beginSegment, fillSegment, isSegmentEnd, skipToMarker } from './entropy'
import {
  bitHigh,
  bitLow,
  chooseColour,
  colour,
  Component,
  component,
  componentCount,
  divideUp,
  dropColour,
  GREY,
  height,
  isLumaStored,
  isProgressive,
  latchNoTable,
  latchQuantTable,
  maxV,
  mcusX,
  readApplication,
  readFrame,
  readHuffmanTables,
  readLineCount,
  readQuantTables,
  readRestartInterval,
  readScan,
  restartInterval,
  scanComponent,
  scanCount,
  spectralEnd,
  spectralStart,
  useColour,
  width,
  YCC,
} from './header'
import { expandTable, HuffmanTable } from './huffman'
import {
  beginMissingRows,
  beginOutput,
  beginSamples,
  endRows,
  planeV,
  writeLumaRows,
} from './output'
import {
  endOfBandRun,
  readAcFirst,
  readDcFirst,
  refineAc,
  refineDc,
  resetEndOfBand,
  takeEndOfBand,
} from './progressive'
import { hasTones } from '../colour'
import { hasTonedPlane, leaveOut } from '../luma/planes'
import { isStepOver, noteStep } from '../luma/work'
import { areMeansClamped, isClamped, isFaint, lookAtChroma } from './clamp'
import { exactBlocks, hasOthers } from './exact'
import { readBlock, readExactBlock, skipBlock, storeBlock } from './sequential'
import { defineStandardTables } from './standard'
import { beginBlock, beginSynthesis, FLAT, nx, ny, writeBlock } from './synthesis'
import {
  areWitnessesClamped,
  beginWitnesses,
  keepAcFirst,
  keepAcRefined,
  keepSequential,
  NO_WITNESS,
  witnessColumn,
} from './witnesses'

// A side is halved while at least this many samples remain. Of 1,573 pictures at sizes that leave
// few more, hashes then move by 0.2 bits from full scale on average; with 375 samples by 0.8.
const MIN_SAMPLES: u32 = 500
// A small picture with a side of fewer pixels is decoded at full scale. Its hash repeats samples,
// so small differences move it.
const NARROW_PIXELS: u32 = 64

// Coefficients of a frame that comes in several scans wait in memory, so its size is bounded.
const MAX_STORED_PIXELS: u64 = 100_000_000
/**
 * An image of up to 40 megapixels stays within this. Above, memory grows with the blocks of a
 * stored frame.
 */
const SMALL_PIXELS: u64 = 40_000_000
/**
 * Memory that a stored frame needs beside its coefficients: tables, sample rows, the plane, and the
 * plane as displayed.
 */
const STORED_RESERVE: usize = 3_600_000

/** Encoders use about ten scans, optimisers up to a few more. */
const MAX_SCANS: u32 = 100
// Blocks that scans may visit: a few bytes can claim a run of 32,767 blocks, again and again.
const FREE_BLOCKS: u64 = 1_000_000
const BLOCKS_PER_BYTE: u64 = 64
/** Cost of writing a stored MCU, in visited blocks. */
const STORED_BLOCK_COST: u64 = 8
/** The same, in pixels of a step. */
const STORED_BLOCK_PIXELS: u32 = 32
/** Cost of a block that is computed exactly. */
const EXACT_BLOCK_COST: u64 = 16

/** Maximum bits of a block: its 64 coefficients with 16-bit codes and 15 extra bits each. */
const MAX_BLOCK_BITS: u32 = 64 * 31

// Where the decoder is in the file.
const AT_MARKER: u32 = 0
const IN_SKIPPED_SEGMENT: u32 = 1
const IN_SCAN: u32 = 2
const IN_SKIPPED_SCAN: u32 = 3
const AFTER_SEGMENT: u32 = 4 // after a restart interval: a marker should come
const AT_END: u32 = 5 // the scans are over, but the picture is not written yet
const FINISHED: u32 = 6

let state: u32 = AT_MARKER
let toSkip: u32 = 0
let bytesTaken: u64 = 0 // before the current step
let inputBefore: u32 = 0
let hasStartOfImage: bool = false
let isCutOff: bool = false // there is no end of image, or libjpeg gives up before it

// The frame.
let samplesX: u32 = 8 // of a block
let samplesY: u32 = 8
let isStored: bool = false
let isPlanned: bool = false
let scansBegun: u32 = 0
let blocksVisited: u64 = 0
/** Places of coefficients without all bits of which libjpeg smooths blocks. */
const SMOOTHED_PLACES: u32 = 0x3ff
let rowsWritten: u32 = 0 // rows of MCUs of a stored frame

// The scan.
const SEQUENTIAL: u32 = 0
const DC_FIRST: u32 = 1
const DC_REFINE: u32 = 2
const AC_FIRST: u32 = 3
const AC_REFINE: u32 = 4
let kind: u32 = SEQUENTIAL
let position: u32 = 0
let col: u32 = 0 // of the next MCU
let row: u32 = 0
let cols: u32 = 0
let rows: u32 = 0
let intervalLeft: u32 = 0 // MCUs to the next restart
let maxMcuBits: u32 = 0
let mcuBlocks: u32 = 0
let restartNumber: u32 = 0 // of the restart marker that should come next, modulo 8
let rowBlocks: usize = 0 // the row's first stored block, and its history, in a scan of one component
let rowHistory: usize = 0
let rowWitness: u32 = NO_WITNESS // column of the row's witness

/** Decodes the available input. `isLast`: no more will come. Returns a status. */
export function decodeJpeg(isLast: bool): i32 {
  while (true) {
    inputBefore = inputLeft()
    let status = step(isLast)
    bytesTaken += inputBefore - inputLeft()
    if (status == MORE && isLast) status = finishEarly()
    if (status != CONTINUE) return status
  }
}

function step(isLast: bool): i32 {
  switch (state) {
    case AT_MARKER:
      return readMarker()
    case IN_SKIPPED_SEGMENT:
      toSkip -= skipInput(toSkip)
      if (toSkip) return MORE
      state = AT_MARKER
      return CONTINUE
    case IN_SCAN:
      return decodeScan(isLast)
    case IN_SKIPPED_SCAN:
      if (!skipToMarker()) return MORE
      state = AT_MARKER
      return CONTINUE
    case AFTER_SEGMENT:
      return readRestart(isLast)
    case AT_END:
      return writeRest()
    default:
      return DONE
  }
}

/**
 * Takes the next marker, and its segment if it matters. Bytes that are not a marker are skipped.
 */
function readMarker(): i32 {
  while (inputLeft() >= 2) {
    const code = <u32>load<u8>(start, 1)
    if (load<u8>(start) != 0xff || code == 0 || code == 0xff) {
      if (!hasStartOfImage) return DAMAGED
      skipInput(1)
      continue
    }
    if (hasLuma() && isRefused(code)) return finishEarly()
    if (code == 0xd8) hasStartOfImage = true
    else if (!hasStartOfImage) return DAMAGED
    if (code == 0xd9) {
      skipInput(2)
      return finish()
    }
    if (code == 0x01 || (code >= 0xd0 && code <= 0xd8)) {
      skipInput(2) // a marker without a segment
      continue
    }
    if (inputLeft() < 4) return MORE
    const bytes = u16be(start + 2)
    if (bytes < 2) {
      if (!mayBeShort(code)) return hasLuma() ? finishEarly() : DAMAGED
      skipInput(4)
      continue
    }
    if (!isUseful(code)) {
      toSkip = bytes + 2
      state = IN_SKIPPED_SEGMENT
      return CONTINUE
    }
    if (inputLeft() < bytes + 2) return MORE
    const status = readSegment(code, start + 4, bytes - 2)
    skipInput(bytes + 2)
    if (status == DAMAGED && hasLuma()) return finishEarly()
    return status == MORE ? CONTINUE : status
  }
  return MORE
}

/** Whether rows of luma have come. If libjpeg then gives up, browsers show these. */
function hasLuma(): bool {
  return component(0).linesDecoded != 0
}

/** Whether libjpeg gives up at a marker after the frame: another image or frame, or an unknown marker. */
function isRefused(code: u32): bool {
  if (code >= 0xc0 && code <= 0xcf) return code != 0xc4 && code != 0xcc // DHT, DAC
  if (code >= 0xd0 && code <= 0xdf) return code == 0xd8 || code >= 0xde
  return code < 0xc0 ? code != 0x01 : code >= 0xf0 && code != 0xfe
}

/**
 * Whether a segment may claim to be shorter than its own length field: libjpeg then continues after
 * that field. For tables and frames it gives up.
 */
function mayBeShort(code: u32): bool {
  return code == 0xfe || code == 0xdc || (code >= 0xe0 && code <= 0xef) || !isUseful(code)
}

function isUseful(code: u32): bool {
  const isTable = code == 0xc4 || code == 0xdb || code == 0xdd || code == 0xdc || code == 0xda
  const isApplication = code == 0xe0 || code == 0xe1 || code == 0xe2 || code == 0xee
  const isFrame = code >= 0xc0 && code <= 0xcf && code != 0xc8 && code != 0xcc // JPG, DAC
  return isTable || isApplication || isFrame
}

function readSegment(code: u32, at: usize, bytes: u32): i32 {
  switch (code) {
    case 0xc4:
      return readHuffmanTables(at, bytes)
    case 0xdb:
      return readQuantTables(at, bytes)
    case 0xdd:
      return readRestartInterval(at, bytes)
    case 0xdc:
      return useLineCount(at, bytes)
    case 0xe0:
    case 0xe1:
    case 0xe2:
    case 0xee:
      readApplication(code, at, bytes)
      return MORE
    case 0xda: {
      const status = readScan(at, bytes)
      return status == MORE ? beginScan() : status
    }
    default:
      return readFrame(code, at, bytes)
  }
}

/**
 * DNL: the number of lines of a frame whose header had none. From here on, storage is as for any
 * other frame.
 */
function useLineCount(at: usize, bytes: u32): i32 {
  const status = readLineCount(at, bytes)
  if (status != MORE || !isStored) return status
  return storeRows(mcuRows()) ? MORE : OVER_BUDGET
}

/** Rows of MCUs, once the height is known. */
function mcuRows(): u32 {
  return divideUp(height, 8 * maxV)
}

function isNarrow(): bool {
  const pixels = <u64>width * <u64>height
  return height != 0 && pixels <= COLOUR_PIXELS && min(width, height) < NARROW_PIXELS
}

/** Samples per block along a side of `pixels`: the fewest that leave MIN_SAMPLES in all. */
function samplesFor(pixels: u32): u32 {
  let samples: u32 = 8
  if (isNarrow()) return samples
  while (samples > 1 && (pixels * samples) / 16 >= MIN_SAMPLES) samples >>= 1
  return samples
}

/**
 * All of chroma is read for a picture with at most this many pixels. For a larger one in a single
 * scan, samples are inspected. For a progressive one the means of blocks are read, which its first
 * scan has beside those of luma; for any other with several scans, everything.
 */
const COLOUR_PIXELS: u64 = 65_536
const PROGRESSIVE_COLOUR_PIXELS: u64 = 1_000_000
/** Whether chroma is inspected, and whether any was found that luma depends on. */
let isColourRead: bool = false
let isColourFound: bool = false
// What a unit of a prediction adds to a mean of chroma.
let blueStep: f32 = 0
let redStep: f32 = 0

function readColour(): void {
  isColourRead = false
  useColour()
}

/**
 * Reads chroma from the next MCU on. Of the current one the means are known, and the row is grey
 * before it. Returns false if memory is over its limit.
 */
function beginColour(): bool {
  isColourFound = false
  readColour()
  if (!beginSamples()) return false
  writeMean(component(1), blueStep)
  writeMean(component(2), redStep)
  return true
}

/** Writes the mean of a component's last block, by what a unit of it adds, as samples of the MCU. */
function writeMean(c: Component, ofUnit: f32): void {
  const mean: f32 = nearest<f32>(<f32>c.prediction * ofUnit) + 128
  const columns = c.h * nx
  for (let y: u32 = 0; y < c.v * ny; y++) {
    const at = c.samples + <usize>y * c.stride + <usize>(col * columns)
    memory.fill(at, <u8>max<f32>(0, min<f32>(255, mean)), columns)
  }
}

/** Chooses scale and memory for the frame when its first scan begins. */
function planFrame(): i32 {
  isPlanned = true
  chooseColour()
  if (!isProgressive && !defineStandardTables()) return OVER_BUDGET
  const pixels = <u64>width * <u64>height
  samplesX = samplesFor(width)
  samplesY = height ? samplesFor(height) : samplesX
  isStored = isProgressive || height == 0 || scanCount < componentCount
  if (!isStored || pixels <= SMALL_PIXELS) limitMemory(SMALL_MEMORY)
  isColourRead = colour == GREY && componentCount == 3
  if (isColourRead && (isStored || pixels <= COLOUR_PIXELS)) {
    readColour()
    if (isProgressive && pixels > PROGRESSIVE_COLOUR_PIXELS) {
      component(1).isFlat = true
      component(2).isFlat = true
    }
  }
  if (isStored && pixels > MAX_STORED_PIXELS) return OVER_LIMIT
  if (!isStored) chooseKept(samplesX, samplesY)
  else if (!beginStorage()) return OVER_BUDGET
  beginSynthesis(samplesX, samplesY)
  if (!isStored && !beginOutput()) return OVER_BUDGET
  return MORE
}

function beginStorage(): bool {
  chooseKept(samplesX, samplesY)
  return beginWitnesses(chance) && planStorage()
}

/**
 * Chooses what is stored of a frame. If memory is short, as for pictures of 40 megapixels that are
 * 40 times as wide as high, history is dropped first, and with it the refinement of coefficients;
 * then samples.
 */
function planStorage(): bool {
  let withHistory = isProgressive
  while (true) {
    chooseKept(samplesX, samplesY)
    layOutRow(withHistory)
    if (height == 0) return true // room for rows is made as they come
    if (fitsRows(mcuRows(), STORED_RESERVE)) return storeRows(mcuRows())
    if (withHistory) withHistory = false
    else if (keptCount == 1) return false
    else if (samplesX > samplesY) samplesX >>= 1
    else samplesY >>= 1
  }
}

function scanKind(): u32 {
  if (!isProgressive) return SEQUENTIAL
  if (spectralStart == 0) return bitHigh ? DC_REFINE : DC_FIRST
  return bitHigh ? AC_REFINE : AC_FIRST
}

/** Whether anything in the current scan is needed for luma at the chosen scale. */
function isScanUseful(): bool {
  let isNeeded: bool = false
  for (let i: u32 = 0; i < scanCount; i++) isNeeded = isNeeded || scanComponent(i).isNeeded
  if (!isNeeded || kind < AC_FIRST) return isNeeded
  if (scanComponent(0).isFlat) return false
  if (kind == AC_REFINE && !hasHistory) leaveOut()
  return hasHistory || kind == AC_FIRST
}

function beginScan(): i32 {
  if (++scansBegun > MAX_SCANS) return OVER_LIMIT
  if (!isPlanned) {
    const status = planFrame()
    if (status != MORE) return status
  } else if (height == 0) {
    return DAMAGED // DNL comes after the first scan (T.81, B.2.5)
  }
  kind = scanKind()
  noteWholePlaces()
  state = IN_SKIPPED_SCAN
  if (!isScanUseful()) return MORE

  let blocks: u32 = 0
  for (let i: u32 = 0; i < scanCount; i++) {
    const c = scanComponent(i)
    blocks += c.h * c.v
    if ((c.isNeeded || isColourRead) && !latchQuantTable(c)) {
      if (c == component(0) || (c.isNeeded && colour != YCC)) return DAMAGED
      isColourRead = false
      if (colour == YCC) dropColour()
    }
    const usesDc = kind == SEQUENTIAL || kind == DC_FIRST
    const usesAc = kind == SEQUENTIAL || kind >= AC_FIRST
    if (usesDc && !hasTable(c.dcTable)) return DAMAGED
    if (usesAc && !hasTable(c.acTable)) return DAMAGED
  }
  if (isColourRead) {
    blueStep = f32.load(component(1).quant) / 8
    redStep = f32.load(component(2).quant) / 8
  }
  const isSingle = scanCount == 1
  cols = isSingle ? scanComponent(0).blocksX : mcusX
  rows = scanRows()
  mcuBlocks = isSingle ? 1 : blocks
  maxMcuBits = mcuBlocks * MAX_BLOCK_BITS
  restartNumber = 0
  col = 0
  row = 0
  if (!beginInterval()) return OVER_BUDGET
  state = IN_SCAN
  return !isStored && hasColourTones() ? TONES : MORE
}

/** Whether channels that may differ go through a tone curve, if the host finds one. */
function hasColourTones(): bool {
  return componentCount == 3 && hasTones()
}

/** Records which coefficients the scan sends completely. As in libjpeg, the last scan counts. */
function noteWholePlaces(): void {
  const band = (~(<u64>0) >> (63 - <u64>(spectralEnd - spectralStart))) << spectralStart
  const places = <u32>(band & SMOOTHED_PLACES)
  for (let i: u32 = 0; i < scanCount; i++) {
    const c = scanComponent(i)
    c.wholePlaces = bitLow ? c.wholePlaces & ~places : c.wholePlaces | places
  }
}

/** Whether libjpeg smooths blocks, since some bits of a component that luma needs did not come. */
function isSmoothed(): bool {
  if (!isProgressive) return false
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (c.isNeeded && c.quant && c.wholePlaces != SMOOTHED_PLACES) return true
  }
  return false
}

function hasTable(table: usize): bool {
  return table != 0 && expandTable(changetype<HuffmanTable>(table), isProgressive)
}

/** Rows of the current scan; the maximum while the height is not known. */
function scanRows(): u32 {
  if (height == 0) return divideUp(65535, 8)
  return scanCount == 1 ? scanComponent(0).blocksY : mcuRows()
}

/** Begins a restart interval. Returns false if memory is over its limit. */
function beginInterval(): bool {
  intervalLeft = restartInterval ? restartInterval : <u32>-1
  for (let i: u32 = 0; i < scanCount; i++) scanComponent(i).prediction = 0
  resetEndOfBand()
  position = 0
  return beginSegment()
}

/** Decodes the current interval as far as its bytes have arrived. */
function decodeScan(isLast: bool): i32 {
  position = fillSegment(position, (maxMcuBits >> 3) + 16, isLast)
  if (isColourRead && hasTonedPlane() && !beginColour()) return OVER_BUDGET
  while (row < rows && intervalLeft) {
    if (position + maxMcuBits > availableBits) {
      // A run of empty blocks needs no bits, except in a refinement.
      const isRun = endOfBandRun != 0 && kind == AC_FIRST
      // If data is missing, libjpeg reads one MCU from zero bits, even if none of its bits is
      // there.
      if (isSegmentEnd && isExhausted() && !isRun) break
      if (!isSegmentEnd) {
        const before = availableBits - position
        position = fillSegment(position, (maxMcuBits >> 3) + 16, isLast)
        if (!isSegmentEnd && availableBits - position == before) return MORE
        continue
      }
    }
    if (!prepareRow()) return OVER_BUDGET
    if (kind >= AC_FIRST) {
      decodeBand()
    } else {
      decodeMcu()
      if (isColourFound && !beginColour()) return OVER_BUDGET
      intervalLeft--
      col++
    }
    if (col == cols && !endRow()) return OVER_LIMIT
  }
  state = AFTER_SEGMENT
  return CONTINUE
}

/**
 * Finds the row's stored blocks when it begins; makes room for them if the height is not known yet.
 */
function prepareRow(): bool {
  if (!isStored || col != 0) return true
  const c = scanComponent(0)
  const mcuRow = scanCount == 1 ? row / c.v : row
  if (!storeRows(mcuRow + 1)) return false
  if (scanCount == 1) {
    rowBlocks = storedBlock(c, mcuRow, row % c.v, 0)
    rowHistory = storedHistory(c, mcuRow, row % c.v, 0)
    rowWitness = witnessColumn(c, row)
  }
  return true
}

/** Decodes blocks of a band to the end of the row, as far as their bits have come; but at least one. */
function decodeBand(): void {
  const c = scanComponent(0)
  const blockBytes = <usize>storedCount(c) * 2
  const first = col
  const end = col + min(cols - col, intervalLeft)
  do {
    if (col == rowWitness) keepWitness(c, row, position)
    const block = rowBlocks + <usize>col * blockBytes
    const history = rowHistory + <usize>col * 8
    if (kind == AC_REFINE) {
      position = refineAc(c, position, block, history)
    } else if (endOfBandRun) {
      col += takeEndOfBand(end - col)
      continue
    } else {
      position = readAcFirst(c, position, block, history)
    }
    col++
  } while (col < end && position + maxMcuBits <= availableBits)
  intervalLeft -= col - first
}

function decodeMcu(): void {
  noteSample()
  if (scanCount == 1) {
    const c = scanComponent(0)
    const block = rowBlocks + <usize>(col * storedCount(c)) * 2
    if (col == rowWitness) keepWitness(c, row, position)
    position = decodeBlock(c, position, block, c.samples + <usize>(col * nx))
    return
  }
  if (!isStored && (isSampled || watchesLeft)) {
    decodeWatchedMcu()
    return
  }
  let at = position
  const isDirect = !isStored // then it is sequential
  for (let i: u32 = 0; i < scanCount; i++) {
    const c = scanComponent(i)
    if (isDirect && !c.isNeeded) {
      for (let n = c.h * c.v; n; n--) at = skipBlock(c, at)
      continue
    }
    for (let y: u32 = 0; y < c.v; y++) {
      const x = col * c.h
      let dst = c.samples + <usize>(y * ny) * c.stride + <usize>(x * nx)
      let block = isStored && c.isNeeded ? storedBlock(c, row, y, x) : 0
      const witness = isDirect ? NO_WITNESS : witnessColumn(c, row * c.v + y)
      for (let n: u32 = 0; n < c.h; n++) {
        if (x + n == witness) keepWitness(c, row * c.v + y, at)
        at = isDirect ? readBlock(c, at, dst) : decodeBlock(c, at, block, dst)
        block += <usize>storedCount(c) * 2
        dst += nx
      }
    }
  }
  position = at
  if (isDirect && isColourRead) noteMeans()
}

/** Inspects the means of the MCU's chroma, the last ones if there are several. */
function noteMeans(): void {
  const blue = <f32>component(1).prediction * blueStep
  const red = <f32>component(2).prediction * redStep
  if (isColourFound || isFaint(blue, red)) return
  const key = component(0)
  const at = key.samples + <usize>(col * key.h * nx)
  isColourFound = areMeansClamped(at, key.stride, key.h * nx, key.v * ny, blue, red)
}

/** Keeps all AC coefficients of a block. */
function keepWitness(c: Component, line: u32, at: u32): void {
  if (kind == SEQUENTIAL) keepSequential(c, line, at)
  else if (kind == AC_FIRST) keepAcFirst(c, line, at)
  else if (kind == AC_REFINE) keepAcRefined(c, line, at)
}

/** Decodes a block into its storage or its samples. Returns the position after it. */
function decodeBlock(c: Component, at: u32, block: usize, dst: usize): u32 {
  if (kind == SEQUENTIAL) {
    if (!c.isNeeded) return skipBlock(c, at)
    if (isStored) return storeBlock(c, at, block)
    return scanCount == 1 && (isSampled || watchesLeft)
      ? watchBlock(c, at, dst)
      : readBlock(c, at, dst)
  }
  return kind == DC_FIRST ? readDcFirst(c, at, block) : refineDc(c, at, block)
}

// At a reduced scale the decoder skips most coefficients, and chroma. A sample of the MCUs is read
// in full, to see whether a picture hides in what is skipped. If so, the next MCUs are read in
// full, and so is chroma in all that follow. The sample is random, so no file can be built to avoid
// it.
//
// What counts is how far down a picture goes on unseen. So a row of a wide frame has about one
// sample: at 12 megapixels, one MCU of 250 is read in full, which costs 1 % of the time.

/** Average distance between samples in MCUs, unless the frame is wider than that. */
const SAMPLED_OF: u32 = 61
/** Largest distance in the first row: whatever begins there is found at once. */
const FIRST_DISTANCE: u32 = 7
/**
 * Blocks that are watched after one that had to be computed exactly; or the blocks of this many
 * rows of MCUs, if they are more.
 */
const WATCHED_AFTER: u32 = 4096
const WATCHED_ROWS: u32 = 16
let chance: u32 = 0x9e3779b9
let untilSampled: u32 = 0 // MCUs
let isSampled: bool = false // the current MCU
let watchesLeft: u32 = 0

/**
 * Seeds the sample with an unpredictable number. Without a call, every file has the same sample.
 */
export function seedSamples(seed: u32): void {
  chance = seed | 1
}

/**
 * Decides whether the MCU that begins is a sample: distances are 1 to twice the mean (xorshift,
 * Marsaglia).
 */
function noteSample(): void {
  isSampled = untilSampled == 0
  if (!isSampled) {
    untilSampled--
    return
  }
  chance ^= chance << 13
  chance ^= chance >> 17
  chance ^= chance << 5
  untilSampled = chance % (row == 0 ? FIRST_DISTANCE : 2 * max(SAMPLED_OF, cols) - 1)
}

/** Decodes an MCU of a directly decoded frame, and inspects what is otherwise skipped. */
function decodeWatchedMcu(): void {
  let at = position
  for (let i: u32 = 0; i < scanCount; i++) {
    const c = scanComponent(i)
    for (let n: u32 = 0; n < c.h * c.v; n++) {
      const x = col * c.h + (n % c.h)
      const dst = c.samples + <usize>((n / c.h) * ny) * c.stride + <usize>(x * nx)
      if (c.isNeeded) at = watchBlock(c, at, dst)
      else if (isColourRead && isSampled) at = lookAtChroma(c, at, c == component(1))
      else at = skipBlock(c, at)
    }
  }
  position = at
  if (!isColourRead) return
  const key = component(0)
  const luma = load<u8>(key.samples + <usize>(col * key.h * nx))
  isColourFound = isColourFound || (isSampled && isClamped(luma))
  noteMeans()
}

function watchBlock(c: Component, at: u32, dst: usize): u32 {
  if (keptCount == 64) return readBlock(c, at, dst)
  const before = exactBlocks
  if (watchesLeft) watchesLeft--
  const next = readExactBlock(c, at, dst)
  if (exactBlocks > before) watchesLeft = max(WATCHED_AFTER, WATCHED_ROWS * cols)
  return next
}

/** Rows of samples from one row of the scan's MCUs, in a directly decoded frame. */
function rowSamples(): u32 {
  if (scanCount == 1) return ny
  return ny * planeV
}

/** Ends a row of MCUs. Returns false if scans visit more blocks than the file is allowed. */
function endRow(): bool {
  col = 0
  row++
  blocksVisited += <u64>cols * <u64>mcuBlocks
  if (!isStored) writeLumaRows(rowSamples())
  if (kind == SEQUENTIAL || kind == DC_FIRST) noteLines()
  return !isOverspent()
}

function isOverspent(): bool {
  const bytes = bytesTaken + <u64>(inputBefore - inputLeft())
  const blocks = blocksVisited + <u64>exactBlocks * EXACT_BLOCK_COST
  return blocks > FREE_BLOCKS + BLOCKS_PER_BYTE * bytes
}

/** Records how many lines of the scan's components have come. */
function noteLines(): void {
  for (let i: u32 = 0; i < scanCount; i++) {
    const c = scanComponent(i)
    const lines = scanCount == 1 ? (row * 8 * maxV) / c.v : row * 8 * maxV
    c.linesDecoded = max(c.linesDecoded, lines)
  }
}

/**
 * After the bytes of an interval: finds the next marker, and continues if it is a restart. If it is
 * not the expected one, an interval is lost or came twice, which is handled as in libjpeg
 * (jpeg_resync_to_restart).
 */
function readRestart(isLast: bool): i32 {
  while (row < rows && inputLeft() >= 2) {
    const code = <u32>load<u8>(start, 1)
    if (load<u8>(start) != 0xff || code == 0 || code == 0xff) {
      skipInput(1)
      continue
    }
    if (!restartInterval) return endScan()
    if (code >= 0xc0 && (code < 0xd0 || code > 0xd7)) {
      return isExhausted() ? endScan() : continueScan()
    }
    const ahead = (code - restartNumber) & 7
    if (code < 0xc0 || ahead >= 6) {
      skipInput(2) // no marker, or one that came before
      continue
    }
    const status = skipMcus(intervalLeft)
    if (status != MORE) return status
    restartNumber = (restartNumber + 1) & 7
    if (ahead == 1 || ahead == 2) {
      if (!isExhausted()) return continueScan()
      intervalLeft = restartInterval // it is lost, with its marker
      continue
    }
    skipInput(2)
    return continueScan()
  }
  if (row == rows) return inputLeft() >= 2 ? endScan() : MORE
  if (!isLast || !restartInterval || isExhausted()) return MORE
  skipInput(inputLeft())
  return continueScan()
}

/**
 * Whether the scan has read more bits than there are. libjpeg reads on after an interval that has
 * all of its own bits, even if no restart follows: that is an interval without bytes, of which one
 * MCU is read.
 */
function isExhausted(): bool {
  return position > availableBits
}

/** Begins the next interval with the bytes that follow. */
function continueScan(): i32 {
  state = IN_SCAN
  return beginInterval() ? CONTINUE : OVER_BUDGET
}

function endScan(): i32 {
  state = IN_SKIPPED_SCAN
  return isStored ? CONTINUE : finish()
}

/** Skips MCUs that the file lost: grey, as in libjpeg. Returns MORE, or why that is impossible. */
function skipMcus(count: u32): i32 {
  for (; count && row < rows; count--) {
    if (!prepareRow()) return OVER_BUDGET
    if (!isStored) writeGreyMcu()
    if (++col == cols && !endRow()) return OVER_LIMIT
  }
  return MORE
}

function writeGreyMcu(): void {
  beginBlock(0)
  for (let i: u32 = 0; i < scanCount; i++) {
    const c = scanComponent(i)
    if (!c.isNeeded) continue
    const h: u32 = scanCount == 1 ? 1 : c.h
    const v: u32 = scanCount == 1 ? 1 : c.v
    for (let n: u32 = 0; n < h * v; n++) {
      const x = (col * h + (n % h)) * nx
      writeBlock(FLAT, c.samples + <usize>((n / h) * ny) * c.stride + <usize>x, c.stride)
    }
  }
}

/** The file has no end of image, or breaks. */
function finishEarly(): i32 {
  isCutOff = true
  return finish()
}

/**
 * The file is over, or everything that luma needs. What is missing stays grey if at least half of
 * the lines are there.
 */
function finish(): i32 {
  state = FINISHED
  if (!isPlanned || height == 0) return componentCount ? TRUNCATED : DAMAGED
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    const isWanted = i == 0 || !isLumaStored()
    if (isWanted && c.isNeeded && c.linesDecoded * 2 < height) return TRUNCATED
  }
  // Browsers show fewer rows or bits of a truncated file, even if it lacks only its end of image.
  if (isSmoothed() || isCutOff || component(0).linesDecoded < height) leaveOut()
  // What was found in some blocks may be in others that were not looked at.
  if (hasOthers && keptCount < 64) leaveOut()
  if (colour == YCC && !(latchNoTable(component(1)) && latchNoTable(component(2)))) dropColour()
  state = AT_END
  if (!isStored) {
    if (isCutOff && row < rows) beginMissingRows()
    return CONTINUE
  }
  if (areWitnessesClamped()) return OUT_OF_RANGE
  if (!beginOutput()) return OVER_BUDGET
  blocksVisited += <u64>mcusX * <u64>mcuRows() * STORED_BLOCK_COST
  if (isOverspent()) return OVER_LIMIT
  return hasColourTones() ? TONES : CONTINUE
}

/** Writes the rest of the picture, a few rows of MCUs at a time. */
function writeRest(): i32 {
  while (isStored ? rowsWritten < mcuRows() : row < rows) {
    if (isStepOver()) return PAUSED
    if (isStored) {
      writeStoredMcus(rowsWritten++)
      continue
    }
    const status = skipMcus(cols - col)
    if (status != MORE) return status
  }
  endRows()
  state = FINISHED
  return FRAME
}

function writeStoredMcus(mcuRow: u32): void {
  for (let i: u32 = 0; i < componentCount; i++) {
    const c = component(i)
    if (!c.isNeeded) continue
    noteStep(c.paddedX * c.v * STORED_BLOCK_PIXELS)
    writeStoredRow(c, mcuRow)
  }
  writeLumaRows(ny * planeV)
}
