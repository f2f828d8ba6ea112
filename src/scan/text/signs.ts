import { isAscii, isUtf8 } from 'node:buffer'
import { bufferOf } from '../../util/buffer.ts'
import { ascii } from '../../util/ascii.ts'
import { byteTable } from '../../util/bytes.ts'
import { isJpegStart } from '../archive/signatures.ts'
import { inflated, isZlib, mayBeDeflate, mayBeZlib } from '../archive/zlib.ts'
import { sniffFile } from '../format.ts'
import { sniffFormat } from '../image/format.ts'

/** Bytes by which a file is found wherever it begins, in whatever code it is written. */
interface Sign {
  needle: Uint8Array
  /** Bytes of the file before the needle. */
  before: number
}

/** Bytes from the needle on that are enough to recognise a file. */
export const SIGHT_BYTES = 64
/** Bytes of a value that are enough to recognise a file of any format by its first ones. */
export const VALUE_BYTES = 33
/**
 * Bytes of a value that are enough to recognise headerless deflate, whose codes take 284 at most. A
 * shorter value is no picture.
 */
export const DEFLATE_BYTES = 320
/**
 * Bytes that are enough to recognise a text: a few bytes of digits read as hex can look like one.
 */
export const TEXT_BYTES = 40
/** Most bytes of a file before the needle. */
export const MOST_BEFORE = 257

const SIGNS: readonly Sign[] = [
  sign('\xff\xd8\xff'),
  sign('\x89PNG'),
  sign('GIF8'),
  sign('WEBP', 8),
  sign('ftyp', 4),
  // With the size of a bitmap's second header: its own two letters are too few.
  ...['\x0c', '\x28', '\x34', '\x38', '\x40', '\x6c', '\x7c'].map((size) =>
    sign(`${size}\0\0`, 14),
  ),
  sign('II*\0'),
  sign('II+\0'),
  sign('MM\0*'),
  sign('MM\0+'),
  sign('8BPS'),
  sign('jP  ', 4),
  sign('JXL ', 4),
  sign('PK\x03\x04'),
  sign('\x1f\x8b\x08'),
  sign('%PDF-'),
  sign('ustar', MOST_BEFORE),
  sign('Rar!'),
  sign('7z\xbc\xaf'),
  sign('\xfd7zX'),
  sign('BZh'),
  sign('\x28\xb5\x2f\xfd'),
  sign('_codecs', 1),
]

/** JPEG and PNG as characters in UTF-8; the signs of other images are ASCII. */
const CHARACTER_SIGNS: readonly Sign[] = [sign('\xc3\xbf\xc3\x98\xc3\xbf'), sign('\xc2\x89PNG')]

function sign(needle: string, before = 0): Sign {
  return { needle: Buffer.from(needle, 'latin1'), before }
}

/**
 * Whether a file begins with bytes that were written as UTF-8 characters. Unless they are all
 * ASCII, other data is not valid UTF-8 by chance.
 * @param isDeclared whether the file is declared to be text, so that plain ASCII counts too
 */
export function isBinaryString(head: Uint8Array, isDeclared: boolean): boolean {
  let end = head.length // before the last character if that may be cut off
  while (end > head.length - MAX_TRAIL && ((head[end - 1] ?? 0) & 0xc0) === 0x80) end--
  if ((head[end - 1] ?? 0) >= 0xc0) end--
  const whole = head.subarray(0, end)
  return isUtf8(whole) && (isDeclared || !isAscii(whole))
}

/** Maximum bytes of a character after its first one. */
const MAX_TRAIL = 3

/** What Python's pickle writes before bytes in protocols that store them as Latin-1 strings. */
const PICKLED_BYTES = Buffer.from('c_codecs\nencode')

/** Whether bytes are pickled as strings here. */
export function hasPickledBytes(head: Uint8Array): boolean {
  return bufferOf(head).includes(PICKLED_BYTES)
}

/** First bytes of files, except those with brands: most other data has none of them. */
const FILE_STARTS = byteTable('\xff\x89GRBIM8\0P\x1f7\xfd(%c')
const SMALL_F = 0x66

