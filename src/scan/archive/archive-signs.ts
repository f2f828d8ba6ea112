import { Buffer } from 'node:buffer'
import type { ContainerFormat } from '../format.ts'
import type { ScannedFile } from '../scanned.ts'
import { readTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts'

/** How an archive, or a document that holds files, is recognised at any position. */
interface Sign {
  format: ContainerFormat
  needle: Buffer
  /** Bytes before the needle. */
  before: number
  /** Checks its bytes, from the first on, if the needle is not enough. */
  isOne?: (bytes: Buffer) => boolean
}

// ZIP has its own reader that finds it anywhere. zlib has no distinctive bytes.
const SIGNS: readonly Sign[] = [
  { format: 'gzip', needle: Buffer.from([0x1f, 0x8b, 8]), before: 0, isOne: isGzip },
  { format: 'zstd', needle: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), before: 0, isOne: isZstd },
  { format: 'xz', needle: Buffer.from('\xfd7zXZ\0', 'latin1'), before: 0 },
  { format: '7z', needle: Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), before: 0 },
  { format: 'rar', needle: Buffer.from('Rar!\x1a\x07', 'latin1'), before: 0 },
  { format: 'bzip2', needle: Buffer.from('1AY&SY'), before: 4, isOne: isBzip2 },
  { format: 'pdf', needle: Buffer.from('%PDF-'), before: 0 },
  { format: 'tar', needle: Buffer.from('ustar'), before: 257, isOne: isTar },
]

/**
 * Finds archives in and after an image by their first bytes. They are not opened: where an image is expected, their presence is
 * enough. The shorter a sign, the more of the following bytes is checked, so that none appears in a picture by chance.
 */
export class ArchiveSigns {
  readonly #found = new Set<ContainerFormat>()
  #tail: Uint8Array = new Uint8Array(0)

  take(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#tail, chunk])
    for (const sign of SIGNS) if (isIn(bytes, sign)) this.#found.add(sign.format)
    this.#tail = bytes.subarray(-TAR_BLOCK_BYTES + 1)
  }

  close(): ScannedFile[] {
    return [...this.#found].map((format) => ({
      coverage: 'unscannable',
      reason: 'unsupported-format',
      format,
      bytes: 0,
      within: 'embedded',
    }))
  }
}

function isIn(bytes: Buffer, { needle, before, isOne }: Sign): boolean {
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) {
    if (at >= before && (!isOne || isOne(bytes.subarray(at - before)))) return true
  }
  return false
}

/** A header that holds only a name, and how and where it was made (RFC 1952, 2.3.1). */
function isGzip(bytes: Buffer): boolean {
  const [flags = 0xff, how = 0xff, where = 0xfe] = [bytes[3], bytes[8], bytes[9]]
  return (flags & ~8) === 0 && [0, 2, 4].includes(how) && (where <= 13 || where === 0xff)
}

/** A frame without a dictionary, and a first block within the allowed size (RFC 8878, 3.1.1). */
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

function isTar(bytes: Buffer): boolean {
  return readTarHeader(bytes.subarray(0, TAR_BLOCK_BYTES)) !== undefined
}
