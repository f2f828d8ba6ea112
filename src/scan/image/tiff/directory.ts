/** Bytes of a value, by its type (TIFF 6.0, section 2; 16 and up are BigTIFF's). */
const TYPE_BYTES: Record<number, number> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
  ...{ 16: 8, 17: 8, 18: 8 },
}
/**
 * Types that are not whole numbers: text, bytes, fractions. As in libtiff, one where a number is
 * expected counts as missing.
 */
const NO_NUMBERS: ReadonlySet<number> = new Set([2, 5, 7, 10, 11, 12])

/** Types of offsets to directories. */
const OFFSETS: ReadonlySet<number> = new Set([13, 18])

/** Most pages of a file that are read. */
const MAX_PAGES = 16

/** Entries that a directory may have. Writers make some dozens. */
export const MAX_ENTRIES = 512

/** Bytes that contain any header: byte order, variant, and the offset of the first directory. */
export const HEADER_BYTES = 16

/** One directory of a TIFF file. It describes one page. */
export class Directory {
  readonly #view: DataView
  readonly isLittle: boolean
  readonly #fields = new Map<number, Field>()
  #hasRepeats = false

  constructor(view: DataView, isLittle: boolean) {
    this.#view = view
    this.isLittle = isLittle
  }

  add(tag: number, field: Field): void {
    if (this.#fields.has(tag)) this.#hasRepeats = true
    else this.#fields.set(tag, field)
  }

  has(tag: number): boolean {
    return this.#fields.has(tag)
  }

  /** Whether a tag occurs more than once. The first one counts. */
  get hasRepeats(): boolean {
    return this.#hasRepeats
  }

  /** Where the last of its values ends. */
  get end(): number {
    const ends = [...this.#fields.values()].map(
      ({ type, count, at }) => at + count * (TYPE_BYTES[type] ?? 0),
    )
    return Math.max(0, ...ends)
  }

  /** Whether values lie beyond the end of the file. */
  get lacksValues(): boolean {
    return this.end > this.#view.byteLength
  }

  /** Values of a tag that lie within the file, at most `max` of them. */
  numbers(tag: number, max: number): number[] {
    const field = this.#fields.get(tag)
    const size = field && TYPE_BYTES[field.type]
    if (!field || !size || NO_NUMBERS.has(field.type)) return []
    const room = Math.floor((this.#view.byteLength - field.at) / size)
    const count = Math.max(0, Math.min(field.count, room, max))
    return Array.from({ length: count }, (_, i) =>
      readNumber(this.#view, field.at + i * size, size, this.isLittle),
    )
  }

  /**
   * The value of a tag that has exactly one, or `otherwise`. As in libtiff, several values count as
   * missing, and so does an offset.
   */
  number(tag: number, otherwise: number): number {
    const field = this.#fields.get(tag)
    if (!field || field.count !== 1 || OFFSETS.has(field.type)) return otherwise
    return this.numbers(tag, 1)[0] ?? otherwise
  }

  /** Whether any of these tags is there, but has no number for `number`. */
  areUnclear(tags: readonly number[]): boolean {
    return tags.some((tag) => this.has(tag) && Number.isNaN(this.number(tag, Number.NaN)))
  }

  /** Bytes of a tag; `undefined` if some are missing. */
  bytes(tag: number): Uint8Array | undefined {
    const field = this.#fields.get(tag)
    if (!field || TYPE_BYTES[field.type] !== 1) return undefined
    const { buffer, byteOffset, byteLength } = this.#view
    if (field.at + field.count > byteLength) return undefined
    return new Uint8Array(buffer, byteOffset + field.at, field.count)
  }
}

/** A field of a directory: the type and number of its values, and where the first one is. */
interface Field {
  type: number
  count: number
  at: number
}

/** Bytes of an entry count, of an entry, and of an offset. */
interface Layout {
  isLittle: boolean
  countBytes: number
  entryBytes: number
  offsetBytes: number
}

/** The layout of a file by its header, and the offset of its first directory. */
export function readHeader(view: DataView): Layout & { first: number } {
  const isLittle = view.getUint16(0) === 0x4949
  const isBig = view.getUint16(2, isLittle) === 43
  return isBig
    ? {
        isLittle,
        countBytes: 8,
        entryBytes: 20,
        offsetBytes: 8,
        first: readNumber(view, 8, 8, isLittle),
      }
    : {
        isLittle,
        countBytes: 2,
        entryBytes: 12,
        offsetBytes: 4,
        first: view.getUint32(4, isLittle),
      }
}

/** Tag of subdirectories: other sizes, previews, and in raw files the picture itself. */
const SUB_DIRECTORIES = 330

export interface Directories {
  directories: Directory[]
  /** Whether the file has more of them. */
  isPartial: boolean
  /** Where the last of them ends, with its values. This may be beyond the end of the file. */
  end: number
}

/** Reads the directories of a file in order, then their subdirectories: at most MAX_PAGES in all. */
export function readDirectories(file: Uint8Array): Directories {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const directories: Directory[] = []
  if (file.length < HEADER_BYTES) return { directories, isPartial: false, end: HEADER_BYTES }
  const header = readHeader(view)
  const seen = new Set<number>()
  const starts = [header.first]
  let isMore = false
  let end = HEADER_BYTES
  for (const start of starts) {
    for (let at = start; at !== 0 && !seen.has(at);) {
      isMore ||= directories.length === MAX_PAGES
      const read = isMore ? undefined : readDirectory(view, at, header)
      if (!read) {
        if (!isMore) end = Math.max(end, at + header.countBytes)
        break
      }
      seen.add(at)
      end = Math.max(end, read.end, read.directory.end)
      directories.push(read.directory)
      starts.push(...read.directory.numbers(SUB_DIRECTORIES, MAX_PAGES))
      at = read.next
    }
  }
  return { directories, isPartial: isMore, end }
}

/** Reads a directory, as much of it as there is. `undefined` if its number of entries is missing. */
export function readDirectory(
  view: DataView,
  start: number,
  { isLittle, countBytes, entryBytes, offsetBytes }: Layout,
) {
  if (start + countBytes > view.byteLength) return undefined
  const count = readNumber(view, start, countBytes, isLittle)
  const directory = new Directory(view, isLittle)
  for (let i = 0; i < Math.min(count, MAX_ENTRIES); i++) {
    const at = start + countBytes + i * entryBytes
    if (at + entryBytes > view.byteLength) break
    const type = view.getUint16(at + 2, isLittle)
    const length = readNumber(view, at + 4, offsetBytes, isLittle)
    const value = at + 4 + offsetBytes
    const isInline = length * (TYPE_BYTES[type] ?? 0) <= offsetBytes
    const where = isInline ? value : readNumber(view, value, offsetBytes, isLittle)
    directory.add(view.getUint16(at, isLittle), { type, count: length, at: where })
  }
  const end = start + countBytes + count * entryBytes
  const hasNext = end + offsetBytes <= view.byteLength
  const next = hasNext ? readNumber(view, end, offsetBytes, isLittle) : 0
  return { directory, next, end: end + offsetBytes }
}

export function readNumber(view: DataView, at: number, size: number, isLittle: boolean): number {
  if (size === 1) return view.getUint8(at)
  if (size === 2) return view.getUint16(at, isLittle)
  if (size === 4) return view.getUint32(at, isLittle)
  return Number(view.getBigUint64(at, isLittle)) // numbers over 2 ** 53 are beyond any end
}
