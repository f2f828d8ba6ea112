import { viewOf } from '../../../util/bytes.ts'
import { Gather } from '../../../util/gather.ts'
import { HEADER_BYTES, MAX_ENTRIES, readDirectory, readHeader, readNumber } from './directory.ts'

/**
 * Tags that libtiff, Pillow and ImageMagick need to show anything: the size, and where the samples
 * are.
 */
const SIZE = [256, 257]
const SAMPLES = [273, 324, 513]

/**
 * Decides by its first directory whether data with a TIFF's signature is a picture. Exif blocks
 * have the same signature, but their directory describes the image around them. The directory is
 * often at the end of the file. Bytes before it are not kept.
 */
export class TiffStart {
  /** `undefined` until the directory has arrived. */
  isPicture: boolean | undefined
  /** Positions of the next byte to arrive and of the next one needed. */
  #position = 0
  #needed = 0
  /** The bytes being gathered, and their position. */
  #gather = new Gather(HEADER_BYTES)
  #gatherAt = 0
  #header: ReturnType<typeof readHeader> | undefined
  #count: number | undefined

  /** Takes the next bytes. */
  take(bytes: Uint8Array): void {
    const start = this.#position
    this.#position += bytes.length
    while (this.isPicture === undefined) {
      const gathered = this.#gather.whole
      if (gathered) this.#read(gathered)
      else if (this.#needed - start >= bytes.length) return
      else this.#needed += this.#gather.take(bytes.subarray(this.#needed - start))
    }
  }

  /** Call it after the last byte. As in Pillow, the end of the file may cut a directory off. */
  end(): void {
    this.isPicture ??= this.#count !== undefined && this.#hasTags(this.#gather.soFar)
  }

  /** Reads the requested bytes, and requests the next ones. */
  #read(gathered: Uint8Array): void {
    if (!this.#header) this.#seek(readHeader(viewOf(gathered)))
    else if (this.#count === undefined) this.#readCount(gathered, this.#header)
    else this.isPicture = this.#hasTags(gathered)
  }

  #seek(header: ReturnType<typeof readHeader>): void {
    const { first, countBytes } = header
    this.#header = header
    if (first < HEADER_BYTES) {
      this.#gather.grow(Math.max(0, first + countBytes - HEADER_BYTES))
      return
    }
    this.#gather = new Gather(countBytes)
    this.#gatherAt = this.#needed = first
  }

  #readCount(gathered: Uint8Array, header: ReturnType<typeof readHeader>): void {
    const { first, countBytes, entryBytes, isLittle } = header
    const at = first - this.#gatherAt
    const count = readNumber(viewOf(gathered), at, countBytes, isLittle)
    this.#count = Math.min(count, MAX_ENTRIES)
    this.#gather.grow(Math.max(0, at + countBytes + this.#count * entryBytes - gathered.length))
  }

  #hasTags(gathered: Uint8Array): boolean {
    const header = this.#header
    const start = (header?.first ?? 0) - this.#gatherAt
    const directory = header && readDirectory(viewOf(gathered), start, header)?.directory
    const has = (tag: number) => directory?.has(tag) === true
    return SIZE.every(has) && SAMPLES.some(has)
  }
}
