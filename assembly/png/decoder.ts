// PNG and APNG to luma (PNG specification, third edition). Chunks are taken from the input window as they come, their
// image data inflated and unfiltered a row at a time; see docs/decoding.md.

import {
  hasTones,
  keepChromaticities,
  keepCodePoints,
  keepContentPeak,
  keepDisplayPeak,
  keepGamma,
  keepProfile,
} from '../colour'
import { keepExif } from '../exif'
import {
  beginInflate,
  giveCompressed,
  inflate,
  NEEDS_INPUT,
  OUTPUT_FULL,
  outputEnd,
  outputStart,
  STREAM_END,
  TOO_MANY_BLOCKS,
} from '../inflate/inflate'
import { inputLeft, skipInput, start, u32be } from '../input'
import {
  beforeFrame,
  beginCanvas,
  disposeFrame,
  drawRow,
  hasCanvas,
  lookAtCanvas,
  mayGoOn,
  noteFirstFrame,
} from '../luma/canvas'
import {
  addMissingSamples,
  addPlaneRow,
  addPlaneSamples,
  addTonedRow,
  addTonedSamples,
  beginPixelPlanes,
  finishPlaneSamples,
  hasTonedPlane,
  imageHeight,
  imageWidth,
  leaveOut,
  MAX_SIDE,
} from '../luma/planes'
import { isStepOver, spendPixels } from '../luma/work'
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
  TONES,
  TRUNCATED,
} from '../status'
import {
  hasColours,
  lumaOfRow,
  mayBeTransparent,
  rowBytesOf,
  hasPalette,
  setPalette,
  setPixelFormat,
  setTransparency,
  takesTransparency,
  tonedRow,
  unfilter,
} from './rows'

// Image data may grow a thousandfold when inflated. Work is counted in units of about a nanosecond:
// several per pixel, and one per byte. This much is free, 8 megapixels of RGB; beyond it, a file is
// allowed what a real picture needs.
const FREE_WORK: u64 = 40_000_000
const WORK_PER_BYTE: u64 = 100
const PIXEL_WORK: u32 = 2
const INTERLACED_PIXEL_WORK: u32 = 7
/** Minimum cost of a pass's row, in pixels: it is added to a row of the plane. */
const MIN_PASS_PIXELS: u32 = 512

/** Longest chunk that must be seen whole. */
const MAX_CHUNK_BYTES: u32 = 65536

const SIGNATURE_HIGH: u32 = 0x89504e47
const SIGNATURE_LOW: u32 = 0x0d0a1a0a
const IHDR: u32 = 0x49484452
const PLTE: u32 = 0x504c5445
const TRNS: u32 = 0x74524e53
const EXIF: u32 = 0x65584966
const IDAT: u32 = 0x49444154
const IEND: u32 = 0x49454e44
const ACTL: u32 = 0x6163544c
const FCTL: u32 = 0x6663544c
const FDAT: u32 = 0x66644154
const ICCP: u32 = 0x69434350
const GAMA: u32 = 0x67414d41
const CHRM: u32 = 0x6348524d
const CICP: u32 = 0x63494350
const SRGB: u32 = 0x73524742
const CLLI: u32 = 0x634c4c49
const MDCV: u32 = 0x6d444356
/** PNG's gamma of sRGB, times 100,000. */
const SRGB_GAMMA: u32 = 45455

// Adam7: where each pass begins and how far apart its pixels are. The eighth covers all pixels, for
// a file without passes.
const passX: usize = memory.data<u8>([0, 4, 0, 2, 0, 1, 0, 0])
const passY: usize = memory.data<u8>([0, 0, 4, 0, 2, 0, 1, 0])
const passStepX: usize = memory.data<u8>([8, 8, 4, 4, 2, 2, 1, 1])
const passStepY: usize = memory.data<u8>([8, 8, 8, 4, 4, 2, 2, 1])
const LAST_PASS: u32 = 6
const ALL_PIXELS: u32 = 7

// Where the decoder is in the file.
const AT_SIGNATURE: u32 = 0
const AT_CHUNK: u32 = 1
const IN_DATA: u32 = 2
const IN_MISSING: u32 = 3 // rows missing from the file
const FINISHED: u32 = 4
let state: u32 = AT_SIGNATURE
let toSkip: u32 = 0
let dataLeft: u32 = 0
let bytesTaken: u64 = 0
let work: u64 = 0
let isInterlaced: bool = false
let hasHeader: bool = false
let isAnimated: bool = false

