// The Exif block of a file, unparsed: the host reads orientation and thumbnail from it
// (src/scan/image/exif.ts).

import { allocate } from './memory'

/** Longest block kept: a JPEG segment cannot hold a longer one. */
const MAX_EXIF_BYTES: u32 = 65536

let address: usize = 0
let bytes: u32 = 0

/** Keeps the file's first Exif block, from its byte order mark on. */
export function keepExif(at: usize, count: u32): void {
  if (address || count > MAX_EXIF_BYTES) return
  address = allocate(count)
  if (!address) return
  bytes = count
  memory.copy(address, at, count)
}

/** Address of the Exif block; 0 if there is none. */
export function exifAddress(): usize {
  return address
}

export function exifLength(): u32 {
  return bytes
}
