// The thumbnail that JFIF stores as pixels (JFIF 1.02), as its raw segment: the host reads it
// (src/scan/image/jfif.ts).

import { leaveOut } from '../luma/planes'
import { allocate } from '../memory'

const JFIF: u32 = 0x4649464a
const JFXX: u32 = 0x5858464a
/**
 * Kinds of an extension: one byte per pixel with a palette, and three bytes. A JPEG thumbnail is
 * found by its signature.
 */
const PALETTE: u32 = 0x11
const COLOURS: u32 = 0x13

let address: usize = 0
let length: u32 = 0

/** Whether an APP0 segment is JFIF's own. */
export function isJfifSegment(at: usize, bytes: u32): bool {
  return bytes >= 14 && load<u32>(at) == JFIF && !load<u8>(at, 4)
}

/** Keeps the APP0 segment with the file's first thumbnail. */
export function keepThumbnail(at: usize, bytes: u32): void {
  const isExtension = bytes > 8 && load<u32>(at) == JFXX && !load<u8>(at, 4)
  const kind = <u32>load<u8>(at, 5)
  const isKnown = isExtension && (kind == PALETTE || kind == COLOURS)
  const sides: usize = isJfifSegment(at, bytes) ? at + 12 : isKnown ? at + 6 : 0
  if (!sides || !load<u8>(sides) || !load<u8>(sides, 1)) return
  const kept: usize = address ? 0 : allocate(bytes)
  if (!kept) {
    leaveOut()
    return
  }
  address = kept
  length = bytes
  memory.copy(address, at, bytes)
}

/** Address of that segment's content; 0 if there is none. */
export function thumbnailAddress(): usize {
  return address
}

export function thumbnailLength(): u32 {
  return length
}
