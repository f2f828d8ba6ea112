// GIF to luma (GIF89a specification). Blocks are taken from the input window as they come, and each frame's pixels a row
// at a time; see docs/decoding.md.

import { inputLeft, skipInput, start, u16le } from '../input'
import {
  beforeFrame,
  beginCanvas,
  CLEAR,
  disposeFrame,
  drawRow,
  hasCanvas,
  KEEP,
  lookAtCanvas,
  mayGoOn,
  noteFirstFrame,
  PUT_BACK,
} from '../luma/canvas'
import { lumaOf } from '../luma/pixels'
import {
  addMissingSamples,
  addPlaneRow,
  addPlaneSamples,
  beginPixelPlanes,
  finishPlaneSamples,
  imageHeight,
  imageWidth,
  leaveOut,
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
} from '../status'
import { AT_END, beginLzw, giveByte, HAS_PIXELS, nextString, pixelCount, pixels } from './lzw'

/** Rows outside the first frame cost time too, and the file can claim them without any data. */
const MAX_CANVAS_PIXELS: u64 = 100_000_000
// Rows of an interlaced frame are added to the plane one by one. Each pixel costs as much as
// several others, and each row at least as much as a row of this many pixels.
const INTERLACED_COST: u32 = 4
const MIN_INTERLACED_PIXELS: u32 = 512
/** A transparent pixel goes to three planes, and if there are few rows, to several of each. */
const BLANK_COST: u32 = 4

// Interlace: first row and step of the four passes. The fifth covers all rows, for a frame without
// passes.
const passRow: usize = memory.data<u8>([0, 4, 2, 1, 0])
const passStep: usize = memory.data<u8>([8, 8, 4, 2, 1])
const LAST_PASS: u32 = 3
const ALL_ROWS: u32 = 4

// Where the decoder is in the file.
const AT_HEADER: u32 = 0
const AT_BLOCK: u32 = 1
const IN_EXTENSION: u32 = 2
const AT_CODE_SIZE: u32 = 3
const IN_DATA: u32 = 4
const ABOVE_FRAME: u32 = 5 // rows outside the first frame
const BELOW_FRAME: u32 = 6
const FINISHED: u32 = 7
let state: u32 = AT_HEADER
let subBlockLeft: u32 = 0
let bytesTaken: u64 = 0

let screenWidth: u32 = 0
let screenHeight: u32 = 0
let hasFirstFrame: bool = false
let isFirstFrameDone: bool = false
let blankRows: u32 = 0 // to be added above or below the first frame
let isGivenUp: bool = false

// The frame: its rectangle, as far as it is on the canvas, and what follows it.
let frameX: u32 = 0
let frameY: u32 = 0
let frameWidth: u32 = 0 // as coded
let frameHeight: u32 = 0
let shownWidth: u32 = 0 // on the canvas
let shownHeight: u32 = 0
let disposal: u32 = KEEP
let nextDisposal: u32 = KEEP // from the graphic control extension before the frame
let nextTransparent: i32 = -1
let hadTransparent: bool = false // in any such extension before the frame
let pass: u32 = ALL_ROWS
let rowIndex: u32 = 0
let rowsDone: u32 = 0
let column: u32 = 0
let luma: usize = 0
let alpha: usize = 0

// Luma and alpha by pixel value, of the global colours and of the frame's. Values beyond the table
// are transparent in browsers and grey in Pillow. As transparent grey, they are hashed as both.
let globalCount: u32 = 0
const globalLuma = memory.data(1024)
const colourLuma = memory.data(1024)
const colourAlpha = memory.data(1024)
/** Luma around the first frame: browsers show the background, Pillow and others its colour. */
let aroundLuma: f32 = 0

/** Decodes the available input. `isLast`: no more will come. Returns a status. */
export function decodeGif(isLast: bool): i32 {
  while (true) {
    const before = inputLeft()
    const status = step()
    bytesTaken += before - inputLeft()
    if (status == MORE && isLast) return finish(TRUNCATED)
    if (status != CONTINUE) return status
  }
}

function step(): i32 {
  switch (state) {
    case AT_HEADER:
      return readHeader()
    case AT_BLOCK:
      return readBlock()
    case IN_EXTENSION:
      return skipSubBlocks()
    case AT_CODE_SIZE:
      if (!inputLeft()) return MORE
      state = IN_DATA
      subBlockLeft = 0
      if (!beginLzw(load<u8>(start))) return giveUp(DAMAGED)
      skipInput(1)
      return CONTINUE
    case IN_DATA:
      return readData()
    case ABOVE_FRAME:
    case BELOW_FRAME:
      return addBlankRows()
    default:
      return DONE
  }
}

