import type { CoreFormat, PixelSize } from '../core/image.ts'
import { isCoreFormat, sniffFormat } from '../scan/image/format.ts'
import { BadImageInputError, UnhashableImageError } from './errors.ts'
import type { PdqImage, PdqPixels } from './types.ts'

/** What a decoder takes. */
export type Input = { bytes: Uint8Array } & ({ format: CoreFormat } | { size: PixelSize })

/**
 * Tells files and pixels apart, and validates them.
 * @throws BadImageInputError, UnhashableImageError
 */
export function readInput(image: PdqImage): Input {
  if (typeof image !== 'object' || image === null) throw new BadImageInputError(typeof image)
  if (ArrayBuffer.isView(image)) return decodeFile(viewBytes(image))
  if ('byteLength' in image) return decodeFile(new Uint8Array(image))
  if ('data' in image) return readPixels(image)
  throw new BadImageInputError('an object that is neither')
}

function decodeFile(bytes: Uint8Array): Input {
  if (bytes.length === 0) throw new UnhashableImageError('empty')
  const format = sniffFormat(bytes)
  if (!format) throw new UnhashableImageError('unknown-format')
  if (!isCoreFormat(format)) throw new UnhashableImageError('unsupported-format', format)
  return { bytes, format }
}

function readPixels({ width, height, data }: PdqPixels): Input {
  if (!isInputSide(width) || !isInputSide(height)) {
    throw new BadImageInputError('width and height are whole numbers from 1 to 65535')
  }
  if (!ArrayBuffer.isView(data) || data.BYTES_PER_ELEMENT !== 1) {
    throw new BadImageInputError('data is a Uint8Array or a Uint8ClampedArray')
  }
  const channels = data.length / (width * height)
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new BadImageInputError(
      `data has ${data.length} bytes, and ${width} x ${height} pixels have 1, 3 or 4 each`,
    )
  }
  return { bytes: viewBytes(data), size: { width, height, channels } }
}

function isInputSide(pixels: number): boolean {
  return Number.isInteger(pixels) && pixels >= 1 && pixels <= 65_535
}

function viewBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
