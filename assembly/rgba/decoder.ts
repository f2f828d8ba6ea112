// Pixels that another decoder made: rows of RGBA, through the input window like any file.

import { inputLeft, skipInput, start } from '../input'
import { lumaFromRgba } from '../luma/pixels'
import { addPlaneRow, beginPixelPlanes, imageHeight, imageWidth, MAX_SIDE } from '../luma/planes'
import { allocate, limitMemory, SMALL_MEMORY } from '../memory'
import { DAMAGED, DONE, FRAME, MORE, OVER_BUDGET } from '../status'

let row: usize = 0
let luma: usize = 0
let alpha: usize = 0
let rowFill: u32 = 0
let rowsDone: u32 = 0
let isFinished: bool = false

/** Begins an image of width x height pixels. Returns a status. */
export function beginRgba(width: u32, height: u32): i32 {
  if (!width || !height || width > MAX_SIDE || height > MAX_SIDE) return DAMAGED
  limitMemory(SMALL_MEMORY)
  row = allocate(<usize>width * 4)
  luma = allocate(<usize>width * 4)
  alpha = allocate(<usize>width * 4)
  return row && luma && alpha && beginPixelPlanes(width, height) ? MORE : OVER_BUDGET
}

/** Takes pixels. `isLast`: no more will come. Returns a status. */
export function decodeRgba(isLast: bool): i32 {
  if (isFinished) return DONE
  const rowBytes = imageWidth * 4
  while (rowsDone < imageHeight) {
    const count = min(inputLeft(), rowBytes - rowFill)
    memory.copy(row + rowFill, start, count)
    skipInput(count)
    rowFill += count
    if (rowFill < rowBytes) return isLast ? DAMAGED : MORE
    rowFill = 0
    lumaFromRgba(row, imageWidth, luma, alpha)
    addPlaneRow(luma, alpha)
    rowsDone++
  }
  isFinished = true
  return FRAME
}