// Inflated data: rows are taken from `rowsAt` on.
let inflated: i32 = NEEDS_INPUT
let rowsAt: usize = 0
let isPaused: bool = false // before its end

// The frame: its rectangle on the canvas, and what follows it.
const NO_FRAME: u32 = 0
const FIRST_FRAME: u32 = 1 // the image itself: goes to the planes, and to the canvas if it is part of the animation
const LATER_FRAME: u32 = 2
let frame: u32 = NO_FRAME
let isFrameDone: bool = false
let isControlled: bool = false // by an fcTL chunk
let frameX: u32 = 0
let frameY: u32 = 0
let frameWidth: u32 = 0
let frameHeight: u32 = 0
let disposal: u32 = 0
let blends: bool = false

// The row.
let pass: u32 = 0
let passCols: u32 = 0
let passRows: u32 = 0
let rowIndex: u32 = 0 // within the pass
let rowBytes: u32 = 0
let rowFill: u32 = 0
const NO_FILTER: i32 = -1 // its byte has not come yet
let filter: i32 = NO_FILTER
let row: usize = 0
let above: usize = 0
let luma: usize = 0
let alpha: usize = 0
let tones: usize = 0 // luma of channels after a tone curve
let isToned: bool = false // whether the file has such a curve

/** Decodes the available input. `isLast`: no more will come. Returns a status. */
export function decodePng(isLast: bool): i32 {
  while (true) {
    const before = inputLeft()
    const status = step()
    bytesTaken += before - inputLeft()
    if (status == MORE && isLast) return endOfInput()
    if (status != CONTINUE) return status
  }
}

function step(): i32 {
  if (toSkip) {
    toSkip -= skipInput(toSkip)
    if (toSkip) return MORE
  }
  switch (state) {
    case AT_SIGNATURE:
      if (inputLeft() < 8) return MORE
      if (u32be(start) != SIGNATURE_HIGH || u32be(start + 4) != SIGNATURE_LOW) return DAMAGED
      skipInput(8)
      state = AT_CHUNK
      return CONTINUE
    case AT_CHUNK:
      return readChunk()
    case IN_DATA:
      return readData()
    case IN_MISSING:
      return addMissing()
    default:
      return DONE
  }
}

/**
 * Begins the next chunk: length, type, data, check. The check is ignored, since a wrong one hides
 * no pixel.
 */
function readChunk(): i32 {
  if (inputLeft() < 8) return MORE
  const bytes = u32be(start)
  const type = u32be(start + 4)
  if (!hasHeader && type != IHDR) return DAMAGED
  if (bytes > 0x7fffffff) return frame == NO_FRAME ? finish() : giveUp(DAMAGED)
  // After the last frame there may be an Exif block, and nothing else that matters.
  const isOver = isFrameDone && !hasCanvas()
  const isData = !isOver && (type == IDAT || (type == FDAT && bytes >= 4))
  if (frame != NO_FRAME && type != (frame == FIRST_FRAME ? IDAT : FDAT)) {
    // Any other chunk ends the frame's data.
    const status = endFrameData()
    if (status != CONTINUE) return status
  }
  if (type == IEND) return finish()
  if (isData) {
    const prefix: u32 = type == FDAT ? 4 : 0 // a sequence number
    if (inputLeft() < 8 + prefix) return MORE
    skipInput(8 + prefix)
    dataLeft = bytes - prefix
    state = IN_DATA
    if (frame != NO_FRAME) return CONTINUE
    return beginFrame(type)
  }
  // Pillow applies it, but the rows are gone.
  const isMisplaced = isFrameDone || bytes > MAX_CHUNK_BYTES
  if (type == TRNS && isMisplaced && takesTransparency()) leaveOut()
  if (!(isOver ? type == EXIF : isUseful(type)) || bytes > MAX_CHUNK_BYTES) {
    skipInput(8)
    toSkip = bytes + 4
    return CONTINUE
  }
  if (inputLeft() < 8 + bytes) return MORE
  const status = readSmallChunk(type, start + 8, bytes)
  skipInput(8 + bytes)
  toSkip = 4
  return status
}

