import { ascii } from './jpeg-writer.ts'

/** An Exif block (TIFF, from its byte order mark on) with an orientation, and perhaps a thumbnail. */
export function writeExif(
  orientation: number,
  thumbnail: Uint8Array = new Uint8Array(0),
  isLittle = true,
): Uint8Array {
  const start = 8 + 2 + 12 + 4
  const thumbnailAt = start + 2 + 24 + 4
  const block = new Uint8Array(thumbnailAt + thumbnail.length)
  const view = new DataView(block.buffer)
  const entry = (at: number, tag: number, type: number, value: number) => {
    view.setUint16(at, tag, isLittle)
    view.setUint16(at + 2, type, isLittle)
    view.setUint32(at + 4, 1, isLittle)
    if (type === 3) view.setUint16(at + 8, value, isLittle)
    else view.setUint32(at + 8, value, isLittle)
  }
  block.set(ascii(isLittle ? 'II*\0' : 'MM\0*'))
  view.setUint32(4, 8, isLittle)
  view.setUint16(8, 1, isLittle)
  entry(10, 0x0112, 3, orientation)
  view.setUint32(22, thumbnail.length > 0 ? start : 0, isLittle)
  view.setUint16(start, 2, isLittle)
  entry(start + 2, 0x0201, 4, thumbnailAt)
  entry(start + 14, 0x0202, 4, thumbnail.length)
  block.set(thumbnail, thumbnailAt)
  return block
}

/** A JPEG file with an Exif block. */
export function addExif(jpeg: Uint8Array, exif: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = exif.length + 8
  return Uint8Array.from([
    ...[0xff, 0xd8, 0xff, 0xe1, length >> 8, length & 255, ...ascii('Exif\0\0')],
    ...exif,
    ...jpeg.subarray(2),
  ])
}
