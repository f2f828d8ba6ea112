// The work that a file may ask for, counted in pixels: a few bytes can claim a frame of any size, and a million of them.

const FREE_PIXELS: u64 = 16_000_000
const PIXELS_PER_BYTE: u64 = 16

/** Pixels that a decoder adds to planes before it lets others run: some milliseconds. */
const STEP_PIXELS: u32 = 500_000

let pixelsSpent: u64 = 0
let stepPixels: u32 = 0

/** Spends work: pixels that are decoded, drawn or looked at. */
export function spendPixels(count: u64): void {
  pixelsSpent += count
}

/** Whether more was spent than so many bytes of a file may ask for. */
export function isOverspent(bytesTaken: u64): bool {
  return pixelsSpent > FREE_PIXELS + PIXELS_PER_BYTE * bytesTaken
}

/** Counts what is done at once: pixels that are added to a plane, or what takes as long. */
export function noteStep(pixels: u32): void {
  stepPixels += pixels
}

/** Whether so much was done that others are to run; then another step begins. */
export function isStepOver(): bool {
  if (stepPixels < STEP_PIXELS) return false
  stepPixels = 0
  return true
}
