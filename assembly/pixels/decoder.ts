// Pixels that another decoder produced: rows of grey, RGB or RGBA bytes, through the input window
// like any file.

import { inputLeft, skipInput, start } from '../input'
import { tonedLuma } from '../colour'
import { lumaFromGrey, lumaFromRgb, lumaFromRgba } from '../luma/pixels'
import {
  addPlaneRow,
  addTonedRow,
  beginPixelPlanes,
  hasTonedPlane,
  imageHeight,
  imageWidth,
  MAX_SIDE,
} from '../luma/planes'
import { allocate, limitMemory, SMALL_MEMORY } from '../memory'
import { DAMAGED, DONE, FRAME, MORE, OVER_BUDGET } from '../status'

let channels: u32 = 0
let row: usize = 0
let luma: usize = 0
let alpha: usize = 0 // 0: all pixels are opaque
let tones: usize = 0
let rowFill: u32 = 0
let rowsDone: u32 = 0
let isFinished: bool = false

/** Begins an image of width x height pixels with 1 (grey), 3 or 4 channels. Returns a status. */
export function beginPixels(width: u32, height: u32, channelCount: u32): i32 {
  if (!width || !height || width > MAX_SIDE || height > MAX_SIDE) return DAMAGED
  if (channelCount != 1 && channelCount != 3 && channelCount != 4) return DAMAGED
  limitMemory(SMALL_MEMORY)
  channels = channelCount
  row = allocate(<usize>width * channels)
  luma = allocate(<usize>width * 4)
  if (!row || !luma) return OVER_BUDGET
  if (channels == 4) {
    alpha = allocate(<usize>width * 4)
    if (!alpha) return OVER_BUDGET
  }
  return beginPixelPlanes(width, height) ? MORE : OVER_BUDGET
}

/** Takes pixels. `isLast`: no more will come. Returns a status. */
export function decodePixels(isLast: bool): i32 {
  if (isFinished) return DONE
  const rowBytes = imageWidth * channels
  while (rowsDone < imageHeight) {
    const count = min(inputLeft(), rowBytes - rowFill)
    memory.copy(row + rowFill, start, count)
    skipInput(count)
    rowFill += count
    if (rowFill < rowBytes) return isLast ? DAMAGED : MORE
    rowFill = 0
    if (channels == 1) lumaFromGrey(row, imageWidth, luma)
    else if (channels == 3) lumaFromRgb(row, imageWidth, luma)
    else lumaFromRgba(row, imageWidth, luma, alpha)
    if (hasTonedPlane() && channels > 1) addTones()
    addPlaneRow(luma, alpha)
    rowsDone++
  }
  isFinished = true
  return FRAME
}

/** Adds the row with each channel after the tone curve. */
function addTones(): void {
  if (!tones) tones = allocate(<usize>imageWidth * 4)
  for (let x: usize = 0; tones && x < imageWidth; x++)
    f32.store(tones + (x << 2), tonedLuma(row + x * channels))
  if (tones) addTonedRow(tones)
}
