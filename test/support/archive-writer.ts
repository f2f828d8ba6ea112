import { Buffer } from 'node:buffer'
import { crc32, deflateRawSync } from 'node:zlib'

/** A file of an archive, and what its headers say where that is not the truth. */
export interface ZipFile {
  name: string | Uint8Array
  content: Uint8Array
  /** 0 (stored) or 8 (deflated). */
  method?: number
  /** What is in the archive, if it is not the content, stored or deflated. */
  data?: Uint8Array
  flags?: number
  hasDescriptor?: boolean
  isZip64?: boolean
  extra?: Uint8Array
  local?: Partial<ZipNumbers>
  central?: Partial<ZipNumbers>
  /** Bytes in front of the local header. */
  gap?: Uint8Array
  /** Which of both headers there is, if not both. */
  only?: 'local' | 'central'
}

export interface ZipNumbers {
  name: string
  method: number
  flags: number
  crc: number
  compressedBytes: number
  bytes: number
  offset: number
}

export interface ZipOptions {
  /** Bytes in front of the archive that its offsets count. */
  start?: number
  comment?: Uint8Array
  isZip64?: boolean
  end?: Partial<{ entries: number; directoryBytes: number; directoryOffset: number }>
}

const UNKNOWN = 0xffffffff

/** Writes a ZIP archive, also one that lies. */
export function writeZip(files: readonly ZipFile[], options: ZipOptions = {}): Uint8Array {
  const parts: Uint8Array[] = []
  const central: Uint8Array[] = []
  let offset = options.start ?? 0
  const add = (part: Uint8Array) => {
    parts.push(part)
    offset += part.length
  }
  for (const file of files) {
    add(file.gap ?? new Uint8Array(0))
    const numbers = numbersOf(file, offset)
    if (file.only !== 'local') central.push(centralRecord(file, numbers))
    if (file.only === 'central') continue
    add(localHeader(file, numbers))
    add(dataOf(file))
    if (file.hasDescriptor) add(descriptor(file, numbers))
  }
  const directory = Buffer.concat(central)
  return Buffer.concat([
    ...parts,
    directory,
    ...endRecords(central.length, directory, offset, options),
  ])
}

function dataOf({ data, content, method = 8 }: ZipFile): Uint8Array {
  return data ?? (method === 8 ? deflateRawSync(content) : content)
}

function numbersOf(file: ZipFile, offset: number): ZipNumbers {
  const { content, method = 8, flags = 0, name } = file
  return {
    name: typeof name === 'string' ? name : Buffer.from(name).toString('latin1'),
    method,
    flags: flags | (file.hasDescriptor ? 8 : 0),
    crc: crc32(content),
    compressedBytes: dataOf(file).length,
    bytes: content.length,
    offset,
  }
}

function localHeader(file: ZipFile, truth: ZipNumbers): Uint8Array {
  const late = file.hasDescriptor ? { crc: 0, compressedBytes: 0, bytes: 0 } : {}
  const told = { ...truth, ...late, ...file.local }
  const extra = extraOf(file, [told.bytes, told.compressedBytes])
  const header = Buffer.alloc(30)
  header.write('PK\x03\x04', 'latin1')
  header.writeUInt16LE(file.isZip64 ? 45 : 20, 4)
  writeNumbers(header, 6, told, file)
  header.writeUInt16LE(told.name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, Buffer.from(told.name, 'latin1'), extra])
}

function centralRecord(file: ZipFile, truth: ZipNumbers): Uint8Array {
  const told = { ...truth, ...file.central }
  const extra = extraOf(file, [told.bytes, told.compressedBytes, told.offset])
  const record = Buffer.alloc(46)
  record.write('PK\x01\x02', 'latin1')
  record.writeUInt16LE(20, 6)
  writeNumbers(record, 8, told, file)
  record.writeUInt16LE(told.name.length, 28)
  record.writeUInt16LE(extra.length, 30)
  record.writeUInt32LE(file.isZip64 ? UNKNOWN : told.offset, 42)
  return Buffer.concat([record, Buffer.from(told.name, 'latin1'), extra])
}

