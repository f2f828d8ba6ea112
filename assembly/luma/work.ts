// The work that a file may ask for, counted in pixels: a few bytes can claim a frame of any size, and a million of them.

const FREE_PIXELS: u64 = 16_000_000
const PIXELS_PER_BYTE: u64 = 16

let pixelsSpent: u64 = 0

/** Spends work: pixels that are decoded, drawn or looked at. */
export function spendPixels(count: u64): void {
  pixelsSpent += count
}

/** Whether more was spent than so many bytes of a file may ask for. */
export function isOverspent(bytesTaken: u64): bool {
  return pixelsSpent > FREE_PIXELS + PIXELS_PER_BYTE * bytesTaken
}
