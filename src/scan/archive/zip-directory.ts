import type { SeenEntry } from './zip-entry.ts'
import { type CentralRecord, type EndRecord, RECORD_BYTES } from './zip-records.ts'

/** Bytes before the end of a file in which programs look for the end of a central directory: its record, and a comment. */
export const END_SEARCH_BYTES = RECORD_BYTES.end + 0xffff

/** All records of a file that may be a ZIP archive, or have one at its end. */
export interface ZipRecords {
  /** Files by the position of their local header. */
  entries: ReadonlyMap<number, SeenEntry>
  central: readonly CentralRecord[]
  ends: readonly EndRecord[]
  zip64Ends: readonly EndRecord[]
  /** Where Zip64 locators are, and where they say that a Zip64 end is. */
  locators: ReadonlyMap<number, number>
}

/**
 * Whether any program finds the same files by the central directory as this reader by local headers. There must be one
 * directory, with contiguous records up to its end, and one matching record for each file.
 */
export function agrees(records: ZipRecords): boolean {
  const [end, ...others] = records.ends
  if (!end || others.length > 0) return false
  const directory = directoryOf(end, records)
  if (!directory) return false
  const { start, shift } = directory
  let next = start
  for (const record of records.central) {
    const entry = records.entries.get(record.localOffset + shift)
    if (record.start !== next || !entry || !isSame(entry, record)) return false
    next = record.end
  }
  const offsets = new Set(records.central.map(({ localOffset }) => localOffset))
  return (
    next === directory.end &&
    records.central.length === directory.entries &&
    offsets.size === records.central.length &&
    offsets.size === records.entries.size
  )
}

/** Where the directory is. `shift` is how much its offsets are too small because of bytes prepended to the archive. */
interface CentralDirectory {
  start: number
  end: number
  shift: number
  entries: number
}

function directoryOf(end: EndRecord, records: ZipRecords): CentralDirectory | undefined {
  const locatorStart = end.start - RECORD_BYTES.zip64Locator
  const zip64Offset = records.locators.get(locatorStart)
  const hasZip64 = zip64Offset !== undefined
  if (records.zip64Ends.length !== (hasZip64 ? 1 : 0)) return undefined
  if (records.locators.size !== (hasZip64 ? 1 : 0)) return undefined
  const [zip64] = records.zip64Ends
  const record = zip64 ? merge(end, zip64) : end
  if (!record?.isPlain || !end.isPlain) return undefined
  const directoryEnd = zip64 ? zip64.start : end.start
  const start = directoryEnd - record.directoryBytes
  const shift = start - record.directoryOffset
  const isZip64InPlace = !zip64 || zip64.start + RECORD_BYTES.zip64End === locatorStart
  if (!isZip64InPlace || (zip64 && zip64.start !== (zip64Offset ?? 0) + shift)) return undefined
  if (start < 0 || shift < 0) return undefined
  return { start, end: directoryEnd, shift, entries: record.entries }
}

/** The Zip64 record, unless the other record has differing numbers of its own. */
function merge(end: EndRecord, zip64: EndRecord): EndRecord | undefined {
  const isNoOther = (a: number, b: number, none: number) => a === none || a === b
  const isSaidOnce =
    isNoOther(end.entries, zip64.entries, 0xffff) &&
    isNoOther(end.directoryBytes, zip64.directoryBytes, 0xffffffff) &&
    isNoOther(end.directoryOffset, zip64.directoryOffset, 0xffffffff)
  return isSaidOnce ? zip64 : undefined
}

function isSame(entry: SeenEntry, record: CentralRecord): boolean {
  return (
    entry.name === record.name &&
    entry.method === record.method &&
    entry.isEncrypted === record.isEncrypted &&
    (entry.crc ?? record.crc) === record.crc &&
    (entry.compressedBytes ?? record.compressedBytes) === record.compressedBytes &&
    (entry.bytes ?? record.bytes) === record.bytes
  )
}
