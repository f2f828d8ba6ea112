import { ascii } from '../../util/ascii.ts'
import { viewOf } from '../../util/bytes.ts'

/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2). */
export interface Box {
  type: string
  data: Uint8Array
}

/** Maximum boxes read from one parent: a still image's meta box has a few dozen. */
const MAX_BOXES = 1024

/** The first box of a type, by the path of its parents' types. A `meta` box has four bytes before its children. */
export function findBox(bytes: Uint8Array, ...path: string[]): Uint8Array | undefined {
  const [type, ...rest] = path
  for (const box of readBoxes(bytes)) {
    if (box.type !== type) continue
    if (rest.length === 0) return box.data
    return findBox(type === 'meta' ? box.data.subarray(4) : box.data, ...rest)
  }
  return undefined
}

export function* readBoxes(bytes: Uint8Array): Generator<Box> {
  const view = viewOf(bytes)
  let at = 0
  for (let count = 0; count < MAX_BOXES && at + 8 <= bytes.length; count++) {
    const type = ascii(bytes.subarray(at + 4, at + 8))
    let size = view.getUint32(at)
    let header = 8
    if (size === 1 && at + 16 <= bytes.length) {
      size = Number(view.getBigUint64(at + 8))
      header = 16
    }
    if (size === 0) size = bytes.length - at // to the end of the file
    if (size < header) return
    yield { type, data: bytes.subarray(at + header, at + size) }
    at += size
  }
}

/** A number of 4 bytes; 0 beyond the end. */
export function u32At(bytes: Uint8Array, at: number): number {
  return at + 4 <= bytes.length ? viewOf(bytes).getUint32(at) : 0
}

/** A number of 2 bytes; 0 beyond the end. */
export function u16At(bytes: Uint8Array, at: number): number {
  return at + 2 <= bytes.length ? viewOf(bytes).getUint16(at) : 0
}
