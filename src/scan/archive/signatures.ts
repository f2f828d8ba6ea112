import { Buffer } from 'node:buffer'
import type { SignatureSearch } from '../../core/signature-search.ts'
import { ascii } from '../../util/ascii.ts'
import { beginsWith } from '../../util/bytes.ts'
import { SNIFF_BYTES, sniffFormat } from '../image/format.ts'

/** Enough bytes for any signature. */
export const LONGEST_SIGNATURE_BYTES = SNIFF_BYTES

// Needles are byte sequences that are rare in files. assembly/search.ts finds their first two bytes.
const SIGNATURES: readonly Signature[] = [
  { needle: Buffer.from([0xd8, 0xff]), before: 1, bytes: 6, isImage: (_, bytes) => isJpeg(bytes) },
  {
    needle: Buffer.from('PNG\r'),
    before: 1,
    bytes: 16,
    isImage: (head) => /^\x89PNG\r\n\x1a\n.{4}[A-Za-z]{4}$/s.test(head),
  },
  { needle: Buffer.from('GIF8'), before: 0, bytes: 6, isImage: (head) => /^GIF8[79]a/.test(head) },
  {
    needle: Buffer.from('WEBP'),
    before: 8,
    bytes: 12,
    isImage: (head) => head.startsWith('RIFF'),
  },
  {
    needle: Buffer.from('ftyp'),
    before: 4,
    bytes: SNIFF_BYTES, // brands
    isImage: (head) => /^.{4}ftyp(avi[fs]|hei[cx]|mif1|msf1)/s.test(head),
  },
  {
    needle: Buffer.from('BM'),
    before: 0,
    bytes: SNIFF_BYTES,
    isImage: (_, bytes) => sniffFormat(bytes) === 'bmp', // by the size of its second header
  },
  ...['*\0', '+\0'].map((needle) => tiff(needle, 2)),
  tiff('M\0', 1),
]

/** Tables, frames, application data and comments. */
const JPEG_MARKERS = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\xc0-\xc2\xc4\xdb\xdd\xe0-\xef\xfe]/.test(String.fromCharCode(byte)) ? 1 : 0,
)

/**
 * Finds the beginnings of images at any position, in order. Those cut off at the end are left out.
 * @param bytes at most 65,536
 */
export function findImages(search: SignatureSearch, bytes: Uint8Array): Hit[] {
  const hits: Hit[] = []
  for (const at of search.find(bytes)) {
    const rest = bytes.subarray(at)
    const signature = SIGNATURES.find(({ needle }) => beginsWith(rest, needle))
    const hit = signature && hitOf(signature, bytes, at)
    if (hit) hits.push(hit)
  }
  return hits.toSorted((a, b) => a.start - b.start)
}

/** The beginning of something that may be an image. */
export interface Hit {
  /** Index of its first byte, and of the one after its signature. */
  start: number
  end: number
}

/** A needle, searched for by its first two bytes, and its position in the image. */
interface Signature {
  needle: Buffer
  /** Bytes of the image before the needle. */
  before: number
  bytes: number
  /** Checks for an image, by its first bytes as text, and by all its available bytes. */
  isImage: (head: string, bytes: Uint8Array) => boolean
}

/** Four bytes and the offset of the first directory. Only the directory tells more. */
function tiff(needle: string, before: number): Signature {
  return {
    needle: Buffer.from(needle, 'latin1'),
    before,
    bytes: 16,
    isImage: (head) => /^(II[*+]\0|MM\0[*+])/.test(head),
  }
}

/**
 * A start of image and a marker that may follow it: a table, a frame, application data or a
 * comment. Machine code is full of such bytes. So another marker must follow the first one's
 * segment, if its end is within reach. Decoders read a length of 0 or 1 as 2, the length of the
 * field itself.
 */
function isJpeg(bytes: Uint8Array, marker = 3): boolean {
  const isStart = bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff
  if (!isStart || JPEG_MARKERS[bytes[marker] ?? 0] !== 1) return false
  const length = ((bytes[marker + 1] ?? 0) << 8) | (bytes[marker + 2] ?? 0)
  return (bytes[marker + 1 + Math.max(2, length)] ?? 0xff) === 0xff
}

/** Whether these bytes begin a JPEG. Any number of fill bytes may precede its second marker. */
export function isJpegStart(bytes: Uint8Array): boolean {
  let marker = 3
  while (bytes[marker] === 0xff) marker++
  return isJpeg(bytes, marker)
}

/** The image whose needle is at a position, if it is one. */
function hitOf(signature: Signature, bytes: Uint8Array, at: number): Hit | undefined {
  const start = at - signature.before
  const end = start + signature.bytes
  if (start < 0 || end > bytes.length) return undefined
  const head = ascii(bytes.subarray(start, end))
  return signature.isImage(head, bytes.subarray(start)) ? { start, end } : undefined
}
