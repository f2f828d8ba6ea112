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

/**
 * Bytes of a file needed to find its end. If it has that many, they are all that viewers use: its
 * boxes, and the data of its items (ISO/IEC 14496-12, 8.11.3: `iloc`). `Infinity` if the file does
 * not say, or has tracks.
 */
export function isoLength(file: Uint8Array): number {
  let [at, items] = [0, 0]
  let hasItems = false
  for (;;) {
    if (at + BOX_BYTES > file.length) return at + BOX_BYTES
    const type = ascii(file.subarray(at + 4, at + 8))
    const isLong = u32At(file, at) === 1
    const size = isLong ? Number(viewOf(file).getBigUint64(at + 8)) : u32At(file, at)
    if (!/^[\w -]{4}$/.test(type)) break
    if (size < 8) return Infinity // 0: to the end of the file
    if (type === 'moov' || type === 'moof') return Infinity
    if (type === 'meta') {
      if (at + size > file.length) return at + size
      hasItems = true
      items = Math.max(items, itemsEnd(findBox(file.subarray(at, at + size), 'meta', 'iloc')))
    }
    at += size
  }
  return hasItems ? Math.max(at, items) : Infinity
}

/** Longest box header, in bytes. */
const BOX_BYTES = 16

/** Where the last item ends. */
function itemsEnd(iloc: Uint8Array | undefined): number {
  if (!iloc) return Infinity
  const [version = 0, sizes = 0, others = 0] = [iloc[0], iloc[4], iloc[5]]
  let at = 6
  const read = (bytes: number) => {
    let value = 0
    for (let i = 0; i < bytes; i++) value = value * 256 + (iloc[at++] ?? 0)
    return value
  }
  let end = 0
  for (let count = read(version < 2 ? 2 : 4); count > 0 && at < iloc.length; count--) {
    read(version < 2 ? 2 : 4) // item ID
    const isInFile = version === 0 || (read(2) & 15) === 0
    read(2) // data reference index
    const base = read(others >> 4)
    for (let extents = read(2); extents > 0 && at < iloc.length; extents--) {
      if (version > 0) read(others & 15)
      const start = base + read(sizes >> 4)
      const length = read(sizes & 15)
      if (isInFile) end = Math.max(end, length === 0 ? Infinity : start + length)
    }
  }
  return end
}
