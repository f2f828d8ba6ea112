import { ascii } from '../../util/ascii.ts'

/** A box of an ISO base media file (ISO/IEC 14496-12, 4.2). */
interface Box {
  type: string
  data: Uint8Array
}

/** Boxes that are looked at: a still image's meta box has some dozens. */
const MAX_BOXES = 1024

/**
 * Largest size, in pixels, that any image of an AVIF file claims (ISO/IEC 23008-12, 6.5.3: `ispe` properties).
 * `undefined` if none does.
 */
export function readAvifSize(file: Uint8Array): { width: number; height: number } | undefined {
  const meta = find(file, 'meta')
  const properties = meta && find(meta.subarray(4), 'iprp')
  const container = properties && find(properties, 'ipco')
  if (!container) return undefined
  let size: { width: number; height: number } | undefined
  for (const { type, data } of readBoxes(container)) {
    if (type !== 'ispe' || data.length < 12) continue
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const [width, height] = [view.getUint32(4), view.getUint32(8)]
    if (!size || width * height > size.width * size.height) size = { width, height }
  }
  return size
}

function find(bytes: Uint8Array, type: string): Uint8Array | undefined {
  for (const box of readBoxes(bytes)) if (box.type === type) return box.data
  return undefined
}

function* readBoxes(bytes: Uint8Array): Generator<Box> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
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