/** Writes what both headers have, from the flags on. */
function writeNumbers(header: Buffer, at: number, told: ZipNumbers, { isZip64 }: ZipFile): void {
  header.writeUInt16LE(told.flags, at)
  header.writeUInt16LE(told.method, at + 2)
  header.writeUInt32LE(told.crc, at + 8)
  header.writeUInt32LE(isZip64 ? UNKNOWN : told.compressedBytes, at + 12)
  header.writeUInt32LE(isZip64 ? UNKNOWN : told.bytes, at + 16)
}

function extraOf({ extra, isZip64 }: ZipFile, numbers: number[]): Uint8Array {
  const given = extra ?? new Uint8Array(0)
  return isZip64
    ? Buffer.concat([u16(1), u16(8 * numbers.length), ...numbers.map(u64), given])
    : given
}

function descriptor({ isZip64 }: ZipFile, { crc, compressedBytes, bytes }: ZipNumbers): Uint8Array {
  const size = isZip64 ? u64 : u32
  return Buffer.concat([Buffer.from('PK\x07\x08'), u32(crc), size(compressedBytes), size(bytes)])
}

function endRecords(
  entries: number,
  directory: Uint8Array,
  offset: number,
  options: ZipOptions,
): Uint8Array[] {
  const { comment = new Uint8Array(0), isZip64 } = options
  const truth = { entries, directoryBytes: directory.length, directoryOffset: offset }
  const told = { ...truth, ...options.end }
  const numbers = isZip64 ? [0xffff, UNKNOWN, UNKNOWN] : Object.values(told)
  const [count = 0, bytes = 0, start = 0] = numbers
  const end = Buffer.concat([
    Buffer.from('PK\x05\x06\0\0\0\0'),
    ...[u16(count), u16(count), u32(bytes), u32(start), u16(comment.length), comment],
  ])
  if (!isZip64) return [end]
  const [entries64, bytes64, start64] = [told.entries, told.directoryBytes, told.directoryOffset]
  const zip64End = Buffer.concat([
    ...[Buffer.from('PK\x06\x06'), u64(44), u16(45), u16(45), u32(0), u32(0)],
    ...[u64(entries64), u64(entries64), u64(bytes64), u64(start64)],
  ])
  const locator = [Buffer.from('PK\x06\x07'), u32(0), u64(offset + directory.length), u32(1)]
  return [zip64End, ...locator, end]
}

/** A file of a TAR archive. */
export interface TarFile {
  name: string
  content: Uint8Array
  type?: string
  /** What the header says in the field of the size, if not the size in octal digits. */
  size?: Uint8Array
}

/** Writes a TAR archive (ustar). */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const entries = files.flatMap(({ name, content, type = '0', size }) => {
    const header = Buffer.alloc(512)
    header.write(name, 'latin1')
    header.write('0000644\0' + '0000000\0'.repeat(2), 100, 'latin1')
    header.write(content.length.toString(8).padStart(11, '0'), 124, 'latin1')
    if (size) header.set(size, 124)
    header.write(`00000000000\0        ${type}`, 136, 'latin1')
    header.write('ustar\x0000', 257, 'latin1')
    const sum = header.reduce((total: number, byte: number) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return [header, content, Buffer.alloc(-content.length & 511)]
  })
  return Buffer.concat([...entries, Buffer.alloc(1024)])
}

/** A number of GNU tar that needs no octal digits. */
export function base256(value: number): Uint8Array {
  const field = Buffer.alloc(12)
  field.writeBigUInt64BE(BigInt(value), 4)
  field[0] = 0x80
  return field
}

/** A record of an extended header. */
export function paxRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  while (String(length).length + rest.length > length) length++
  return Buffer.from(`${length}${rest}`)
}

/** Writes one member of a gzip file, with the header fields that are given. */
export function writeGzip(
  content: Uint8Array,
  fields: { extra?: Uint8Array; name?: string; comment?: string; hasCrc?: true } = {},
  crc = crc32(content),
): Uint8Array {
  const { extra, name, comment, hasCrc } = fields
  const flags = (hasCrc ? 2 : 0) | (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0)
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]),
    ...(extra ? [u16(extra.length), extra] : []),
    ...[name, comment].map((text) => Buffer.from(text ? `${text}\0` : '')),
    ...(hasCrc ? [u16(0)] : []),
    deflateRawSync(content),
    u32(crc),
    u32(content.length),
  ])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
