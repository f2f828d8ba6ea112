// The work that a file may demand, counted in pixels: a few bytes can claim a frame of any size,
// and a million of them.

const FREE_PIXELS: u64 = 16_000_000
const PIXELS_PER_BYTE: u64 = 16

/** Pixels that a decoder adds to planes before it lets other tasks run: a few milliseconds. */
const STEP_PIXELS: u32 = 500_000

let pixelsSpent: u64 = 0
let stepPixels: u32 = 0

/** Spends work: pixels that are decoded, drawn or examined. */
export function spendPixels(count: u64): void {
  pixelsSpent += count
}

/** Whether more was spent than this many bytes of a file allow. */
export function isOverspent(bytesTaken: u64): bool {
  return pixelsSpent > FREE_PIXELS + PIXELS_PER_BYTE * bytesTaken
}

/** Counts the work of one step: pixels added to a plane, or anything as slow. */
export function noteStep(pixels: u32): void {
  stepPixels += pixels
}

/** Whether so much was done that other tasks should run; if so, another step begins. */
export function isStepOver(): bool {
  if (stepPixels < STEP_PIXELS) return false
  stepPixels = 0
  return true
}
