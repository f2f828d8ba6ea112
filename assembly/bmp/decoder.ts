// BMP to luma: the Windows headers of 40 to 124 bytes and the OS/2 one of 12; 1 to 32 bits a pixel, bit fields, RLE.
// Rows are taken from the input window as they come, usually from the bottom up; see docs/decoding.md.

import { inputLeft, skipInput, start, u16le } from '../input'
import { lumaOf } from '../luma/pixels'
import {
  addPlaneRow,
  addPlaneRows,
  beginPixelPlanes,
  dropTransparency,
  leaveOut,
  flipPlanes,
  imageHeight,
  imageWidth,
  MAX_SIDE,
} from '../luma/planes'
import { isOverspent, isStepOver, spendPixels } from '../luma/work'
import { allocate, limitMemory, SMALL_MEMORY } from '../memory'
import {
  CONTINUE,
  DAMAGED,
  DONE,
  FRAME,
  MORE,
  OVER_BUDGET,
  OVER_LIMIT,
  PAUSED,
  TRUNCATED,
  UNSUPPORTED,
} from '../status'

// Compressions.
const PLAIN: u32 = 0
const RLE8: u32 = 1
const RLE4: u32 = 2
const BIT_FIELDS: u32 = 3
const OS2_RLE24: u32 = 4
const ALPHA_BIT_FIELDS: u32 = 6

const AT_HEADER: u32 = 0
const AT_PIXELS: u32 = 1
const IN_ROWS: u32 = 2
const IN_RUNS: u32 = 3
const IN_MISSING: u32 = 4 // rows missing from the file
const FINISHED: u32 = 5
let state: u32 = AT_HEADER
let bytesTaken: u64 = 0
let toSkip: u32 = 0

let isTopDown: bool = false
let pixelBits: u32 = 0
let hasAlpha: bool = false
let isAlphaSeen: bool = false // some pixel is not fully transparent
let rowBytes: u32 = 0
let rowFill: u32 = 0
let rowsDone: u32 = 0
let column: u32 = 0
let runBits: u32 = 8
let rowsToEnd: u32 = 0 // set by an escape
let row: usize = 0
let otherOffset: u32 = 0 // from the row to the one that starts after the colours; 0 if it is the same
let luma: usize = 0
let alpha: usize = 0
let otherLuma: usize = 0

// By value of a pixel, f32. Values beyond the palette are black in browsers and grey in Pillow. As
// transparent grey, they are hashed as both.
const colours = memory.data(1024)
const colourAlphas = memory.data(1024)

// Bit fields: the position of each channel, and its largest value.
const masks = memory.data(16) // red, green, blue, alpha: u32

/** Decodes the available input. `isLast`: no more will come. Returns a status. */
export function decodeBmp(isLast: bool): i32 {
  while (true) {
    const before = inputLeft()
    const status = step(isLast)
    bytesTaken += before - inputLeft()
    if (status == MORE && isLast) return state == AT_HEADER ? DAMAGED : giveUp()
    if (status != CONTINUE) return status
  }
}

function step(isLast: bool): i32 {
  switch (state) {
    case AT_HEADER:
      return readHeader(isLast)
    case AT_PIXELS:
      toSkip -= skipInput(toSkip)
      if (toSkip) return MORE
      state = runBits ? IN_RUNS : IN_ROWS
      return CONTINUE
    case IN_ROWS:
      return readRows()
    case IN_RUNS:
      return readRuns()
    case IN_MISSING:
      return addMissing()
    default:
      return DONE
  }
}

/**
 * Possible lengths of a bitmap header: OS/2 1.x; OS/2 2.x, cut anywhere, and Windows 3 to 3.2;
 * Windows 4; Windows 5.
 */
function isHeaderLength(bytes: u32): bool {
  return bytes == 12 || (bytes >= 16 && bytes <= 64) || bytes == 108 || bytes == 124
}

/** A field of the bitmap header; 0 beyond its end. */
function field(offset: u32, headerBytes: u32): u32 {
  return offset + 4 <= headerBytes ? load<u32>(start + 14 + offset) : 0
}

/**
 * The file header, the bitmap header and the colours. Programs seek to the pixels wherever the file
 * says, even if these begin among the colours or headers, and read all colours nevertheless.
 */
