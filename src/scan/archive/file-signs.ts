import { Buffer } from 'node:buffer'
import type { FileFormat } from '../format.ts'
import type { ScannedFile } from '../scanned.ts'
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts'

// ZIP and most images have readers that find them anywhere. zlib and bare JPEG XL have no signature.
const SIGNS: readonly FileSign[] = [
  { format: 'gzip', needle: Buffer.from([0x1f, 0x8b, 8]), before: 0, isOne: isPlainGzip },
  { format: 'zstd', needle: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), before: 0, isOne: isZstd },
  { format: 'xz', needle: Buffer.from('\xfd7zXZ\0', 'latin1'), before: 0 },
  { format: '7z', needle: Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), before: 0 },
  { format: 'rar', needle: Buffer.from('Rar!\x1a\x07', 'latin1'), before: 0 },
  { format: 'bzip2', needle: Buffer.from('1AY&SY'), before: 4, isOne: isBzip2 },
  { format: 'pdf', needle: Buffer.from('%PDF-'), before: 0 },
  { format: 'tar', needle: Buffer.from('ustar'), before: 257, isOne: hasTarHeader },
  { format: 'jxl', needle: Buffer.from('\0\0\0\x0cJXL \r\n\x87\n', 'latin1'), before: 0 },
  { format: 'jp2', needle: Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'), before: 0 },
  { format: 'psd', needle: Buffer.from('8BPS\0'), before: 0, isOne: hasPsdHeader },
  ...['\x01', '\x02'].map((type): FileSign => {
    return { format: 'ico', needle: Buffer.from(`\0\0${type}\0`), before: 0, isOne: hasIconEntry }
  }),
]

/** Header and first entry of an icon. */
const ICON_HEAD_BYTES = 22
const MAX_ICON_BYTES = 1 << 24

/**
 * Bytes searched at once. However small the arriving chunks are, each byte is searched about once.
 */
const BLOCK_BYTES = 16 * 1024
/** Bytes of a block that are searched again with the next: a sign may span two blocks. */
const TAIL_BYTES = TAR_BLOCK_BYTES - 1

/**
 * Finds files in and behind an image by their first bytes, if nothing else does. They are not
 * opened: on a route for images, their presence is enough. The shorter a sign is, the more of the
 * bytes behind it are checked, so that no picture contains one by chance.
 */
export class FileSigns {
  readonly #found = new Set<FileFormat>()
  readonly #block = Buffer.alloc(BLOCK_BYTES)
  #length = 0
  /** First place in the block where a file may begin: the image around it has one of the signs. */
  #from = 1

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + BLOCK_BYTES - this.#length)
      this.#block.set(part, this.#length)
      this.#length += part.length
      at += part.length
      if (this.#length === BLOCK_BYTES) this.#search()
    }
  }

  #search(): void {
    const bytes = this.#block.subarray(0, this.#length)
    for (const sign of SIGNS) if (isIn(bytes, this.#from, sign)) this.#found.add(sign.format)
    this.#from = 0
    const tail = bytes.subarray(-TAIL_BYTES)
    this.#block.set(tail)
    this.#length = tail.length
  }

  close(): ScannedFile[] {
    this.#search()
    return [...this.#found].map((format) => ({
      coverage: 'unscannable',
      reason: 'unsupported-format',
      format,
      bytes: 0,
      within: 'embedded',
    }))
  }
}

/** How a file is recognised wherever it begins. */
interface FileSign {
  format: FileFormat
  needle: Buffer
  /** Bytes before the needle. */
  before: number
  /** Checks the bytes from the first on, where the needle alone is not enough. */
  isOne?: (bytes: Buffer) => boolean
}

/** Whether a file begins at `from` or behind it. */
function isIn(bytes: Buffer, from: number, { needle, before, isOne }: FileSign): boolean {
  const first = from + before
  for (let at = bytes.indexOf(needle, first); at !== -1; at = bytes.indexOf(needle, at + 1)) {
    if (!isOne || isOne(bytes.subarray(at - before))) return true
  }
  return false
}

/** A header with nothing beyond a name, and how and where it was made (RFC 1952, 2.3.1). */
function isPlainGzip(bytes: Buffer): boolean {
  const [flags = 0xff, how = 0xff, where = 0xfe] = [bytes[3], bytes[8], bytes[9]]
  return (flags & ~8) === 0 && [0, 2, 4].includes(how) && (where <= 13 || where === 0xff)
}

/** A frame without a dictionary, whose first block has an allowed length (RFC 8878, 3.1.1). */
function isZstd(bytes: Buffer): boolean {
  const flags = bytes[4] ?? 0xff
  if ((flags & 0x0f) !== 0) return false
  const isSingle = (flags & 0x20) !== 0
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0
  const block = 5 + (isSingle ? 0 : 1) + sizeBytes
  if (bytes.length < block + 3) return false
  const header = bytes.readUIntLE(block, 3)
  return ((header >> 1) & 3) !== 3 && header >> 3 <= 128 * 1024
}

function isBzip2(bytes: Buffer): boolean {
  return /^BZh[1-9]/.test(bytes.toString('latin1', 0, 4))
}

function hasTarHeader(bytes: Buffer): boolean {
  return readTarHeader(bytes.subarray(0, TAR_BLOCK_BYTES)) !== undefined
}

/** Version 1 or 2, and reserved zeros. */
function hasPsdHeader(bytes: Buffer): boolean {
  return bytes.length >= 12 && [1, 2].includes(bytes.readUInt8(5)) && bytes.readUIntBE(6, 6) === 0
}

/** Up to 255 pictures, the first of which has a plausible size and place. */
function hasIconEntry(bytes: Buffer): boolean {
  if (bytes.length < ICON_HEAD_BYTES) return false
  const [count, size, at] = [bytes.readUInt16LE(4), bytes.readUInt32LE(14), bytes.readUInt32LE(18)]
  const isPlaced = at >= 6 + 16 * count && at < MAX_ICON_BYTES
  return (
    count > 0 && count < 256 && bytes[9] === 0 && size >= 40 && size < MAX_ICON_BYTES && isPlaced
  )
}
