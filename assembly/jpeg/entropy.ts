// The entropy-coded bytes between two markers, prepared for reading bits.
//
// Bytes are stored backwards, without the zero that follows each 0xFF: stream byte k lies at `top - 1 - k`. A plain
// little-endian 64-bit load at `top - 8 - k` then has byte k at its top, and reading bits needs no byte swap, no
// refill and no state but the position:
//
//   bits at p  =  load<u64>(top - 8 - (p >> 3)) << (p & 7)      at least 57 valid bits, from the top
//
//        bottom                 top - available      top - (p >> 3)        top
//          │ room │ zeros: padding │ bytes to be read │ bytes used up        │

import { allocate } from '../memory'
import { end, skipInput, start } from '../input'

const BUFFER_BYTES: usize = 65536

/**
 * Maximum bytes of one MCU: 4 components of 4 x 4 blocks, each coefficient with the longest code
 * and extra bits.
 */
const MAX_MCU_BYTES: usize = 16384

let bottom: usize = 0

/** One past the first byte of the stream in memory. */
export let top: usize = 0
/** Bytes in the buffer, used up or not. */
let available: u32 = 0
/** Whether the bytes end at a marker or at the end of the file: then the buffer has everything. */
export let isSegmentEnd: bool = false
/** Bits in the buffer, used up or not. */
export let availableBits: u32 = 0

/** Begins a new run of entropy-coded bytes. Returns false if memory is over its limit. */
export function beginSegment(): bool {
  if (!bottom) {
    bottom = allocate(BUFFER_BYTES + MAX_MCU_BYTES)
    if (!bottom) return false
    bottom += MAX_MCU_BYTES
    top = bottom + BUFFER_BYTES
  }
  available = 0
  availableBits = 0
  isSegmentEnd = false
  return true
}

/**
 * Moves input into the buffer, up to the next marker; `position` tells how many bits are used up.
 * Returns the position in the changed buffer. `padding` zero bytes follow the last byte of a run.
 */
export function fillSegment(
  position: u32,
  padding: u32, // at most MAX_MCU_BYTES
  isLastInput: bool,
): u32 {
  const used = position >> 3
  if (used > available) unreachable() // the caller stops at the end
  if (available + 16 > <u32>BUFFER_BYTES - 16 || used > <u32>BUFFER_BYTES / 2) {
    memory.copy(top - (available - used), top - available, available - used)
    available -= used
    position &= 7
  }
  if (!isSegmentEnd) unstuff(isLastInput)
  availableBits = available << 3
  if (isSegmentEnd) memory.fill(top - available - padding, 0, padding)
  return position
}

/** Copies input bytes without stuffing until a marker, the end of input, or the end of the buffer. */
function unstuff(isLastInput: bool): void {
  let from = start
  const stop = end
  let to = top - available
  const limit = bottom + 16
  const marker = i8x16.splat(-1)
  while (from < stop && to > limit) {
    if (from + 16 <= stop) {
      const bytes = v128.load(from)
      if (!v128.any_true(i8x16.eq(bytes, marker))) {
        to -= 16
        v128.store(
          to,
          v128.shuffle<u8>(bytes, bytes, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
        )
        from += 16
        continue
      }
    }
    const byte = load<u8>(from)
    if (byte == 0xff) {
      let behind = from + 1
      while (behind < stop && load<u8>(behind) == 0xff) behind++ // further 0xFF bytes are fill
      if (behind >= stop) {
        from = stop - 1 // the byte after them has not come yet; keep only one of them
        break
      }
      if (load<u8>(behind) != 0) {
        isSegmentEnd = true
        break
      }
      from = behind
    }
    from++
    store<u8>(--to, byte)
  }
  skipInput(<u32>(from - start))
  available = <u32>(top - to)
  if (isLastInput && to > limit && !isSegmentEnd) {
    isSegmentEnd = true
    skipInput(<u32>(end - start)) // a lone 0xFF
  }
}

/**
 * Skips entropy-coded input to the next marker other than a restart. Returns false if it has not
 * come yet.
 */
export function skipToMarker(): bool {
  const marker = i8x16.splat(-1)
  let from = start
  while (from < end) {
    if (from + 16 <= end && !v128.any_true(i8x16.eq(v128.load(from), marker))) {
      from += 16
      continue
    }
    if (load<u8>(from) == 0xff) {
      if (from + 1 >= end) break
      const code = load<u8>(from, 1)
      const isData = code == 0 || (code >= 0xd0 && code <= 0xd7)
      if (!isData && code != 0xff) {
        skipInput(<u32>(from - start))
        return true
      }
    }
    from++
  }
  skipInput(<u32>(from - start))
  return false
}
