// A second plane of a reduced image: every n-th pixel, as the reference program picks them (CImg's
// resize to 512 x 512 without interpolation), where the reducer takes means. Some lists hold hashes
// made that way. If a sample covers several pixels, the one that covers the n-th pixel is taken.

import { allocate } from '../memory'

const TARGET: u32 = 512

/** TARGET x TARGET of f32, row-major; 0 if there is no such plane. */
let plane: usize = 0
let nextRow: u32 = 0
const sampleRows = memory.data(2048) // TARGET of u32: the row of samples that each row of the plane takes
const sampleCols = memory.data(2048)

/** Begins the plane of an image. If memory for it is short, there is none. */
export function beginPicks(
  width: u32, // pixels
  height: u32,
  cols: u32, // samples
  rows: u32,
  extentX: u32, // see beginReducer
  pitchX: u32,
  extentY: u32,
  pitchY: u32,
): void {
  nextRow = 0
  plane = 0
  if (width <= TARGET && height <= TARGET) return
  plane = allocate(<usize>TARGET * TARGET * 4)
  for (let k: u32 = 0; k < TARGET; k++) {
    const at = (<usize>k) << 2
    store<u32>(sampleCols + at, sampleOf(k, width, cols, extentX, pitchX))
    store<u32>(sampleRows + at, sampleOf(k, height, rows, extentY, pitchY))
  }
}

/** The sample that covers pixel number k of TARGET. */
function sampleOf(k: u32, pixels: u32, samples: u32, extent: u32, pitch: u32): u32 {
  const pixel = <u64>((k * pixels) / TARGET)
  return min(<u32>((pixel * extent) / (<u64>pixels * pitch)), samples - 1)
}

/** Begins the same image again: the next frame of an animation. */
export function restartPicks(): void {
  nextRow = 0
}

/** Takes the picked samples of the next row, from top to bottom. */
export function pickRow(
  index: u32,
  row: usize, // samples of f32
): void {
  if (!plane) return
  for (; nextRow < TARGET && load<u32>(sampleRows + ((<usize>nextRow) << 2)) == index; nextRow++) {
    const to = plane + <usize>nextRow * TARGET * 4
    for (let at: usize = 0; at < TARGET * 4; at += 4) {
      f32.store(to + at, f32.load(row + ((<usize>load<u32>(sampleCols + at)) << 2)))
    }
  }
}

/** Takes the picked ones of some samples of a row, in any order. See `addSamples`. */
export function pickSamples(
  index: u32,
  first: u32,
  step: u32,
  samples: usize, // count of f32
  count: u32,
): void {
  if (!plane) return
  for (let row: u32 = 0; row < TARGET; row++) {
    if (load<u32>(sampleRows + ((<usize>row) << 2)) != index) continue
    const to = plane + <usize>row * TARGET * 4
    for (let at: usize = 0; at < TARGET * 4; at += 4) {
      const offset = load<u32>(sampleCols + at) - first // below `first`, it wraps
      if (offset % step == 0 && offset / step < count) {
        f32.store(to + at, f32.load(samples + ((<usize>(offset / step)) << 2)))
      }
    }
  }
}

/**
 * Address of the plane, 512 x 512 of f32; 0 if the image is not reduced, or memory for it is short.
 */
export function picksAddress(): usize {
  return plane
}