function readHeader(isLast: bool): i32 {
  if (inputLeft() < 18) return MORE
  const headerBytes = load<u32>(start, 14)
  if (load<u16>(start) != 0x4d42 || !isHeaderLength(headerBytes)) return DAMAGED // 'BM'
  if (inputLeft() < 14 + headerBytes) return MORE
  const isCore = headerBytes == 12
  const bits = u16le(start + (isCore ? 24 : 28))
  const compression: u32 = isCore ? PLAIN : field(16, headerBytes)
  const named: u32 = isCore ? 0 : field(32, headerBytes)
  let maskBytes: u32 = 0
  if (headerBytes == 40 && compression == BIT_FIELDS) maskBytes = 12
  if (headerBytes == 40 && compression == ALPHA_BIT_FIELDS) maskBytes = 16
  let colourCount: u32 = 0
  if (bits <= 8) {
    const all = (<u32>1) << bits
    colourCount = named && named <= all ? named : all
  }
  const coloursAt: u32 = 14 + headerBytes + maskBytes
  const colourBytes: u32 = isCore ? 3 : 4
  const pixelsAt = load<u32>(start, 10)
  const end: u32 = coloursAt + colourCount * colourBytes
  if (inputLeft() < end) {
    if (!isLast || inputLeft() < coloursAt) return MORE
    colourCount = min(colourCount, (inputLeft() - coloursAt) / colourBytes)
  }

  const width = isCore ? <i32>u16le(start + 18) : load<i32>(start, 18)
  const height = isCore ? <i32>u16le(start + 20) : load<i32>(start, 22)
  isTopDown = height < 0
  // OS/2 2.x gives the same numbers other meanings.
  const isWindows =
    headerBytes == 40 || headerBytes == 52 || headerBytes == 56 || headerBytes >= 108
  const status = beginImage(width, isTopDown ? 0 - height : height, bits, compression, isWindows)
  if (status != CONTINUE) return status
  readMasks(headerBytes, compression)
  if (bits <= 8) readColours(start + coloursAt, colourCount, colourBytes)
  // Not all programs agree on such files. Runs from top to bottom are invalid, and browsers refuse them.
  if (pixelsAt < coloursAt || (isTopDown && runBits)) leaveOut()
  else if (pixelsAt == coloursAt && bits <= 8) beginOtherRows(4 * (named ? named : 1 << bits))
  toSkip = pixelsAt
  state = AT_PIXELS
  return CONTINUE
}

function readColours(at: usize, count: u32, bytes: u32): void {
  for (let i: u32 = 0; i < 256; i++, at += bytes) {
    const isIn = i < count
    const value = isIn ? lumaOf(load<u8>(at, 2), load<u8>(at, 1), load<u8>(at)) : <f32>i
    f32.store(colours + (i << 2), value)
    f32.store(colourAlphas + (i << 2), isIn ? 255 : 0)
  }
  hasAlpha = count < 256
  isAlphaSeen = true
}

/** Pixels begin where colours should. Pillow then looks for them after the colours. */
function beginOtherRows(offset: u32): void {
  const held = offset <= 1024 && !runBits ? allocate(rowBytes + offset) : 0
  otherLuma = held ? allocate(<usize>imageWidth * 4) : 0
  if (!otherLuma) return leaveOut()
  row = held
  otherOffset = offset
  hasAlpha = false
}

function beginImage(width: i32, height: i32, bits: u32, compression: u32, isWindows: bool): i32 {
  if (width <= 0 || height <= 0) return DAMAGED
  if (<u32>width > MAX_SIDE || <u32>height > MAX_SIDE) return OVER_LIMIT
  const isPlain =
    compression == PLAIN && (bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits >= 16)
  const isFields =
    isWindows &&
    (compression == BIT_FIELDS || compression == ALPHA_BIT_FIELDS) &&
    (bits == 16 || bits == 32)
  const isRuns =
    (compression == RLE8 && bits == 8) ||
    (compression == RLE4 && bits == 4) ||
    (compression == OS2_RLE24 && bits == 24 && !isWindows)
  if (bits > 32 || (bits > 16 && bits != 24 && bits != 32)) return DAMAGED
  if (!isPlain && !isFields && !isRuns) return UNSUPPORTED
  limitMemory(SMALL_MEMORY)
  pixelBits = bits
  runBits = isRuns ? bits : 0
  rowBytes = ((<u32>width * bits + 31) / 32) * 4
  row = allocate(rowBytes)
  luma = allocate(<usize>width * 4)
  alpha = allocate(<usize>width * 4)
  if (!row || !luma || !alpha || !beginPixelPlanes(width, height)) return OVER_BUDGET
  return CONTINUE
}