/** Reads `count` colours of three bytes as luma. */
function readColours(at: usize, count: u32, to: usize): void {
  for (let i: u32 = 0; i < 256; i++, at += 3) {
    const value = i < count ? lumaOf(load<u8>(at), load<u8>(at, 1), load<u8>(at, 2)) : <f32>i
    f32.store(to + ((<usize>i) << 2), value)
  }
}

/** Number of a table's colours, from a descriptor's flags; 0 if there is no table. */
function coloursIn(flags: u32): u32 {
  return flags & 0x80 ? (<u32>2) << (flags & 7) : 0
}

function readHeader(): i32 {
  if (inputLeft() < 13) return MORE
  if (load<u32>(start) != 0x38464947) return DAMAGED // 'GIF8'
  globalCount = coloursIn(load<u8>(start, 10))
  if (inputLeft() < 13 + 3 * globalCount) return MORE
  limitMemory(SMALL_MEMORY)
  screenWidth = u16le(start + 6)
  screenHeight = u16le(start + 8)
  readColours(start + 13, globalCount, globalLuma)
  aroundLuma = globalCount ? f32.load(globalLuma + ((<usize>load<u8>(start, 11)) << 2)) : 0
  skipInput(13 + 3 * globalCount)
  state = AT_BLOCK
  return CONTINUE
}

function readBlock(): i32 {
  if (!inputLeft()) return MORE
  switch (<u32>load<u8>(start)) {
    case 0x21:
      return readExtension()
    case 0x2c:
      return readDescriptor()
    case 0x3b:
      return finish(DAMAGED)
    default:
      skipInput(1) // some files have stray bytes between blocks
      return CONTINUE
  }
}

/** An extension: only the graphic control extension affects the picture. */
function readExtension(): i32 {
  if (inputLeft() < 2) return MORE
  if (load<u8>(start, 1) == 0xf9) {
    if (inputLeft() < 7) return MORE
    const flags = <u32>load<u8>(start, 3)
    const method = (flags >> 2) & 7
    nextDisposal = method == 2 ? CLEAR : method == 3 ? PUT_BACK : KEEP
    nextTransparent = flags & 1 ? load<u8>(start, 6) : -1
    hadTransparent = hadTransparent || nextTransparent >= 0
  }
  return skipExtension()
}

function skipExtension(): i32 {
  skipInput(2)
  subBlockLeft = 0
  state = IN_EXTENSION
  return CONTINUE
}

function skipSubBlocks(): i32 {
  while (true) {
    subBlockLeft -= skipInput(subBlockLeft)
    if (!inputLeft()) return MORE
    subBlockLeft = load<u8>(start)
    skipInput(1)
    if (!subBlockLeft) break
  }
  state = AT_BLOCK
  return CONTINUE
}

/** An image descriptor, and the frame's own colours. */
function readDescriptor(): i32 {
  if (inputLeft() < 10) return MORE
  const flags = <u32>load<u8>(start, 9)
  const count = coloursIn(flags)
  if (inputLeft() < 10 + 3 * count) return MORE
  frameX = u16le(start + 1)
  frameY = u16le(start + 3)
  frameWidth = u16le(start + 5)
  frameHeight = u16le(start + 7)
  if (count) readColours(start + 10, count, colourLuma)
  else memory.copy(colourLuma, globalLuma, 1024)
  const known = <i32>(count ? count : globalCount)
  for (let i: i32 = 0; i < 256; i++) {
    f32.store(colourAlpha + ((<usize>i) << 2), i == nextTransparent || i >= known ? 0 : 255)
  }
  if (hadTransparent && nextTransparent < 0) leaveOut() // the last extension counts, or each of them
  if (!known && nextTransparent >= 0) leaveOut() // Pillow shows grey around what is transparent
  hadTransparent = false
  skipInput(10 + 3 * count)
  disposal = nextDisposal
  nextDisposal = KEEP
  nextTransparent = -1
  pass = flags & 0x40 ? 0 : ALL_ROWS
  // Browsers take a frame without a size to be as large as the screen, and Pillow shows noise.
  if (!frameWidth || !frameHeight) leaveOut()
  if (!frameWidth) frameWidth = screenWidth
  if (!frameHeight) frameHeight = screenHeight
  if (!frameWidth || !frameHeight) return skipFrame()
  return beginFrame()
}

