// The Exif block of a file, kept as it is: orientation and thumbnail are for the host to read (src/scan/exif.ts).

import { allocate } from './memory'

/** Longest block that is kept: a JPEG segment holds no longer one. */
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