/** Bit fields, from the header or after it; the default ones if there are none. */
function readMasks(headerBytes: u32, compression: u32): void {
  const isFields = compression == BIT_FIELDS || compression == ALPHA_BIT_FIELDS
  // Masks that are all 0 are black in browsers, and the default in Pillow.
  const isEmpty = isFields && !(load<u32>(start, 54) | load<u32>(start, 58) | load<u32>(start, 62))
  if (isFields && !isEmpty) {
    memory.copy(masks, start + 54, 12)
    hasAlpha = headerBytes >= 56 || compression == ALPHA_BIT_FIELDS
    if (hasAlpha) store<u32>(masks, load<u32>(start, 66), 12)
  } else if (pixelBits == 16) {
    store<u32>(masks, 0x7c00)
    store<u32>(masks, 0x03e0, 4)
    store<u32>(masks, 0x001f, 8)
  } else {
    store<u32>(masks, 0xff0000)
    store<u32>(masks, 0x00ff00, 4)
    store<u32>(masks, 0x0000ff, 8)
    // Alpha is the fourth byte: in browsers, if the header has any mask for it; in ImageMagick, also
    // if the header is too short for one.
    const hasMask = isEmpty || headerBytes < 56 || load<u32>(start, 66) != 0
    store<u32>(masks, pixelBits == 32 && hasMask ? 0xff000000 : 0, 12)
    hasAlpha = true
  }
  hasAlpha = hasAlpha && load<u32>(masks, 12) != 0
}

/** A channel of a pixel, 0 to 255, rounded as in other programs. */
function channel(pixel: u32, index: u32): f32 {
  const mask = load<u32>(masks + ((<usize>index) << 2))
  if (!mask) return 0
  const shift = ctz(mask)
  return nearest<f32>((<f32>((pixel & mask) >> shift) * 255) / <f32>(mask >> shift))
}

function readRows(): i32 {
  while (rowsDone < imageHeight) {
    const rowEnd = rowBytes + otherOffset
    const count = min(inputLeft(), rowEnd - rowFill)
    memory.copy(row + rowFill, start, count)
    skipInput(count)
    rowFill += count
    if (rowFill < rowEnd) return MORE
    useRow()
  }
  return endImage()
}

/** Passes on a row that is complete, as is the other one. */
function useRow(): void {
  readRow(row, luma)
  if (otherOffset) {
    for (let x: u32 = 0; x < imageWidth; x++) {
      const at = (<usize>x) << 2
      if (!f32.load(alpha + at)) f32.store(luma + at, 0) // beyond the palette, as in browsers
    }
    readRow(row + otherOffset, otherLuma)
    addPlaneRows(luma, otherLuma)
    memory.copy(row, row + rowBytes, otherOffset)
  } else {
    addPlaneRow(luma, hasAlpha ? alpha : 0)
  }
  rowFill -= rowBytes
  rowsDone++
}

/** Luma of a row's pixels. */
function readRow(bytes: usize, values: usize): void {
  for (let x: u32 = 0; x < imageWidth; x++) {
    const to = (<usize>x) << 2
    if (pixelBits <= 8) {
      const bit = x * pixelBits
      const byte = <u32>load<u8>(bytes + (bit >> 3))
      const value = (byte >> (8 - pixelBits - (bit & 7))) & ((1 << pixelBits) - 1)
      f32.store(values + to, f32.load(colours + ((<usize>value) << 2)))
      f32.store(alpha + to, f32.load(colourAlphas + ((<usize>value) << 2)))
    } else if (pixelBits == 24) {
      const at = bytes + <usize>x * 3
      f32.store(values + to, lumaOf(load<u8>(at, 2), load<u8>(at, 1), load<u8>(at)))
    } else {
      const pixel = pixelBits == 16 ? u16le(bytes + ((<usize>x) << 1)) : load<u32>(bytes + to)
      f32.store(values + to, lumaOf(channel(pixel, 0), channel(pixel, 1), channel(pixel, 2)))
      if (!hasAlpha) continue
      const opacity = channel(pixel, 3)
      isAlphaSeen = isAlphaSeen || opacity > 0
      f32.store(alpha + to, opacity)
    }
  }
}

/**
 * RLE8, RLE4 and RLE24: a count and a value, repeated; or 0 and an escape: end of row, end of
 * image, a step right and up, or a number of literal values. Skipped pixels have value 0 and are
 * transparent, as browsers show them.
 */