/** Whether a file begins with these bytes, by more evidence than a sign. */
export function isFileStart(head: Uint8Array): boolean {
  if (head[0] === 0xc3 || head[0] === 0xc2) return isBinaryString(head, false)
  if (head[0] === PICKLED_BYTES[0] && hasPickledBytes(head.subarray(0, PICKLED_BYTES.length)))
    return true
  const isTar = head.length > MOST_BEFORE && isTarStart(head)
  // Brands come after four arbitrary bytes.
  if (!isTar && FILE_STARTS[head[0] as number] !== 1 && head[4] !== SMALL_F) return false
  const format = isTar ? 'tar' : sniffFile(head)
  if (format === 'jpeg') return isJpegStart(head)
  if (format === 'bmp') return head[6] === 0 && head[8] === 0 && isBitmapPlane(head)
  if (format === 'gzip') return isGzipStart(head)
  if (format === 'tiff') return isTiffStart(head)
  // A letter and two digits, or a few zeros, are no evidence by themselves.
  return format !== undefined && !(format === 'jxl' && head[0] === 0xff) && format !== 'ico'
}

/** Asks whether another value may be inflated to look inside. */
export type MayInflate = () => boolean

/** The same at the beginning of a value, which may have a format with a short signature. */
export function isValueStart(head: Uint8Array, mayInflate: MayInflate): boolean {
  if (sniffFormat(head)) return true
  return mayBeZlib(head) && mayInflate() && isZlib(head)
}

/**
 * The same in readings that any text fits, and in strict codings: a signature of one letter or a
 * few zeros does not count.
 */
export function isPlainValueStart(head: Uint8Array, mayInflate: MayInflate): boolean {
  if (isFileStart(head)) return true
  return mayBeZlib(head) && mayInflate() && isZlib(head)
}

/** Bytes that rule out zlib and deflate in most other data. */
export const PACKED_BYTES = 24

/** Whether zlib or headerless deflate may begin here. */
export function mayBePacked(head: Uint8Array, mayInflate: MayInflate): boolean {
  const isFixed = ((head[0] ?? 0) & 6) === 2 // these codes begin at once, so their output tells
  return mayBeZlib(head) || (isFixed ? isDeflateStart(head, mayInflate) : mayBeDeflate(head))
}

/** Whether zlib, or headerless deflate of a file or a text, begins here. */
export function isPackedStart(head: Uint8Array, mayInflate: MayInflate): boolean {
  return (mayBeZlib(head) && mayInflate() && isZlib(head)) || isDeflateStart(head, mayInflate)
}

/** Whether headerless deflate of a file or a text begins here: only its output can tell. */
export function isDeflateStart(head: Uint8Array, mayInflate: MayInflate): boolean {
  const file = mayBeDeflate(head) && mayInflate() ? inflated(head) : undefined
  if (!file || file.length < 3) return false
  return (
    isFileStart(file.subarray(0, SIGHT_BYTES)) ||
    (file.length >= TEXT_BYTES && isTextStart(file.subarray(0, TEXT_BYTES)))
  )
}

/**
 * Whether these are bytes of a text, which may hold another coding: letters, digits, punctuation,
 * white space.
 */
export function isTextStart(head: Uint8Array): boolean {
  return head.every(isTextByte) || WIDTHS.some((width) => isTextOfWidth(head, width))
}

/** Bytes of a letter in UTF-16 and UTF-32. */
const WIDTHS = [2, 4]

function isTextOfWidth(head: Uint8Array, width: number): boolean {
  const first = head.findIndex((byte) => byte !== 0)
  if (first === -1) return false
  return head.every((byte, i) => ((i - first) % width === 0 ? isTextByte(byte) : byte === 0))
}

export function isTextByte(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13
}

const SMALL_U = 0x75

/** A TAR header as far as its magic: the rest of what its checksum covers is missing. */
function isTarStart(head: Uint8Array): boolean {
  return (
    head[MOST_BEFORE] === SMALL_U && // checked first: most heads fail here
    /^ustar(\0| )/.test(ascii(head.subarray(MOST_BEFORE, MOST_BEFORE + 6))) &&
    /^[\0 0-7]{8}$/.test(ascii(head.subarray(100, 108)))
  )
}

