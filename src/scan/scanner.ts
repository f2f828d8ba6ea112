import { concatenate } from '../core/bytes.ts'
import type { Hash256 } from '../core/hash.ts'
import {
  type CoreFormat,
  type DecodeFailure,
  DIHEDRAL_NAMES,
  type DihedralName,
  type Frame,
  ImageDecoder,
  type QualifiedHash,
} from '../core/image.ts'
import type { CoreModules } from '../core/modules.ts'
import { FileDigester, type FileDigests } from './digests.ts'
import { readAvifSize } from './avif.ts'
import { readExif } from './exif.ts'
import { type ImageFormat, sniffFormat, SNIFF_BYTES } from './format.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'
import { decodeWithLibrary } from './library.ts'
import { readWebp } from './webp.ts'

/** How a needle was derived from an upload. */
export type Probe =
  | 'identity'
  | 'displayed'
  | 'over-white'
  | 'displayed-over-white'
  | 'thumbnail'
  | Exclude<DihedralName, 'original'>

/** One query derived from an upload. */
export interface Needle {
  probe: Probe
  hash: Hash256
  /** 0 (blank) to 100. */
  quality: number
  /** Number of the hashed frame, from 0. */
  frame: number
}

/** Why a file could not be looked at. */
export type UnscannableReason =
  | DecodeFailure
  | 'unknown-format'
  | 'unsupported-format'
  | 'over-pixel-budget'

/** What is known of a file that has passed through a scanner. */
export type ScannedFile = ScannedImage | UnscannableFile

export interface ScannedImage {
  coverage: 'scanned'
  /** `undefined`: the file is empty. */
  format: ImageFormat | undefined
  width: number
  height: number
  bytes: number
  /** `undefined`: the file is empty, or nobody wants them. */
  digests?: FileDigests
  /** Empty only if the image is too small to have a hash, or the file is empty. */
  needles: Needle[]
  /** Whether frames of an animation were left out, for a limit. */
  isPartial: boolean
}

export interface UnscannableFile {
  coverage: 'unscannable'
  reason: UnscannableReason
  format?: ImageFormat
  width?: number
  height?: number
  bytes: number
  digests?: FileDigests
}

/** Makes a picture of a file that is not decoded here: PNG, at most 1,024 pixels a side. `undefined`: it cannot either. */
export type ImageConverter = (file: Uint8Array) => Promise<Uint8Array | undefined>

export interface ScanContext {
  modules: CoreModules
  /** For formats and sizes that are not decoded here. */
  convert?: ImageConverter
  /** Whether the dihedral variants are probes too, derived from the DCT. */
  withDihedral?: boolean
  /** Whether digests of whole files are left out: nobody matches against them, and they take 3 ms a megabyte. */
  withoutDigests?: boolean
}

/** Files whose bytes are held until the end: a library, or a converter, wants them whole. */
const HELD_FORMATS: ReadonlySet<ImageFormat> = new Set(['webp', 'avif', 'heic', 'jxl'])

/**
 * Turns the bytes of one file, as they come, into needles. Formats of the core are decoded on the way and nothing of the
 * file is kept.
 */
export class FileScanner {
  readonly #context: ScanContext
  readonly #digester: FileDigester | undefined
  #bytes = 0
  #head: Uint8Array = new Uint8Array(0)
  #format: ImageFormat | undefined
  #isSniffed = false
  #decoder: ImageDecoder | undefined
  readonly #held: Uint8Array[] = []
  readonly #needles: Needle[] = []
  #frames = 0

  constructor(context: ScanContext) {
    this.#context = context
    this.#digester = context.withoutDigests ? undefined : new FileDigester()
  }

  /** Gives the next bytes. Those of formats that are held must not be changed afterwards. */
  write(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    this.#digester?.update(chunk)
    if (this.#isSniffed) {
      this.#take(chunk)
      return
    }
    const head = this.#head.length === 0 ? chunk : concatenate([this.#head, chunk])
    if (head.length >= SNIFF_BYTES) this.#begin(head)
    else this.#head = head.slice() // a view of it may be changed
  }

  /** Tells that the file is whole. Returns what was found. */
  async end(): Promise<ScannedFile> {
    const scanned = await this.#endScan()
    const digests = this.#bytes === 0 ? undefined : this.#digester?.digest()
    return digests ? { ...scanned, digests } : scanned
  }