/** Passes over a frame that shows nothing: its code size, then sub-blocks. */
function skipFrame(): i32 {
  state = IN_EXTENSION
  subBlockLeft = 1
  return CONTINUE
}

function beginFrame(): i32 {
  if (!hasFirstFrame) {
    const status = beginImage()
    if (status != CONTINUE) return status
  } else if (!hasCanvas() || !mayGoOn(bytesTaken)) {
    leaveOut()
    return finish(DAMAGED)
  }
  shownWidth = frameX < imageWidth ? min(frameWidth, imageWidth - frameX) : 0
  shownHeight = frameY < imageHeight ? min(frameHeight, imageHeight - frameY) : 0
  if (hasCanvas()) beforeFrame(disposal)
  rowIndex = load<u8>(passRow + pass)
  rowsDone = 0
  column = 0
  clearRow()
  state = AT_CODE_SIZE
  return isFirstFrameDone || pass != ALL_ROWS ? CONTINUE : addBlank(frameY, ABOVE_FRAME)
}

/**
 * Begins the image with its first frame. As in browsers, the screen grows to the frame's size if
 * necessary.
 */
function beginImage(): i32 {
  hasFirstFrame = true
  if (!screenWidth || !screenHeight) leaveOut() // some programs then only show the frame
  const width = max(screenWidth, frameX + frameWidth)
  const height = max(screenHeight, frameY + frameHeight)
  if (width > MAX_SIDE || height > MAX_SIDE) return OVER_LIMIT
  if (<u64>width * <u64>height > MAX_CANVAS_PIXELS) return OVER_LIMIT
  luma = allocate(<usize>width * 4)
  alpha = allocate(<usize>width * 4)
  if (!luma || !alpha || !beginPixelPlanes(width, height)) return OVER_BUDGET
  beginCanvas() // without one, later frames are left out
  return CONTINUE
}

function interlacedCost(count: u32): u32 {
  return max(count, MIN_INTERLACED_PIXELS) * INTERLACED_COST
}

/** Makes the row transparent, as outside the frame. */
function clearRow(): void {
  clearPixels(0)
}

/** Makes the pixels of the row transparent from one on. */
function clearPixels(from: u32): void {
  const value: f32 = isFirstFrameDone ? 0 : aroundLuma
  for (let x = from; x < imageWidth; x++) f32.store(luma + ((<usize>x) << 2), value)
  memory.fill(alpha + ((<usize>from) << 2), 0, (<usize>(imageWidth - from)) << 2)
}

/** Adds rows above the first frame, or those that it lacks and those below it. */
function addBlank(count: u32, where: u32): i32 {
  clearRow()
  blankRows = count
  state = where
  return addBlankRows()
}

/** Adds some of these rows. Returns OVER_LIMIT if that is too much work. */
function addBlankRows(): i32 {
  const isPlain = pass == ALL_ROWS
  for (; blankRows; blankRows--) {
    if (isStepOver()) return PAUSED
    const y = imageHeight - blankRows
    if (!isPlain && y - frameY < shownHeight) continue
    spendPixels(isPlain ? imageWidth * BLANK_COST : interlacedCost(imageWidth))
    if (isOverspent(bytesTaken)) {
      state = FINISHED
      return OVER_LIMIT
    }
    if (isPlain) addPlaneRow(luma, alpha)
    else addPlaneSamples(y, 0, 1, luma, alpha, imageWidth)
  }
  if (state == BELOW_FRAME) return showFirstFrame()
  state = AT_CODE_SIZE
  return CONTINUE
}

/** Passes on a row of which only the first pixels came: the others are transparent. */
function endPartialRow(): void {
  if (!column || rowsDone >= frameHeight) return
  if (column < shownWidth) clearPixels(frameX + column)
  useRow()
}

/**
 * Reports the missing rows of an interlaced frame to the planes: browsers repeat existing rows,
 * others show nothing.
 */
function addMissingRows(): void {
  clearRow()
  while (rowsDone < frameHeight) {
    if (rowIndex < shownHeight) addMissingSamples(frameY + rowIndex, 0, 1, alpha, imageWidth, true)
    nextRow()
  }
}

