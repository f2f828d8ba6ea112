/** The relevant content of an Exif block. */
export interface Exif {
  /** How the image is displayed, 1 (as stored) to 8. */
  orientation: number
  /** The embedded thumbnail, a JPEG file. */
  thumbnail?: Uint8Array
}

const ORIENTATION = 0x0112
const THUMBNAIL_OFFSET = 0x0201
const THUMBNAIL_LENGTH = 0x0202

/** Maximum entries of a directory: cameras write a few dozen. */
const MAX_ENTRIES = 512

/**
 * Reads an Exif block from its byte order mark on: a TIFF structure whose first directory describes
 * the image and whose second describes the thumbnail (Exif 2.32, 4.5). Damaged parts are ignored.
 */
export function readExif(block: Uint8Array): Exif {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const mark = block.length >= 8 ? view.getUint16(0) : 0
  if (mark !== 0x4949 && mark !== 0x4d4d) return { orientation: 1 }
  const isLittle = mark === 0x4949
  const image = readExifDirectory(view, view.getUint32(4, isLittle), isLittle)
  const small = readExifDirectory(view, image.next, isLittle)

  const orientation = image.numbers.get(ORIENTATION) ?? 1
  const exif: Exif = { orientation: orientation >= 1 && orientation <= 8 ? orientation : 1 }
  const start = small.numbers.get(THUMBNAIL_OFFSET)
  const length = small.numbers.get(THUMBNAIL_LENGTH)
  if (start !== undefined && length !== undefined && start < block.length && length > 0) {
    exif.thumbnail = block.subarray(start, start + length)
  }
  return exif
}

/**
 * One directory: its single numbers by tag, and the offset of the next directory; 0 if there is
 * none.
 */
interface ExifDirectory {
  numbers: Map<number, number>
  next: number
}

function readExifDirectory(view: DataView, start: number, isLittle: boolean): ExifDirectory {
  const numbers = new Map<number, number>()
  if (start === 0 || start + 2 > view.byteLength) return { numbers, next: 0 }
  const count = Math.min(view.getUint16(start, isLittle), MAX_ENTRIES)
  for (let i = 0; i < count; i++) {
    const at = start + 2 + 12 * i
    if (at + 12 > view.byteLength) return { numbers, next: 0 }
    const type = view.getUint16(at + 2, isLittle)
    const value = type === 3 ? view.getUint16(at + 8, isLittle) : view.getUint32(at + 8, isLittle)
    const isNumber = (type === 3 || type === 4) && view.getUint32(at + 4, isLittle) === 1
    if (isNumber) numbers.set(view.getUint16(at, isLittle), value)
  }
  const end = start + 2 + 12 * count
  return { numbers, next: end + 4 <= view.byteLength ? view.getUint32(end, isLittle) : 0 }
}
