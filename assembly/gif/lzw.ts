// GIF's LZW (GIF89a specification, appendix F): codes of 3 to 12 bits, lowest bit first. Each
// stands for a string of pixels: an earlier string and one more pixel.

const MAX_CODES: u32 = 4096
const NONE: u32 = 0xffff

// By code: the code of the string that its own begins with, its last pixel, its first pixel, its
// length.
const prefixes = memory.data(8192)
const lasts = memory.data(4096)
const firsts = memory.data(4096)
const lengths = memory.data(8192)

let clearCode: u32 = 0
let codeBits: u32 = 0
let nextCode: u32 = 0
let previous: u32 = NONE

let bits: u32 = 0
let bitCount: u32 = 0

/** Results of `nextString`. */
const WANTS_BYTE: i32 = 0
export const HAS_PIXELS: i32 = 1
export const AT_END: i32 = 2
export const BAD_CODE: i32 = -1

/** The string of the last code: pixelCount bytes, at most MAX_CODES. */
export const pixels = memory.data(4096)
export let pixelCount: u32 = 0

/** Begins a frame's data. Returns false if its code size is invalid. */
export function beginLzw(minCodeBits: u32): bool {
  if (minCodeBits < 1 || minCodeBits > 11) return false
  clearCode = 1 << minCodeBits
  for (let code: u32 = 0; code < clearCode; code++) {
    store<u16>(prefixes + (code << 1), NONE)
    store<u8>(lasts + code, code)
    store<u8>(firsts + code, code)
    store<u16>(lengths + (code << 1), 1)
  }
  bits = 0
  bitCount = 0
  clear()
  return true
}

function clear(): void {
  codeBits = 32 - clz(clearCode)
  nextCode = clearCode + 2
  previous = NONE
}

/** Adds a byte of data; at most 20 bits may be pending. */
export function giveByte(byte: u32): void {
  bits |= byte << bitCount
  bitCount += 8
}

/** Decodes the next code, if all its bits are there. */
export function nextString(): i32 {
  if (bitCount < codeBits) return WANTS_BYTE
  const code = bits & ((1 << codeBits) - 1)
  bits >>= codeBits
  bitCount -= codeBits
  if (code == clearCode) {
    clear()
    pixelCount = 0
    return HAS_PIXELS
  }
  if (code == clearCode + 1) return AT_END
  if (previous == NONE) {
    if (code > clearCode) return BAD_CODE
    previous = code
    return writeString(code)
  }
  if (code > nextCode || (code == nextCode && nextCode == MAX_CODES)) return BAD_CODE
  if (nextCode < MAX_CODES) {
    // A code may be used while it is being defined: its string then ends with its own first pixel.
    const first = load<u8>(firsts + (code == nextCode ? previous : code))
    store<u16>(prefixes + (nextCode << 1), previous)
    store<u8>(lasts + nextCode, first)
    store<u8>(firsts + nextCode, load<u8>(firsts + previous))
    store<u16>(lengths + (nextCode << 1), load<u16>(lengths + (previous << 1)) + 1)
    nextCode++
    if (nextCode == (<u32>1) << codeBits && codeBits < 12) codeBits++
  }
  previous = code
  return writeString(code)
}

function writeString(code: u32): i32 {
  pixelCount = load<u16>(lengths + (code << 1))
  for (let at = pixels + pixelCount; at > pixels;) {
    store<u8>(--at, load<u8>(lasts + code))
    code = load<u16>(prefixes + (code << 1))
  }
  return HAS_PIXELS
}