/** Takes sub-blocks of a frame's data. */
function readData(): i32 {
  while (true) {
    const status = nextString()
    if (status == HAS_PIXELS) {
      if (!takePixels()) return giveUp(OVER_LIMIT)
      if (rowsDone == frameHeight) return endFrame()
      if (isStepOver()) return PAUSED
      continue
    }
    if (status < 0) return giveUp(DAMAGED)
    if (status == AT_END) return endFrame() // with fewer rows than it claimed
    if (!inputLeft()) return MORE
    const byte = <u32>load<u8>(start)
    if (subBlockLeft) {
      giveByte(byte)
      subBlockLeft--
    } else if (byte) {
      subBlockLeft = byte
    } else {
      return endFrame()
    }
    skipInput(1)
  }
}

/**
 * Puts the last string's pixels into rows. Returns false if that exceeds the work that the file is
 * allowed.
 */
function takePixels(): bool {
  for (let k: u32 = 0; k < pixelCount && rowsDone < frameHeight; k++) {
    if (column < shownWidth) {
      const from = (<usize>load<u8>(pixels + k)) << 2
      const to = (<usize>(frameX + column)) << 2
      f32.store(luma + to, f32.load(colourLuma + from))
      f32.store(alpha + to, f32.load(colourAlpha + from))
    }
    if (++column < frameWidth) continue
    useRow()
    // The first frame's rows go to the plane at the width of the image.
    const width = isFirstFrameDone ? frameWidth : max(frameWidth, imageWidth)
    spendPixels(pass == ALL_ROWS ? width : interlacedCost(width))
    if (isOverspent(bytesTaken)) return false
  }
  return true
}

/** Passes on the finished row and finds the next one. */
function useRow(): void {
  if (rowIndex < shownHeight) {
    const y = frameY + rowIndex
    if (!isFirstFrameDone) {
      if (pass == ALL_ROWS) addPlaneRow(luma, alpha)
      else addPlaneSamples(y, 0, 1, luma, alpha, imageWidth)
    }
    if (hasCanvas()) {
      const offset = (<usize>frameX) << 2
      drawRow(frameX, y, luma + offset, alpha + offset, shownWidth, true)
    }
  }
  nextRow()
}

function nextRow(): void {
  column = 0
  rowsDone++
  rowIndex += load<u8>(passStep + pass)
  while (pass < LAST_PASS && rowIndex >= frameHeight) rowIndex = load<u8>(passRow + ++pass)
}

/** The frame has all rows that its data contains; remaining data is skipped. */
function endFrame(): i32 {
  state = IN_EXTENSION
  if (rowsDone < frameHeight) leaveOut()
  endPartialRow()
  if (isFirstFrameDone) {
    const isNew = lookAtCanvas()
    disposeFrame(disposal, frameX, frameY, shownWidth, shownHeight)
    return isNew ? FRAME : CONTINUE
  }
  return endFirstFrame()
}

/** An interlaced frame has blank rows above and below it, which are added one by one. */
function endFirstFrame(): i32 {
  const isPlain = pass == ALL_ROWS
  return addBlank(
    isPlain ? imageHeight - frameY - min(rowsDone, shownHeight) : imageHeight,
    BELOW_FRAME,
  )
}

function showFirstFrame(): i32 {
  state = isGivenUp ? FINISHED : IN_EXTENSION
  isFirstFrameDone = true
  if (pass != ALL_ROWS) {
    addMissingRows()
    finishPlaneSamples()
  }
  if (hasCanvas()) {
    noteFirstFrame()
    disposeFrame(disposal, frameX, frameY, shownWidth, shownHeight)
  }
  return FRAME
}

/**
 * The frame cannot be decoded further. The first frame still counts, as the last one, if half of
 * its rows are there.
 */
function giveUp(status: i32): i32 {
  state = FINISHED
  endPartialRow()
  if (isFirstFrameDone) {
    leaveOut()
    return rowsDone && hasCanvas() && lookAtCanvas() ? FRAME : DONE
  }
  if (status == OVER_LIMIT || rowsDone * 2 < frameHeight) return status
  leaveOut()
  isGivenUp = true
  return endFirstFrame()
}

/** The file is over. `status` applies if it has no picture. */
function finish(status: i32): i32 {
  if (state == IN_DATA) return giveUp(status)
  if (state == IN_EXTENSION && subBlockLeft) leaveOut() // libvips leaves such a block out, and its pixels
  state = FINISHED
  return isFirstFrameDone ? DONE : status
}