function isUseful(type: u32): bool {
  const isImage = type == IHDR || type == PLTE || type == TRNS || type == EXIF
  const isColour = type == ICCP || type == GAMA || type == SRGB || type == CHRM || type == CICP
  const isBright = type == CLLI || type == MDCV
  return isImage || isColour || isBright || type == ACTL || type == FCTL
}

function readSmallChunk(type: u32, at: usize, bytes: u32): i32 {
  switch (type) {
    case IHDR:
      return readHeader(at, bytes)
    case PLTE:
      if (!hasPalette || (frame == NO_FRAME && !isFrameDone)) setPalette(at, bytes / 3)
      return CONTINUE
    case TRNS:
      if (!isFrameDone && !setTransparency(at, bytes)) leaveOut()
      return CONTINUE
    case EXIF:
      keepExif(at, bytes)
      return CONTINUE
    case ICCP:
      if (frame == NO_FRAME && !isFrameDone) keepProfile(at, bytes, 1, 1)
      return CONTINUE
    case CHRM:
      if (bytes >= 32 && !isFrameDone) keepChromaticities(at)
      return CONTINUE
    case CICP:
      if (bytes >= 4 && !isFrameDone) keepCodePoints(at)
      return CONTINUE
    case CLLI:
      if (bytes >= 8 && !isFrameDone) keepContentPeak(u32be(at))
      return CONTINUE
    case MDCV:
      if (bytes >= 24 && !isFrameDone) keepDisplayPeak(u32be(at + 16))
      return CONTINUE
    case GAMA:
      if (bytes >= 4 && !isFrameDone) keepGamma(u32be(at))
      return CONTINUE
    case SRGB:
      keepGamma(SRGB_GAMMA) // it overrides gamma, wherever that is
      return CONTINUE
    case ACTL:
      // After the image it no longer counts. Even a single frame may differ from the image.
      isAnimated = isAnimated || (!isFrameDone && bytes >= 8 && u32be(at) != 0)
      return CONTINUE
    default:
      return readFrameControl(at, bytes)
  }
}

function readHeader(at: usize, bytes: u32): i32 {
  if (hasHeader || bytes != 13) return DAMAGED
  const width = u32be(at)
  const height = u32be(at + 4)
  const interlace = <u32>load<u8>(at, 12)
  if (!width || !height || interlace > 1 || load<u8>(at, 10) || load<u8>(at, 11)) return DAMAGED
  if (!setPixelFormat(load<u8>(at, 8), load<u8>(at, 9))) return DAMAGED
  if (width > MAX_SIDE || height > MAX_SIDE) return OVER_LIMIT
  limitMemory(SMALL_MEMORY)
  hasHeader = true
  isInterlaced = interlace == 1
  frameWidth = width
  frameHeight = height
  const longest = rowBytesOf(width)
  row = allocate(longest)
  above = allocate(longest)
  luma = allocate(<usize>width * 4)
  alpha = allocate(<usize>width * 4)
  if (!row || !above || !luma || !alpha || !beginPixelPlanes(width, height)) return OVER_BUDGET
  return CONTINUE
}

/** fcTL: where the next frame goes, and how. */
function readFrameControl(at: usize, bytes: u32): i32 {
  if (!isAnimated || bytes < 26) return CONTINUE
  const width = u32be(at + 4)
  const height = u32be(at + 8)
  const x = u32be(at + 12)
  const y = u32be(at + 16)
  const isInside =
    width > 0 &&
    height > 0 &&
    width <= imageWidth &&
    height <= imageHeight &&
    x <= imageWidth - width &&
    y <= imageHeight - height
  if (!isInside) return isFrameDone ? finish() : DAMAGED
  if (isFrameDone) {
    frameX = x
    frameY = y
    frameWidth = width
    frameHeight = height
  }
  isControlled = true
  disposal = load<u8>(at, 24)
  blends = load<u8>(at, 25) == 1
  return CONTINUE
}

