import type { CoreFormat } from '../../core/image.ts'
import { ascii } from '../../util/ascii.ts'
import { byteTable } from '../../util/bytes.ts'

/** Formats that are recognised by their first bytes. */
export const IMAGE_FORMATS = [
  'jpeg',
  'png',
  'gif',
  'bmp',
  'webp',
  'avif',
  'heic',
  'jxl',
  'tiff',
  'psd',
  'ico',
  'jp2',
] as const

export type ImageFormat = (typeof IMAGE_FORMATS)[number]

/** Enough first bytes to recognise any image, except a bare JPEG XL codestream. */
export const SNIFF_BYTES = 32

/** First bytes of images, except those with brands. Most other data has none of them. */
const FIRST_BYTES = byteTable('\xff\x89GRBIM8\0')
const SMALL_F = 0x66

/** Whether the core decodes it itself. */
export function isCoreFormat(format: ImageFormat): format is CoreFormat {
  return ['jpeg', 'png', 'gif', 'bmp'].includes(format)
}

/** A shorter JPEG XL is no picture. */
const CODESTREAM_BYTES = 320

/**
 * Whether a bare JPEG XL codestream may begin here (ISO/IEC 18181-1:2024, annex B). Its signature
 * has only two bytes, and its headers accept most others. So it counts only if it is long: short
 * values of random bytes, and paths such as /work in base64, are much more common.
 */
export function isCodestream(head: Uint8Array): boolean {
  return head.length >= CODESTREAM_BYTES && head[0] === 0xff && head[1] === 0x0a
}

/**
 * Recognises a file's format by its first bytes, whatever its name and type. `undefined` if it is
 * no known image.
 */
export function sniffFormat(head: Uint8Array): ImageFormat | undefined {
  // Brands come after four arbitrary bytes.
  if (FIRST_BYTES[head[0] ?? 1] === 0 && head[4] !== SMALL_F) return undefined
  const text = ascii(head.subarray(0, SNIFF_BYTES))
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif'
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp'
  if (text.slice(4, 8) === 'ftyp') return isoFormat(text)
  if (text.startsWith('BM') && isBitmapHeader(head)) return 'bmp'
  if (text.startsWith('\0\0\0\x0cJXL \r\n\x87\n') || isCodestream(head)) return 'jxl'
  if (text.startsWith('\0\0\0\x0cjP  \r\n\x87\n')) return 'jp2'
  if (/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/.test(text)) return 'tiff'
  if (text.startsWith('8BPS\0')) return 'psd'
  if (/^\0\0[\x01\x02]\0[^\0]\0/.test(text)) return 'ico'
  return undefined
}

/**
 * ISO base media files (ISO/IEC 14496-12) identify themselves by their brands: the major one, then
 * compatible ones.
 */
function isoFormat(text: string): ImageFormat | undefined {
  const brands = [text.slice(8, 12), ...(text.slice(16).match(/.{4}/gs) ?? [])]
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return 'avif'
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return 'heic'
  return undefined
}

/** 'BM' begins many texts, so the size of the next header must be a known one. */
function isBitmapHeader(head: Uint8Array): boolean {
  const size = (head[14] ?? 0) | ((head[15] ?? 0) << 8)
  const exists = size === 12 || (size >= 16 && size <= 64) || size === 108 || size === 124
  return exists && head[16] === 0 && head[17] === 0
}
