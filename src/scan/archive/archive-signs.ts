import { Buffer } from 'node:buffer'
import type { ContainerFormat } from '../format.ts'
import type { ScannedFile } from '../scanned.ts'
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts'

/** How an archive, or a document that holds files, is recognised wherever it begins. */
interface ArchiveSign {
  format: ContainerFormat
  needle: Buffer
  /** Bytes before the needle. */
  before: number
  /** Checks the bytes from the first on, where the needle alone is not enough. */
  isOne?: (bytes: Buffer) => boolean
}

// ZIP has its own reader, which finds it anywhere. zlib has no signature.
const SIGNS: readonly ArchiveSign[] = [
  { format: 'gzip', needle: Buffer.from([0x1f, 0x8b, 8]), before: 0, isOne: isPlainGzip },
  { format: 'zstd', needle: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), before: 0, isOne: isZstd },
  { format: 'xz', needle: Buffer.from('\xfd7zXZ\0', 'latin1'), before: 0 },
  { format: '7z', needle: Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), before: 0 },
  { format: 'rar', needle: Buffer.from('Rar!\x1a\x07', 'latin1'), before: 0 },
  { format: 'bzip2', needle: Buffer.from('1AY&SY'), before: 4, isOne: isBzip2 },
  { format: 'pdf', needle: Buffer.from('%PDF-'), before: 0 },
  { format: 'tar', needle: Buffer.from('ustar'), before: 257, isOne: hasTarHeader },
]

/**
 * Bytes searched at once. However small the arriving chunks are, each byte is searched about once.
 */
const BLOCK_BYTES = 16 * 1024
/** Bytes of a block that are searched again with the next: a sign may span two blocks. */
const TAIL_BYTES = TAR_BLOCK_BYTES - 1

/**
 * Finds archives in and behind an image by their first bytes. They are not opened: on a route for
 * images, their presence is enough. The shorter a sign is, the more of the bytes behind it are
 * checked, so that no picture contains one by chance.
 */
export class ArchiveSigns {
  readonly #found = new Set<ContainerFormat>()
  readonly #block = Buffer.alloc(BLOCK_BYTES)
  #length = 0

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
    for (const sign of SIGNS) if (isIn(bytes, sign)) this.#found.add(sign.format)
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

function isIn(bytes: Buffer, { needle, before, isOne }: ArchiveSign): boolean {
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) {
    if (at >= before && (!isOne || isOne(bytes.subarray(at - before)))) return true
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