/** Existing flags, compression level and system (RFC 1952, 2.3.1). */
function isGzipStart(head: Uint8Array): boolean {
  const [flags = 0, level = 0, system = 0] = [head[3], head[8], head[9]]
  return (flags & 0xe0) === 0 && [0, 2, 4].includes(level) && (system <= 13 || system === 255)
}

/** The first directory must lie within what a text can hold: SCAN_LIMITS.textBytes. */
function isTiffStart(head: Uint8Array): boolean {
  const isLittle = head[0] === 0x49
  const isBig = head[isLittle ? 2 : 3] === 0x2b
  if (isBig) return head[isLittle ? 4 : 5] === 8 // size of an offset
  return (head[isLittle ? 7 : 4] ?? 0) < 12
}

function isBitmapPlane(head: Uint8Array): boolean {
  const at = head[14] === 12 ? 22 : 26
  return head[at] === 1 && head[at + 1] === 0
}

/** A window of 24 bits over codes, and where the needle of a sign begins in it. */
export interface WindowSign {
  before: number
  /** Bits from the beginning of the window to that of the needle. */
  offset: number
}

/** Windows that reveal signs in codes of a given width, and a fast filter to ask first. */
export interface Windows {
  /** One bit for each place, so that it stays in the cache. */
  filter: Uint32Array
  signs: ReadonlyMap<number, readonly WindowSign[]>
}

const WINDOW_BITS = 24

/** Place of a window in the filter. */
function filterIndex(window: number): number {
  return (window ^ (window >>> 8)) & 0xffff
}

/** Whether a window may be one of a sign. */
export function mayBeSign(filter: Uint32Array, window: number): boolean {
  const place = filterIndex(window)
  return (((filter[place >>> 5] as number) >>> (place & 31)) & 1) === 1
}

/**
 * Signs that a search looks for: all; those of more than a small number; or those of bytes that are
 * also read as characters, beside the search.
 */
export type SignSet = 'all' | 'long' | 'bytes'

const SIGN_SETS: Record<SignSet, readonly Sign[]> = {
  all: [...SIGNS, ...CHARACTER_SIGNS],
  long: [...SIGNS, ...CHARACTER_SIGNS].filter(({ needle }) => needle[1] !== 0),
  bytes: SIGNS,
}

const cache = new Map<string, Windows>()

/**
 * Windows for codes of a given width. Bytes begin at codes, 2 or 4 bits into codes of 6, or
 * anywhere in codes of 5.
 */
export function windowsFor(codeBits: number, set: SignSet = 'all'): Windows {
  const key = `${codeBits} ${set}`
  let windows = cache.get(key)
  if (!windows) cache.set(key, (windows = makeWindows(codeBits, SIGN_SETS[set])))
  return windows
}

/** Distance in bits between possible beginnings of bytes within a code. */
const STEPS: Readonly<Record<number, number>> = { 6: 2, 5: 1 }

function makeWindows(codeBits: number, all: readonly Sign[]): Windows {
  const filter = new Uint32Array(0x10000 / 32)
  const signs = new Map<number, WindowSign[]>()
  for (const { needle, before } of all) {
    for (let shift = 0; shift < codeBits; shift += STEPS[codeBits] ?? 8) {
      for (const window of windowsAt(needle, -shift)) {
        const place = filterIndex(window)
        filter[place >>> 5] = (filter[place >>> 5] as number) | (1 << (place & 31))
        signs.set(window, [...(signs.get(window) ?? []), { before, offset: shift }])
      }
    }
  }
  return { filter, signs }
}

/** All windows that begin `start` bits from a needle: bits outside the needle may be anything. */
function windowsAt(needle: Uint8Array, start: number): number[] {
  let windows = [0]
  for (let bit = start; bit < start + WINDOW_BITS; bit++) {
    const byte = needle[bit >> 3]
    const own = bit < 0 || byte === undefined ? [0, 1] : [(byte >> (7 - (bit & 7))) & 1]
    windows = windows.flatMap((window) => own.map((value) => (window << 1) | value))
  }
  return windows
}
