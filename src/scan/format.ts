import { Buffer } from 'node:buffer'
import { ascii } from '../util/ascii.ts'
import { IMAGE_FORMATS, type ImageFormat, SNIFF_BYTES, sniffFormat } from './image/format.ts'
import { readTarHeader } from './archive/tar-header.ts'

/**
 * Files that hold others: some are read as archives, some are searched for images, some are not
 * opened.
 */
const CONTAINER_FORMATS = [
  'zip',
  'gzip',
  'zlib',
  'tar',
  'pdf',
  'rar',
  '7z',
  'xz',
  'bzip2',
  'zstd',
] as const

export type ContainerFormat = (typeof CONTAINER_FORMATS)[number]

/** Names of all formats recognised by their bytes. */
export const FORMAT_NAMES: readonly FileFormat[] = [...IMAGE_FORMATS, ...CONTAINER_FORMATS]

/** Enough first bytes to recognise any file: programs look for a PDF header this far. */
export const HEAD_BYTES = 1024

/** Recognises a file's format by its first bytes: an image format, otherwise a container. */
export function sniffFile(head: Uint8Array): FileFormat | undefined {
  return sniffFormat(head) ?? sniffContainer(head)
}

export type FileFormat = ImageFormat | ContainerFormat

/** Whether PDF viewers would open this, whatever it begins as. */
export function isPdf(head: Uint8Array): boolean {
  const { buffer, byteOffset, length } = head.subarray(0, HEAD_BYTES)
  return Buffer.from(buffer, byteOffset, length).includes('%PDF-') // a view: workerd would copy byte by byte
}

export function isImageFormat(format: FileFormat | undefined): format is ImageFormat {
  return format !== undefined && !CONTAINERS.has(format)
}

const CONTAINERS: ReadonlySet<string> = new Set(CONTAINER_FORMATS)

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
