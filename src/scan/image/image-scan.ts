import { beginsWith, concatenate } from '../../util/bytes.ts'
import { type Frame, ImageDecoder } from '../../core/image.ts'
import { readAvifSize } from './avif.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import { readExif } from './exif.ts'
import { type ImageFormat, isCoreFormat, sniffFormat } from './format.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'
import { decodeWithLibrary } from './library.ts'
import { Needles } from '../probes/needles.ts'
import type { QualifiedHash } from '../../core/plane.ts'
import type { Needle, UnscannableReason } from '../scanned.ts'
import { readWebp } from './webp.ts'

/** Pixels. */
interface Size {
  width: number
  height: number
}

/** A JPEG in an Exif block. */
interface Thumbnail {
  bytes: Uint8Array
  /** Absent if it has none. */
  hash: QualifiedHash | undefined
  /** Whether its end is in these bytes. */
  isWhole: boolean
}

/** What came of an image. */
export type ImageOutcome =
  | {
      coverage: 'scanned'
      width: number
      height: number
      needles: Needle[]
      isPartial: boolean
      widen?: () => Needle[]
    }
  | { coverage: 'unscannable'; reason: UnscannableReason; width?: number; height?: number }

/** Files whose bytes are held until the end: a library, or a converter, wants them whole. */
const HELD_FORMATS: ReadonlySet<ImageFormat> = new Set(['webp', 'avif', 'heic', 'jxl'])

/**
 * Turns the bytes of one image, as they come, into needles. Formats of the core are decoded on the way and nothing of the
 * file is kept; of others it is kept whole, as long as there is room.
 */
export class ImageScan {
  readonly #context: ScanContext
  readonly #format: ImageFormat
  readonly #budget: ScanBudget
  readonly #isNested: boolean
  #decoder: ImageDecoder | undefined
  #outcome: ImageOutcome | undefined
  #held: Uint8Array[] = []
  #isOverHeld = false
  readonly #needles: Needles
  #thumbnail: Thumbnail | undefined