/** Begins the frame of the data that follows: the image, or one of the animation. */
function beginFrame(type: u32): i32 {
  const isFirst = type == IDAT
  if (isFirst == isFrameDone) {
    toSkip = dataLeft + 4 // image data after the image, or frames before it
    state = AT_CHUNK
    return CONTINUE
  }
  if (isFirst) {
    frame = FIRST_FRAME
    if (isAnimated && !beginCanvas()) leaveOut()
  } else {
    spendPixels(<u64>frameWidth * <u64>frameHeight)
    if (!hasCanvas() || !isControlled || !mayGoOn(bytesTaken)) return finish()
    if (isToned) leaveOut() // the canvas has luma, and the curve changes luma differently from channels
    frame = LATER_FRAME
  }
  if (isControlled && hasCanvas()) beforeFrame(disposal)
  if (!beginInflate()) return OVER_BUDGET
  beginPass(isInterlaced ? 0 : ALL_PIXELS)
  if (!isFirst || !hasTones() || !hasColours()) return CONTINUE
  tones = allocate(<usize>imageWidth * 4)
  return tones ? TONES : CONTINUE
}

/** Begins a pass, or the next one that has pixels. */
function beginPass(first: u32): void {
  for (pass = first; pass <= (isInterlaced ? LAST_PASS : ALL_PIXELS); pass++) {
    passCols = samplesOfPass(frameWidth, load<u8>(passX + pass), load<u8>(passStepX + pass))
    passRows = samplesOfPass(frameHeight, load<u8>(passY + pass), load<u8>(passStepY + pass))
    if (passCols && passRows) break
  }
  rowBytes = rowBytesOf(passCols)
  rowIndex = 0
  rowFill = 0
  filter = NO_FILTER
  memory.fill(above, 0, rowBytes)
}

function samplesOfPass(side: u32, first: u32, distance: u32): u32 {
  return side > first ? (side - first + distance - 1) / distance : 0
}

function areRowsDone(): bool {
  return pass > (isInterlaced ? LAST_PASS : ALL_PIXELS)
}

/** Takes a chunk's image data. */
function readData(): i32 {
  while (isPaused || (dataLeft && inputLeft())) {
    const taken = giveCompressed(start, min(dataLeft, inputLeft()))
    skipInput(taken)
    dataLeft -= taken
    const status = inflateRows(false)
    if (status != CONTINUE) return status
  }
  if (dataLeft) return MORE
  toSkip = 4
  state = AT_CHUNK
  return CONTINUE
}

/**
 * Inflates the given data and takes its rows, as many as a step allows. `isLast`: the last of the
 * frame's data.
 */
function inflateRows(isLast: bool): i32 {
  while (true) {
    if (!isPaused) {
      inflated = inflate(isLast)
      rowsAt = outputStart
    }
    isPaused = false
    if (!takeRows()) return giveUp(DAMAGED)
    if (work > FREE_WORK + WORK_PER_BYTE * bytesTaken) return giveUp(OVER_LIMIT)
    if (areRowsDone()) return endFrame()
    if (rowsAt < outputEnd) {
      isPaused = true
      return PAUSED
    }
    if (inflated == TOO_MANY_BLOCKS) return giveUp(OVER_LIMIT)
    if (inflated < 0) return giveUp(isLast ? TRUNCATED : DAMAGED)
    if (isLast && inflated != OUTPUT_FULL) return giveUp(TRUNCATED)
    if (inflated == STREAM_END) return giveUp(TRUNCATED) // anything after it is not image data
    if (inflated == NEEDS_INPUT) return CONTINUE
  }
}

/**
 * Takes rows from inflated bytes until a step is over. Returns false if one has an unknown filter.
 */
function takeRows(): bool {
  while (rowsAt < outputEnd && !areRowsDone() && !isStepOver()) {
    if (filter == NO_FILTER) filter = load<u8>(rowsAt++)
    const count = min(<u32>(outputEnd - rowsAt), rowBytes - rowFill)
    memory.copy(row + rowFill, rowsAt, count)
    rowsAt += count
    rowFill += count
    if (rowFill < rowBytes) return true
    if (!unfilter(filter, row, above, rowBytes)) return false
    useRow()
    work += rowBytes + rowWork()
    const swapped = above
    above = row
    row = swapped
    rowFill = 0
    filter = NO_FILTER
    if (++rowIndex == passRows) beginPass(pass + 1)
  }
  return true
}