function readRuns(): i32 {
  if (!rowsDone && !column) clearRow()
  while (rowsDone < imageHeight) {
    if (isStepOver()) return PAUSED
    if (rowsToEnd) {
      const at = column
      if (!endRow()) return OVER_LIMIT
      column = at
      rowsToEnd--
      continue
    }
    if (inputLeft() < 2) return MORE
    const count = <u32>load<u8>(start)
    const value = <u32>load<u8>(start, 1)
    if (count) {
      const bytes: u32 = runBits == 24 ? 4 : 2
      if (inputLeft() < bytes) return MORE
      if (runBits == 24) putColours(count, start + 1, 0)
      else putRun(count, value)
      skipInput(bytes)
    } else if (value == 0) {
      if (!endRow()) return OVER_LIMIT
      skipInput(2)
    } else if (value == 1) {
      rowsToEnd = imageHeight - rowsDone
    } else if (value == 2) {
      if (inputLeft() < 4) return MORE
      rowsToEnd = load<u8>(start, 3)
      column += load<u8>(start, 2)
      skipInput(4)
    } else {
      const bytes = runBits == 4 ? (value + 1) >> 1 : (value * runBits) >> 3
      const padded = (bytes + 1) & ~1
      if (inputLeft() < 2 + padded) return MORE
      if (runBits == 24) putColours(value, start + 2, 3)
      else
        for (let k: u32 = 0; k < value; k++) {
          const byte = <u32>load<u8>(start + 2 + (runBits == 8 ? k : k >> 1))
          putPixel(runBits == 8 ? byte : k & 1 ? byte & 15 : byte >> 4)
        }
      skipInput(2 + padded)
    }
  }
  return endImage()
}

function putRun(count: u32, value: u32): void {
  // A run may claim to go on far beyond the end of its row: that must not cost time.
  const shown = column < imageWidth ? min(count, imageWidth - column) : 0
  for (let k: u32 = 0; k < shown; k++) {
    putPixel(runBits == 8 ? value : k & 1 ? value & 15 : value >> 4)
  }
  column += count - shown
}

function putPixel(value: u32): void {
  const at = (<usize>value) << 2
  putLuma(f32.load(colours + at), f32.load(colourAlphas + at))
}

/** Stores `count` colours of three bytes, `distance` bytes apart. */
function putColours(count: u32, from: usize, distance: usize): void {
  const shown = column < imageWidth ? min(count, imageWidth - column) : 0
  for (let k: u32 = 0; k < shown; k++, from += distance) {
    putLuma(lumaOf(load<u8>(from, 2), load<u8>(from, 1), load<u8>(from)), 255)
  }
  column += count - shown
}

function putLuma(value: f32, opacity: f32): void {
  if (column < imageWidth) {
    const at = (<usize>column) << 2
    f32.store(luma + at, value)
    f32.store(alpha + at, opacity)
  }
  column++
}

function clearRow(): void {
  for (let x: u32 = 0; x < imageWidth; x++) f32.store(luma + ((<usize>x) << 2), f32.load(colours))
  memory.fill(alpha, 0, <usize>imageWidth * 4)
}

/** Ends a row of runs. Returns false if that exceeds the work that the file is allowed. */
function endRow(): bool {
  addPlaneRow(luma, alpha)
  clearRow()
  rowsDone++
  column = 0
  spendPixels(imageWidth)
  return !isOverspent(bytesTaken)
}

function endImage(): i32 {
  state = FINISHED
  if (hasAlpha && !isAlphaSeen) dropTransparency() // then it is not alpha
  if (!isTopDown) flipPlanes()
  return FRAME
}

/**
 * The file ends before its rows do: missing ones become transparent black, if at least half is
 * there.
 */
function giveUp(): i32 {
  if (state == FINISHED) return DONE
  if (otherOffset) addHeldRows()
  if (rowsDone == imageHeight) return endImage()
  if (rowsDone * 2 < imageHeight || state == AT_PIXELS) return TRUNCATED
  memory.fill(luma, 0, <usize>imageWidth * 4)
  memory.fill(alpha, 0, <usize>imageWidth * 4)
  leaveOut()
  state = IN_MISSING
  return addMissing()
}

/** Adds rows that are complete, but whose other rows are not. */
function addHeldRows(): void {
  leaveOut()
  while (rowFill >= rowBytes && rowsDone < imageHeight) {
    memory.fill(row + rowFill, 0, rowBytes + otherOffset - rowFill)
    useRow()
  }
}

/** Adds the rows missing from the file, some at a time. */
function addMissing(): i32 {
  for (; rowsDone < imageHeight; rowsDone++) {
    if (isStepOver()) return PAUSED
    if (otherOffset) addPlaneRows(luma, luma)
    else addPlaneRow(luma, alpha)
  }
  return endImage()
}