  /** `isNested`: whether it lies within a file, so that its decoder shares memory with others. */
  constructor(context: ScanContext, format: ImageFormat, budget: ScanBudget, isNested: boolean) {
    this.#context = context
    this.#format = format
    this.#budget = budget
    this.#isNested = isNested
    this.#needles = new Needles(context, budget)
    if (!isCoreFormat(format)) return
    this.#decoder = ImageDecoder.forFile(context.modules.image, format)
    budget.decoders.add(this.#decoder)
  }

  /** Gives the next bytes. Those of formats that are held must not be changed afterwards. */
  write(chunk: Uint8Array): void {
    if (this.#decoder) this.#decode(this.#decoder, chunk)
    else if (HELD_FORMATS.has(this.#format) && !this.#isOverHeld) this.#keep(chunk)
  }

  /**
   * Whether bytes begin with the thumbnail in the image's Exif block: it is hashed with the image, so whoever finds it there need
   * not decode it again. Nothing that follows it would be part of it.
   */
  beginsWithThumbnail(bytes: Uint8Array): boolean {
    const thumbnail = this.#thumbnail ?? this.#findThumbnail()
    return thumbnail !== undefined && thumbnail.isWhole && beginsWith(bytes, thumbnail.bytes)
  }

  /** Whether nothing that may follow makes a difference. */
  get isOver(): boolean {
    return this.#outcome !== undefined || this.#isOverHeld
  }

  /** Tells that the image is whole. What is held is to be decoded when nothing else is. */
  close(): ImageOutcome | (() => Promise<ImageOutcome>) {
    if (this.#decoder) this.#settle(this.#endDecoder(this.#decoder))
    if (this.#outcome) return this.#outcome
    if (this.#isOverHeld) return unscannable('over-limit')
    if (!HELD_FORMATS.has(this.#format)) return unscannable('unsupported-format')
    return () => this.#endHeld()
  }

  #decode(decoder: ImageDecoder, chunk: Uint8Array): void {
    this.#push(decoder, chunk, false)
    if (decoder.isDone || decoder.failure) this.#settle(this.#endDecoder(decoder))
    else if (this.#isNested && this.#budget.isOverMemory) this.#settle(unscannable('over-limit'))
  }

  /** Gives the decoder's memory back. */
  #settle(outcome: ImageOutcome): void {
    if (this.#decoder) this.#budget.decoders.delete(this.#decoder)
    this.#decoder?.release()
    this.#decoder = undefined
    this.#outcome = outcome
  }

  #keep(chunk: Uint8Array): void {
    this.#held.push(chunk)
    this.#isOverHeld = !this.#budget.take('heldBytes', chunk.length)
    if (this.#isOverHeld) this.#held = []
  }

  #push(decoder: ImageDecoder, bytes: Uint8Array, isLast: boolean): void {
    decoder.push(bytes, isLast, (frame) =>
      this.#useFrame(decoder, frame, orientationOf(decoder.exif)),
    )
  }

  #useFrame(decoder: ImageDecoder, frame: Frame, orientation: number): void {
    const { width, height } = decoder.size
    this.#needles.addFrame({ frame, orientation, aspect: width / height })
  }

  #endDecoder(decoder: ImageDecoder): ImageOutcome {
    this.#push(decoder, new Uint8Array(0), true)
    const exif = decoder.exif
    if (exif && this.#format === 'png') this.#addLateDisplayed(decoder, readExif(exif).orientation)
    this.#needles.add('thumbnail', (this.#thumbnail ?? this.#findThumbnail())?.hash, 0)
    if (decoder.failure && this.#needles.frames === 0)
      return unscannable(decoder.failure, decoder.size)
    return this.#scanned(decoder.size, decoder.hasLeftOut || decoder.failure !== undefined)
  }

  /** Some programs write the Exif block of a PNG behind its image, which is then still in the plane. */
  #addLateDisplayed(decoder: ImageDecoder, orientation: number): void {
    const isKnown = this.#needles.found.some(({ probe }) => probe === 'displayed')
    if (orientation === 1 || isKnown || this.#needles.frames !== 1 || decoder.failure) return
    this.#needles.addDisplayed(decoder.frame, orientation, 0)
  }

  /** Hashes the thumbnail in a JPEG's Exif block, once that has come: it may show what the image did before it was edited. */
  #findThumbnail(): Thumbnail | undefined {
    if (this.#format !== 'jpeg' || !this.#needles.wants('thumbnail')) return undefined
    const exif = this.#decoder?.exif
    const bytes = exif && readExif(exif).thumbnail
    if (!bytes || sniffFormat(bytes) !== 'jpeg') return undefined
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'jpeg')
    let hash: QualifiedHash | undefined
    const onFrame = (frame: Frame) => (hash = frame.stored())
    decoder.push(bytes, false, onFrame)
    const isWhole = decoder.isDone
    decoder.push(new Uint8Array(0), true, onFrame)
    decoder.release()
    this.#thumbnail = { bytes, hash, isWhole }
    return this.#thumbnail
  }

  async #endHeld(): Promise<ImageOutcome> {
    const [only, ...others] = this.#held
    const file = only && others.length === 0 ? only : concatenate(this.#held)
    this.#held = []
    if (this.#format === 'webp') {
      const info = readWebp(file)
      if (!info) return unscannable('damaged')
      const orientation = orientationOf(info.exif)
      return this.#endLibrary('webp', file, info.still, info, orientation, info.isAnimated)
    }
    if (this.#format === 'avif') {
      const size = readAvifSize(file)
      return size ? this.#endLibrary('avif', file, file, size, 1, false) : unscannable('damaged')
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
  ): Promise<ImageOutcome> {
    if (size.width * size.height > LIBRARY_LIMITS[format].maxPixels) {
      return this.#endConverted(file, 'over-pixel-budget', size)
    }
    const pixels = await decodeWithLibrary(this.#context.modules, format, still)
    if (pixels === 'over-memory-budget') return this.#endConverted(file, pixels, size)
    if (pixels === 'damaged') return unscannable(pixels, size)
    const { width, height, data } = pixels
    const { image } = this.#context.modules
    const decoder = ImageDecoder.forPixels(image, { width, height, channels: 4 })
    decoder.push(data, true, (frame) => this.#useFrame(decoder, frame, orientation))
    if (decoder.failure) return unscannable(decoder.failure, size)
    return this.#scanned(decoder.size, isPartial)
  }

  /** Scans the picture that the converter makes of the file, if there is a converter and it can. */
  async #endConverted(
    file: Uint8Array,
    reason: UnscannableReason,
    size?: Size,
  ): Promise<ImageOutcome> {
    const picture = await this.#context.convert?.(file)
    if (!picture) return unscannable(reason, size)
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'png')
    this.#push(decoder, picture, true)
    const pictureSize = decoder.size
    decoder.release()
    if (decoder.failure) return unscannable(decoder.failure, size)
    return this.#scanned(size ?? pictureSize)
  }

  #scanned({ width, height }: Size, isPartial = false): ImageOutcome {
    const { found, widen } = this.#needles
    return {
      coverage: 'scanned',
      width,
      height,
      needles: found,
      isPartial: isPartial || this.#needles.isPartial,
      ...(widen && { widen }),
    }
  }
}

function unscannable(reason: UnscannableReason, size?: Size): ImageOutcome {
  const isKnown = size !== undefined && size.width > 0
  return {
    coverage: 'unscannable',
    reason,
    ...(isKnown && { width: size.width, height: size.height }),
  }
}

function orientationOf(exif: Uint8Array | undefined): number {
  return exif ? readExif(exif).orientation : 1
}
