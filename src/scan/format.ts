import { Buffer } from 'node:buffer'
import type { CoreFormat } from '../core/image.ts'
import { ascii } from './ascii.ts'
import { readTarHeader } from './tar-header.ts'

/** Formats that are told by their first bytes. */
export type ImageFormat =
  | CoreFormat
  | 'webp'
  | 'avif'
  | 'heic'
  | 'jxl'
  | 'tiff'
  | 'psd'
  | 'ico'
  | 'jp2'

/** Files that hold others: those that are read as archives, those searched for images, and those that are not opened. */
export type ContainerFormat =
  | 'zip'
  | 'gzip'
  | 'tar'
  | 'pdf'
  | 'rar'
  | '7z'
  | 'xz'
  | 'bzip2'
  | 'zstd'

export type FileFormat = ImageFormat | ContainerFormat

/** First bytes that are enough to tell any image. */
export const SNIFF_BYTES = 32

/** First bytes that are enough to tell any file: programs look for the header of a PDF in as many. */
export const HEAD_BYTES = 1024

/** Whether a program that shows PDF files would take this for one, whatever it begins as. */
export function isPdf(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, HEAD_BYTES)).includes('%PDF-')
}

/** Tells the format of a file by its first bytes: what it is as an image, or else as a container. */
export function sniffFile(head: Uint8Array): FileFormat | undefined {
  return sniffFormat(head) ?? sniffContainer(head)
}

export function isImageFormat(format: FileFormat | undefined): format is ImageFormat {
  return format !== undefined && !CONTAINERS.has(format)
}

const CONTAINERS: ReadonlySet<string> = new Set<ContainerFormat>([
  'zip',
  'gzip',
  'tar',
  'pdf',
  'rar',
  '7z',
  'xz',
  'bzip2',
  'zstd',
])

function sniffContainer(head: Uint8Array): ContainerFormat | undefined {
  const text = ascii(head.subarray(0, SNIFF_BYTES))
  if (/^PK(\x03\x04|\x05\x06)/.test(text)) return 'zip'
  if (text.startsWith('\x1f\x8b\x08')) return 'gzip'
  if (text.startsWith('Rar!\x1a\x07')) return 'rar'
  if (text.startsWith('7z\xbc\xaf\x27\x1c')) return '7z'
  if (text.startsWith('\xfd7zXZ\0')) return 'xz'
  if (/^BZh[1-9]1AY&SY/.test(text)) return 'bzip2'
  if (text.startsWith('\x28\xb5\x2f\xfd')) return 'zstd'
  if (readTarHeader(head)) return 'tar'
  return isPdf(head) ? 'pdf' : undefined
}

/** Tells the format of a file by its first bytes, whatever its name and type say. `undefined`: no image known here. */
export function sniffFormat(head: Uint8Array): ImageFormat | undefined {
  const text = ascii(head.subarray(0, SNIFF_BYTES))
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif'
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp'
  if (text.slice(4, 8) === 'ftyp') return isoFormat(text)
  if (text.startsWith('BM') && isBitmapHeader(head)) return 'bmp'
  if (text.startsWith('\xff\x0a') || text.startsWith('\0\0\0\x0cJXL \r\n\x87\n')) return 'jxl'
  if (text.startsWith('\0\0\0\x0cjP  \r\n\x87\n')) return 'jp2'
  if (/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/.test(text)) return 'tiff'
  if (text.startsWith('8BPS\0')) return 'psd'
  if (/^\0\0[\x01\x02]\0[^\0]\0/.test(text)) return 'ico'
  return undefined
}

/** ISO base media files (ISO/IEC 14496-12) say what they are in their brands: the major one, then compatible ones. */
function isoFormat(text: string): ImageFormat | undefined {
  const brands = [text.slice(8, 12), ...(text.slice(16).match(/.{4}/gs) ?? [])]
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return 'avif'
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return 'heic'
  return undefined
}

/** 'BM' begins many texts: the size of the next header must be one that exists. */
function isBitmapHeader(head: Uint8Array): boolean {
  const size = (head[14] ?? 0) | ((head[15] ?? 0) << 8)
  const exists = size === 12 || (size >= 16 && size <= 64) || size === 108 || size === 124
  return exists && head[16] === 0 && head[17] === 0
}
