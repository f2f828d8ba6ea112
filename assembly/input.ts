// The window through which a file passes. The host writes each piece after what is left of the last
// one, and the decoder takes what it can from the front. No file, of whatever size, needs more
// memory than this.
//
//   window        start            end              window + WINDOW_BYTES
//     │ used up ...  │ to be decoded  │ room for more ... │

import { allocate } from './memory'

/**
 * Room for the longest piece that a decoder must see whole: a JPEG segment of 65,537 bytes, and
 * some more.
 */
const WINDOW_BYTES: u32 = 98304

let window: usize = 0

/** First unused byte. */
export let start: usize = 0
/** End of the available bytes. */
export let end: usize = 0

/**
 * Address for the next piece of the file. Unused bytes of the last one move to the front. 0: over
 * budget.
 */
export function inputAddress(): usize {
  if (!window) {
    window = allocate(WINDOW_BYTES)
    start = window
    end = window
  } else if (start > window) {
    memory.copy(window, start, end - start)
    end = window + (end - start)
    start = window
  }
  return end
}

/** Bytes that may be written at `inputAddress`; valid until the decoder runs. */
export function inputRoom(): u32 {
  return <u32>(window + WINDOW_BYTES - end)
}

/** The host wrote `count` bytes at `inputAddress`. */
export function inputAdded(count: u32): void {
  if (count > inputRoom()) unreachable()
  end += count
}

/** Bytes to be decoded. */
export function inputLeft(): u32 {
  return <u32>(end - start)
}

/** Uses up to `count` bytes and returns how many. */
export function skipInput(count: u32): u32 {
  const skipped = min(count, inputLeft())
  start += skipped
  return skipped
}

/** Big-endian 16-bit number. */
export function u16be(at: usize): u32 {
  return ((<u32>load<u8>(at)) << 8) | <u32>load<u8>(at, 1)
}

/** Big-endian 32-bit number. */
export function u32be(at: usize): u32 {
  return (u16be(at) << 16) | u16be(at + 2)
}

/** Little-endian numbers are as memory has them. */
export function u16le(at: usize): u32 {
  return <u32>load<u16>(at)
}
