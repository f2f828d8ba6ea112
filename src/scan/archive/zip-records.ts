import { createHash } from 'node:crypto'
import { ascii } from '../../util/ascii.ts'
import { viewOf } from '../../util/bytes.ts'

// Records of ZIP (APPNOTE.TXT 6.3.10), limited to the fields used here.

/** Bytes of each record's fixed part, by the two characters after 'PK'. */
export const RECORD_BYTES = {
  local: 30,
  central: 46,
  end: 22,
  zip64End: 56,
  zip64Locator: 20,
} as const

export type RecordKind = keyof typeof RECORD_BYTES

/** What a file's header says, or what the file turned out to be. */
export interface ZipFileInfo {
  /** Digest of the name. */
  name: string
  method: number
  isEncrypted: boolean
  crc: number
  compressedBytes: number
  bytes: number
}

/** Says how a file's data lies in the archive (4.3.7). */
export interface LocalHeader extends ZipFileInfo {
  /** Whether CRC and sizes follow the data. They are then usually 0 here. */
  hasDescriptor: boolean
}

/** A file's record in the central directory (4.3.12). */
export interface CentralRecord extends ZipFileInfo {
  /** Where the record lies in the file, and where the local header is said to be. */
  start: number
  end: number
  localOffset: number
}

/** The end of the central directory (4.3.16), or its Zip64 form (4.3.14). */
export interface EndRecord {
  start: number
  entries: number
  directoryBytes: number
  directoryOffset: number
  commentBytes: number
  /** Whether this reader knows all its fields and it describes a single disk. */
  isPlain: boolean
}

/** Whether any program finds a directory by this end: some use only its size, others its offset. */
export function isPlausibleEnd({ start, entries, ...directory }: EndRecord): boolean {
  const isBefore = (number: number) => number <= start || number === IN_ZIP64
  const hasSize = directory.directoryBytes >= RECORD_BYTES.central
  return (
    (hasSize && isBefore(directory.directoryBytes)) ||
    (entries > 0 && isBefore(directory.directoryOffset))
  )
}

const IN_ZIP64 = 0xffffffff

const KINDS = new Map<string, RecordKind>([
  ['\x03\x04', 'local'],
  ['\x01\x02', 'central'],
  ['\x05\x06', 'end'],
  ['\x06\x06', 'zip64End'],
  ['\x06\x07', 'zip64Locator'],
])

/** Kind of a record by its first four bytes. */
export function recordKind(signature: Uint8Array): RecordKind | undefined {
  const text = ascii(signature.subarray(0, 4))
  return text.startsWith('PK') ? KINDS.get(text.slice(2)) : undefined
}

/** Bytes of a record after its fixed part. */
export function variableBytes(kind: RecordKind, fixed: Uint8Array): number {
  const view = viewOf(fixed)
  if (kind === 'local') return view.getUint16(26, true) + view.getUint16(28, true)
  if (kind !== 'central') return 0
  return view.getUint16(28, true) + view.getUint16(30, true) + view.getUint16(32, true)
}

/** Highest version needed to extract that exists, in tenths. */
const MAX_VERSION = 63
const METHODS = new Set([
  0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 18, 19, 20, 93, 94, 95, 96, 97, 98, 99,
])

/** Whether a local header's fixed part looks like one: four bytes alone turn up in any large file. */
export function isPlausibleLocal(fixed: Uint8Array): boolean {
  const view = viewOf(fixed)
  const hasName = view.getUint16(26, true) > 0
  return hasName && view.getUint8(4) <= MAX_VERSION && METHODS.has(view.getUint16(8, true))
}

export function readLocal(record: Uint8Array): LocalHeader {
  const view = viewOf(record)
  const extraStart = RECORD_BYTES.local + view.getUint16(26, true)
  const sizes = { bytes: view.getUint32(22, true), compressedBytes: view.getUint32(18, true) }
  return {
    ...readCommon(view, 6),
    name: digestOf(record.subarray(RECORD_BYTES.local, extraStart)),
    hasDescriptor: (view.getUint16(6, true) & 8) !== 0,
    ...withZip64(sizes, record.subarray(extraStart)),
  }
}

export function readCentral(record: Uint8Array, start: number): CentralRecord {
  const view = viewOf(record)
  const extraStart = RECORD_BYTES.central + view.getUint16(28, true)
  const numbers = {
    bytes: view.getUint32(24, true),
    compressedBytes: view.getUint32(20, true),
    localOffset: view.getUint32(42, true),
  }
  return {
    ...readCommon(view, 8),
    name: digestOf(record.subarray(RECORD_BYTES.central, extraStart)),
    start,
    end: start + record.length,
    ...withZip64(numbers, record.subarray(extraStart, extraStart + view.getUint16(30, true))),
  }
}

export function readEnd(record: Uint8Array, start: number): EndRecord {
  const view = viewOf(record)
  const entries = view.getUint16(10, true)
  const isOneDisk = view.getUint32(4, true) === 0 && view.getUint16(8, true) === entries
  return {
    start,
    entries,
    directoryBytes: view.getUint32(12, true),
    directoryOffset: view.getUint32(16, true),
    commentBytes: view.getUint16(20, true),
    isPlain: isOneDisk,
  }
}

export function readZip64End(record: Uint8Array, start: number): EndRecord {
  const view = viewOf(record)
  const entries = readU64(view, 32)
  return {
    start,
    entries,
    directoryBytes: readU64(view, 40),
    directoryOffset: readU64(view, 48),
    commentBytes: 0,
    isPlain:
      readU64(view, 4) === RECORD_BYTES.zip64End - 12 &&
      readU64(view, 16) === 0 &&
      readU64(view, 24) === entries,
  }
}

/** Where a Zip64 locator says the Zip64 end is. */
export function readLocator(record: Uint8Array): number {
  return readU64(viewOf(record), 8)
}

function readCommon(view: DataView, flagsAt: number) {
  return {
    method: view.getUint16(flagsAt + 2, true),
    isEncrypted: (view.getUint16(flagsAt, true) & 0x2041) !== 0,
    crc: view.getUint32(flagsAt + 8, true),
  }
}

/**
 * Takes numbers that do not fit into 32 bits from the Zip64 field, which lists them in this order
 * (4.5.3).
 */
function withZip64<T extends Record<string, number>>(numbers: T, extra: Uint8Array): T {
  const field = extraField(extra, 1)
  if (!field) return numbers
  const view = viewOf(field)
  let at = 0
  const entries = Object.entries(numbers).map(([name, value]) => {
    if (value !== IN_ZIP64 || at + 8 > field.length) return [name, value]
    at += 8
    return [name, readU64(view, at - 8)]
  })
  return Object.fromEntries(entries) as T
}

function extraField(extra: Uint8Array, id: number): Uint8Array | undefined {
  const view = viewOf(extra)
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + view.getUint16(at + 2, true)
    if (view.getUint16(at, true) === id) return extra.subarray(at + 4, end)
    at = end
  }
  return undefined
}

function readU64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true))
}

function digestOf(name: Uint8Array): string {
  return createHash('sha256').update(name).digest('base64')
}