function rowWork(): u32 {
  if (!isInterlaced) return passCols * PIXEL_WORK
  return max(passCols, MIN_PASS_PIXELS) * INTERLACED_PIXEL_WORK
}

/** Passes on the row: to the planes, the canvas, or both. */
function useRow(): void {
  lumaOfRow(row, passCols, luma, alpha)
  const alphaOrOpaque = mayBeTransparent ? alpha : 0
  const x = <u32>load<u8>(passX + pass)
  const stepX = <u32>load<u8>(passStepX + pass)
  const y = <u32>load<u8>(passY + pass) + rowIndex * <u32>load<u8>(passStepY + pass)
  if (frame == FIRST_FRAME) {
    if (hasTonedPlane()) {
      isToned = true
      tonedRow(row, passCols, tones)
      if (isInterlaced) addTonedSamples(y, x, stepX, tones, passCols)
      else addTonedRow(tones)
    }
    if (isInterlaced) addPlaneSamples(y, x, stepX, luma, alphaOrOpaque, passCols)
    else addPlaneRow(luma, alphaOrOpaque)
    if (!isControlled || !hasCanvas()) return
  }
  if (stepX == 1) {
    drawRow(frameX, frameY + y, luma, alphaOrOpaque, passCols, blends)
    return
  }
  for (let k: u32 = 0; k < passCols; k++) {
    const at = (<usize>k) << 2
    const alphaAt = alphaOrOpaque ? alpha + at : 0
    drawRow(frameX + x + k * stepX, frameY + y, luma + at, alphaAt, 1, blends)
  }
}

/** All rows of a frame are there. Further data of it is skipped. */
function endFrame(): i32 {
  toSkip = dataLeft + 4
  if (state == AT_CHUNK) toSkip = 0
  dataLeft = 0
  state = AT_CHUNK
  const ended = frame
  frame = NO_FRAME
  if (ended == FIRST_FRAME) {
    if (isInterlaced) finishPlaneSamples()
    isFrameDone = true
    if (hasCanvas()) {
      noteFirstFrame()
      if (isControlled) disposeFrame(disposal, 0, 0, imageWidth, imageHeight)
    }
    isControlled = false
    return FRAME
  }
  const isNew = lookAtCanvas()
  disposeFrame(disposal, frameX, frameY, frameWidth, frameHeight)
  isControlled = false
  return isNew ? FRAME : CONTINUE
}

/** The frame's data ends before its rows do. */
function endFrameData(): i32 {
  return inflateRows(true)
}

/**
 * This many passes of an interlaced image count as half of it: they have every second pixel of
 * every second row.
 */
const ENOUGH_PASSES: u32 = 5

/**
 * The frame cannot be decoded further. At least half of the image counts; missing parts are
 * transparent black.
 */
function giveUp(status: i32): i32 {
  if (frame == LATER_FRAME) {
    leaveOut()
    return finish()
  }
  const isHalf = isInterlaced ? pass >= ENOUGH_PASSES : rowIndex * 2 >= imageHeight
  if (status == OVER_LIMIT || !isHalf) return status
  memory.fill(luma, 0, <usize>imageWidth * 4)
  memory.fill(alpha, 0, <usize>imageWidth * 4)
  state = IN_MISSING
  return addMissing()
}

/** Reports all remaining rows, or samples, to the planes as missing, some at a time. */
function addMissing(): i32 {
  while (!areRowsDone()) {
    if (isStepOver()) return PAUSED
    if (isInterlaced) {
      const x = <u32>load<u8>(passX + pass)
      const y = <u32>load<u8>(passY + pass) + rowIndex * <u32>load<u8>(passStepY + pass)
      addMissingSamples(y, x, load<u8>(passStepX + pass), luma, passCols, false)
    } else {
      addPlaneRow(luma, alpha)
    }
    if (++rowIndex == passRows) beginPass(pass + 1)
  }
  leaveOut()
  endFrame()
  state = FINISHED
  return FRAME
}

function endOfInput(): i32 {
  // libvips then loses rows, even if all of them are there.
  if (toSkip || state == IN_DATA) leaveOut()
  if (frame != NO_FRAME) return endFrameData()
  return finish()
}

function finish(): i32 {
  state = FINISHED
  return isFrameDone ? DONE : hasHeader ? TRUNCATED : DAMAGED
}
