import { ascii } from '../../util/ascii.ts'

/** Bytes of a header. Entries are padded to a multiple of this. */
export const TAR_BLOCK_BYTES = 512

/** What a header says (POSIX.1-1988 ustar, GNU tar). */
export interface TarHeader {
  /** One character; '\0' and '0' are files. */
  type: string
  /** Bytes of data; `undefined` if it is not a number. */
  size: number | undefined
  /** Whether blocks with the holes of a sparse file follow. */
  isExtended: boolean
}

/** Reads a header. `undefined` if it is not one, since its checksum is wrong. */
export function readTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.length < TAR_BLOCK_BYTES || !hasChecksum(block)) return undefined
  return {
    type: ascii(block.subarray(156, 157)),
    size: readTarNumber(block.subarray(124, 136)),
    isExtended: block[156] === 0x53 && block[482] !== 0,
  }
}

/**
 * Whether the checksum is the sum of the bytes, with spaces in place of the checksum itself. Some
 * programs summed signed bytes, and GNU tar and Python accept that too. They disagree about what
 * may surround the digits, so any of their readings counts.
 */
function hasChecksum(block: Uint8Array): boolean {
  let [unsigned, signed] = [8 * 0x20, 8 * 0x20]
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) {
    if (i >= 148 && i < 156) continue
    const byte = block[i] ?? 0
    unsigned += byte
    signed += byte < 128 ? byte : byte - 256
  }
  const field = block.subarray(148, 156)
  const checksums = new Set([readTarNumber(field), readOddNumber(field)])
  return checksums.has(unsigned) || checksums.has(signed)
}

/**
 * Digits as Python's int() or GNU tar reads them: with a sign, `0o` or underscores, after a zero
 * byte, before anything.
 */
function readOddNumber(field: Uint8Array): number | undefined {
  if (field[0] === 0xff) {
    let value = 0xff - 256
    for (const byte of field.subarray(1)) value = value * 256 + byte
    return value
  }
  const digits = /^\0?[\s]*\+?(?:0o_?)?([0-7_]+)/i.exec(ascii(field))?.[1]
  return digits === undefined ? undefined : parseInt(digits.replaceAll('_', ''), 8)
}

/**
 * Octal digits, or GNU tar's big-endian number if the first bit is set. `undefined` if it is
 * neither, or too large.
 */
function readTarNumber(field: Uint8Array): number | undefined {
  if ((field[0] ?? 0) & 0x80) {
    let value = (field[0] ?? 0) & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    return Number.isSafeInteger(value) ? value : undefined
  }
  const digits = /^[\0 ]*([0-7]*)[\0 ]*$/.exec(ascii(field))?.[1]
  return digits === undefined ? undefined : parseInt(digits || '0', 8)
}

/**
 * Sizes and sparse files that extended headers announce (POSIX.1-2001 pax): records of `length key=value\n`. `undefined` if
 * programs would read them differently.
 */
export function readPax(data: Uint8Array): { size?: number; isSparse: boolean } | undefined {
  let isSparse = false
  let size: number | undefined
  for (let at = 0; at < data.length;) {
    const [, digits] = /^(\d{1,7}) /.exec(ascii(data.subarray(at, at + 8))) ?? []
    const end = at + Number(digits)
    if (!digits || end > data.length || end <= at || data[end - 1] !== 0x0a) return undefined
    const record = data.subarray(at + digits.length + 1, Math.min(end - 1, at + 64))
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(ascii(record)) ?? []
    if (key === undefined || value === undefined) return undefined
    if (key.startsWith('GNU.sparse')) isSparse = true
    if (key === 'size' && size !== undefined) return undefined
    if (key === 'size') size = /^\d{1,15}$/.test(value) ? Number(value) : NaN
    at = end
  }
  return { isSparse, ...(size !== undefined && { size }) }
}
