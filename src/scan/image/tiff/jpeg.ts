import type { ImageCore } from '../../../core/image-core.ts'
import { Buffer } from 'node:buffer'
import { ImageDecoder } from '../../../core/image.ts'
import { concatenate } from '../../../util/bytes.ts'
import { averagedBy } from '../canvas.ts'
import type { Page } from './page.ts'

/** Maximum samples a side that the core makes of a picture. */
const MAX_SAMPLES = 512
const START = [0xff, 0xd8]

/**
 * Decodes a segment that is a JPEG file whose tables are elsewhere (TIFF Technical Note 2). TIFF
 * states its colours, so they are prepended as an Adobe marker. `undefined` if it is damaged, or
 * larger than its segment.
 */
export function decodeJpeg(core: ImageCore, page: Page, data: Uint8Array): Luma | undefined {
  let luma: Luma | undefined
  const transform = page.colours === 'ycc' ? 1 : 0
  const adobe = [0xff, 0xee, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform]
  const tables = page.jpegTables?.subarray(2, -2) ?? new Uint8Array(0)
  const file = concatenate([Uint8Array.from([...START, ...adobe]), tables, data.subarray(2)])
  const size = frameSize(file)
  if (!size || size.width > page.segmentWidth || size.height > page.segmentHeight) return undefined
  const decoder = ImageDecoder.forFile(core, 'jpeg')
  decoder.push(file, true, () => {
    luma = { ...shrink(decoder.luma, page, decoder.size), isOddSize: isOdd(page, decoder.size) }
  })
  decoder.release()
  return luma
}

/** Luma of a segment, at most 512 samples a side. */
export interface Luma {
  columns: number
  rows: number
  data: Uint8Array
  /** Whether it differs in size from its segment: programs then place it in different ways. */
  isOddSize?: boolean
}

/**
 * Whether a JPEG has neither its segment's size nor, for the last strip, the height of the
 * remaining rows.
 */
function isOdd(page: Page, { width, height }: { width: number; height: number }): boolean {
  const { segmentWidth, segmentHeight } = page
  const isLast = !page.isTiled && height === page.height % segmentHeight
  return width !== segmentWidth || (height !== segmentHeight && !isLast)
}

/**
 * The core's plane is 512 x 512 whenever a side exceeds 512, so a strip of 16 rows comes out as
 * high as it is wide. All segments of a page are brought to one scale.
 */
function shrink(plane: Luma, page: Page, size: { width: number; height: number }): Luma {
  const columns = scaled(size.width, page.segmentWidth)
  const rows = scaled(size.height, page.segmentHeight)
  if (columns === plane.columns && rows === plane.rows) return plane
  const data = new Uint8Array(columns * rows)
  for (let y = 0; y < rows; y++) {
    const [top, bottom] = averagedBy(y, rows, plane.rows)
    for (let x = 0; x < columns; x++) {
      const [left, right] = averagedBy(x, columns, plane.columns)
      let sum = 0
      for (let row = top; row < bottom; row++)
        for (let i = left; i < right; i++) sum += plane.data[row * plane.columns + i] ?? 0
      data[y * columns + x] = Math.round(sum / ((bottom - top) * (right - left)))
    }
  }
  return { columns, rows, data }
}

function scaled(side: number, segmentSide: number): number {
  return Math.max(1, Math.round(side * Math.min(1, MAX_SAMPLES / segmentSide)))
}

/** Size from the first frame header, before any scan. */
function frameSize(data: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let at = 2
  while (at + 9 <= data.length) {
    const marker = view.getUint16(at)
    if (marker === 0xffff) {
      at++
      continue
    }
    if (marker < 0xffc0 || marker === 0xffda) return undefined
    const isFrame = marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)
    if (isFrame) return knownSize(view.getUint16(at + 7), view.getUint16(at + 5))
    at += 2 + Math.max(2, view.getUint16(at + 2))
  }
  return undefined
}

/** A height of 0 would be stated after the data, which no TIFF does. */
function knownSize(width: number, height: number): { width: number; height: number } | undefined {
  return height === 0 ? undefined : { width, height }
}