  async #endScan(): Promise<ScannedFile> {
    if (!this.#isSniffed) this.#begin(this.#head)
    if (this.#bytes === 0) return this.#scanned({ width: 0, height: 0 })
    if (this.#decoder) return this.#endDecoder(this.#decoder)
    if (!this.#format) return this.#unscannable('unknown-format')
    if (!isHeld(this.#format)) return this.#unscannable('unsupported-format')
    const [only, ...others] = this.#held
    const file = only && others.length === 0 ? only : concatenate(this.#held)
    return this.#endHeld(this.#format, file)
  }

  /** Tells the format by the file's head, and begins to take it. */
  #begin(head: Uint8Array): void {
    this.#isSniffed = true
    this.#format = sniffFormat(head)
    if (this.#format && isCoreFormat(this.#format)) {
      this.#decoder = ImageDecoder.forFile(this.#context.modules.image, this.#format)
    }
    this.#take(head)
  }

  #take(chunk: Uint8Array): void {
    if (this.#decoder) this.#push(this.#decoder, chunk, false)
    else if (this.#format && isHeld(this.#format)) this.#held.push(chunk)
  }

  #push(decoder: ImageDecoder, bytes: Uint8Array, isLast: boolean): void {
    decoder.push(bytes, isLast, (frame) => this.#useFrame(frame, orientationOf(decoder.exif)))
  }

  #useFrame(frame: Frame, orientation: number): void {
    const number = this.#frames++
    this.#add('identity', frame.stored(), number)
    this.#add('over-white', frame.overWhite(1), number)
    if (orientation !== 1) this.#addDisplayed(frame, orientation, number)
    if (this.#context.withDihedral) this.#addDihedral(frame, number)
  }

  #addDisplayed(frame: Frame, orientation: number, number: number): void {
    this.#add('displayed', frame.displayed(orientation), number)
    this.#add('displayed-over-white', frame.overWhite(orientation), number)
  }

  #add(probe: Probe, found: QualifiedHash | undefined, frame: number): void {
    if (found) this.#needles.push({ probe, ...found, frame })
  }

  #addDihedral(frame: Frame, number: number): void {
    const variants = frame.dihedral()
    for (const probe of DIHEDRAL_NAMES) {
      if (probe !== 'original') this.#add(probe, variants?.[probe], number)
    }
  }

  #endDecoder(decoder: ImageDecoder): ScannedFile {
    this.#push(decoder, new Uint8Array(0), true)
    const exif = decoder.exif
    if (exif && this.#format === 'png') this.#addLateDisplayed(decoder, readExif(exif).orientation)
    if (exif && this.#format === 'jpeg') this.#scanThumbnail(readExif(exif).thumbnail)
    if (decoder.failure && this.#frames === 0)
      return this.#unscannable(decoder.failure, decoder.size)
    return this.#scanned(decoder.size, decoder.hasLeftOut || decoder.failure !== undefined)
  }

  /** Some programs write the Exif block of a PNG behind its image, which is then still in the plane. */
  #addLateDisplayed(decoder: ImageDecoder, orientation: number): void {
    const isKnown = this.#needles.some(({ probe }) => probe === 'displayed')
    if (orientation === 1 || isKnown || this.#frames !== 1 || decoder.failure) return
    this.#addDisplayed(decoder.frame, orientation, 0)
  }

  /** Hashes an embedded thumbnail: it may show what the image did before it was edited. */
  #scanThumbnail(thumbnail: Uint8Array | undefined): void {
    if (!thumbnail || sniffFormat(thumbnail) !== 'jpeg') return
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'jpeg')
    decoder.push(thumbnail, true, (frame) => this.#add('thumbnail', frame.stored(), 0))
  }

  async #endHeld(format: ImageFormat, file: Uint8Array): Promise<ScannedFile> {
    if (format === 'webp') {
      const info = readWebp(file)
      if (!info) return this.#unscannable('damaged')
      const orientation = orientationOf(info.exif)
      return this.#endLibrary(format, file, info.still, info, orientation, info.isAnimated)
    }
    if (format === 'avif') {
      const size = readAvifSize(file)
      return size
        ? this.#endLibrary(format, file, file, size, 1, false)
        : this.#unscannable('damaged')
    }
    return this.#endConverted(file, 'unsupported-format')
  }

  /** Decodes by a library what fits its budget; `still` is the part of the file that it can decode. */
  async #endLibrary(
    format: LibraryFormat,
    file: Uint8Array,
    still: Uint8Array,
    size: Size,
    orientation: number,
    isPartial: boolean,
  ): Promise<ScannedFile> {
    if (size.width * size.height > LIBRARY_LIMITS[format].maxPixels) {
      return this.#endConverted(file, 'over-pixel-budget', size)
    }
    const pixels = await decodeWithLibrary(this.#context.modules, format, still)
    if (pixels === 'over-memory-budget') return this.#endConverted(file, pixels, size)
    if (pixels === 'damaged') return this.#unscannable(pixels, size)
    const decoder = ImageDecoder.forPixels(this.#context.modules.image, pixels.width, pixels.height)
    decoder.push(pixels.data, true, (frame) => this.#useFrame(frame, orientation))
    if (decoder.failure) return this.#unscannable(decoder.failure, size)
    return this.#scanned(decoder.size, isPartial)
  }

  /** Scans the picture that the converter makes of the file, if there is a converter and it can. */
  async #endConverted(
    file: Uint8Array,
    reason: UnscannableReason,
    size?: Size,
  ): Promise<ScannedFile> {
    const picture = await this.#context.convert?.(file)
    if (!picture) return this.#unscannable(reason, size)
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'png')
    this.#push(decoder, picture, true)
    if (decoder.failure) return this.#unscannable(decoder.failure, size)
    return this.#scanned(size ?? decoder.size)
  }

  #scanned(size: Size, isPartial = false): ScannedImage {
    return {
      coverage: 'scanned',
      format: this.#format,
      ...size,
      bytes: this.#bytes,
      needles: this.#needles,
      isPartial,
    }
  }

  #unscannable(reason: UnscannableReason, size?: Size): UnscannableFile {
    const isKnown = size !== undefined && size.width > 0
    return {
      coverage: 'unscannable',
      reason,
      ...(this.#format && { format: this.#format }),
      ...(isKnown && size),
      bytes: this.#bytes,
    }
  }
}

interface Size {
  width: number
  height: number
}

/** Scans a file that is whole. */
export function scanFile(context: ScanContext, file: Uint8Array): Promise<ScannedFile> {
  const scanner = new FileScanner(context)
  scanner.write(file)
  return scanner.end()
}

function isCoreFormat(format: ImageFormat): format is CoreFormat {
  return ['jpeg', 'png', 'gif', 'bmp'].includes(format)
}

function isHeld(format: ImageFormat): boolean {
  return HELD_FORMATS.has(format)
}

function orientationOf(exif: Uint8Array | undefined): number {
  return exif ? readExif(exif).orientation : 1
}
