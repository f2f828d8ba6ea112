import { beginsWith, concatenate } from '../../util/bytes.ts'
import { inTurns, nextTurn, type Steps } from '../../util/steps.ts'
import { type Frame, ImageDecoder, type Tones } from '../../core/image.ts'
import { planAvif } from './avif.ts'
import { stretchAlpha } from './alpha.ts'
import { Canvas, crop, SceneGate } from './canvas.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { Pictures } from '../pictures.ts'
import type { FileFormat } from '../format.ts'
import { codePointSpace, type ColourSpace, gammaSpace } from './colour-space.ts'
import { readExif } from './exif.ts'
import { readJfifThumbnail } from './jfif.ts'
import { readHeic } from './heic/heic.ts'
import { readProfile } from './icc.ts'
import { type ImageFormat, isCoreFormat, sniffFormat } from './format.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'
import type { LibraryPlan } from './library-plan.ts'
import { decodeWithLibrary, type Pixels } from './library.ts'
import type { Pages } from './pages.ts'
import { Needles } from '../probes/needles.ts'
import type { QualifiedHash } from '../../core/plane.ts'
import type { Needle, ScannedFile, UnscannableReason } from '../scanned.ts'
import {
  CANVAS_PIXEL_MS,
  CONVERSION_MS,
  DECODER_MS,
  IMAGE_CHUNK_MS,
  decodingMs,
  FRAME_MS,
  libraryMs,
  NODE_MS,
  SCENE_MS,
  STEP_MS,
  TONED_PIXEL_MS,
} from '../work.ts'
import { inflateProfile, MAX_NODES, nodesOf, tonesOf } from './tone.ts'
import { isoLength } from './iso-boxes.ts'
import { readTiff, tiffLength } from './tiff/tiff.ts'
import { KeyFrame } from './vp8/key-frame.ts'
import { planWebp, webpLength } from './webp.ts'

/** A picture that is scanned again, with the held-back part of its upload: see `Pictures.leave`. */
const LEFT: ImageOutcome = {
  coverage: 'scanned',
  width: 0,
  height: 0,
  needles: [],
  isPartial: true,
}

/** Bytes that the core is given at once. */
const CHUNK_BYTES = 16 * 1024

/** Files whose bytes are held until the end: a library, or a converter, wants them whole. */
const HELD_FORMATS: ReadonlySet<string> = new Set(['webp', 'avif', 'heic', 'jxl', 'tiff'])

/** Maximum attempts to find where a held file ends: files have few directories and boxes. */
const MAX_LENGTH_LOOKS = 24

/**
 * Turns the bytes of one image, as they arrive, into needles. The core's formats are decoded as they arrive, without keeping
 * the file. Other files are kept whole, as long as there is room.
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
  #bytes = 0
  /** Work that decoding has been charged with. */
  #decodingMs = 0
  #stepsMs = 0
  #heldBytes = 0
  /** Bytes of a held image needed to find its end, and the attempts so far. */
  #neededBytes = 1
  #lengthLooks = 0
  /** Ends a held image whose bytes are all present. Viewers ignore what follows them. */
  #heldEnd: (() => Promise<ImageOutcome>) | undefined
  /** Needles that were reported before the image was complete. */
  #reportedNeedles = 0
  readonly #needles: Needles
  #thumbnail: Thumbnail | undefined
  /** Whether another scan leaves the thumbnail to the image. */
  #isThumbnailLeft = false
  /** What programs show, if that is not what is stored. */
  #tones: Tones | undefined

  /** `isNested`: whether it lies within a file, so that its decoder shares memory with others. */
  constructor(context: ScanContext, format: ImageFormat, budget: ScanBudget, isNested: boolean) {
    this.#context = context
    this.#format = format
    this.#budget = budget
    this.#isNested = isNested
    this.#needles = new Needles(context, budget)
    if (isCoreFormat(format) || HELD_FORMATS.has(format)) context.pictures?.begin(this)
    if (!isCoreFormat(format)) return
    if (budget.isExhausted) {
      this.#settle(unscannable('over-limit'))
      return
    }
    budget.spend(DECODER_MS)
    const decoder = ImageDecoder.forFile(context.modules.image, format)
    decoder.onTones = () => (this.#tones = this.#readTones(decoder))
    this.#decoder = decoder
    budget.decoders.add(decoder)
  }

  /** Takes the next bytes. Do not change them afterwards if the format is held. */
  *take(chunk: Uint8Array): Steps {
    if (this.#decoder) {
      this.#budget.spend(IMAGE_CHUNK_MS)
      yield* this.#decode(this.#decoder, chunk)
    } else if (HELD_FORMATS.has(this.#format) && !this.isOver) this.#keep(chunk)
  }

  /**
   * Whether bytes begin with the thumbnail in the image's Exif block. The thumbnail is hashed with
   * the image, so a scan that finds it there need not decode it again. What follows it is not part
   * of it.
   */
  beginsWithThumbnail(bytes: Uint8Array): boolean {
    if (this.#outcome?.coverage === 'unscannable') return false
    const thumbnail = this.#thumbnail ?? this.#findThumbnail()
    const begins = thumbnail?.isWhole === true && beginsWith(bytes, thumbnail.bytes)
    this.#isThumbnailLeft ||= begins
    return begins
  }

  /** Bytes of a thumbnail that was left to an image without any needles. Returned once. */
  takeOrphan(): Uint8Array | undefined {
    if (!this.#isThumbnailLeft || this.#outcome?.coverage !== 'unscannable') return undefined
    this.#isThumbnailLeft = false
    return this.#thumbnail?.bytes
  }

  /** Whether further bytes make no difference. */
  get isOver(): boolean {
    return this.#outcome !== undefined || this.#heldEnd !== undefined || this.#isOverHeld
  }

  /** Number of bytes up to the end of a held image, as far as it is known; otherwise `Infinity`. */
  get missingBytes(): number {
    const isKnown = this.#lengthLooks > 0 && !this.isOver
    return isKnown ? this.#neededBytes - this.#heldBytes : Infinity
  }

  /** Ends the image. A held image must be decoded while nothing else is. */
  *finish(): Steps<ImageOutcome | (() => Promise<ImageOutcome>)> {
    if (this.#decoder) this.#settle(yield* this.#endDecoder(this.#decoder))
    if (this.#outcome) return this.#outcome
    if (this.#isOverHeld) return this.#context.pictures ? LEFT : unscannable('over-limit')
    if (!HELD_FORMATS.has(this.#format)) return unscannable('unsupported-format')
    return this.#heldEnd ?? this.#endWith(this.#held)
  }

  /** Frees what is held, without an outcome: it is not an image. */
  drop(): void {
    this.#held = []
    this.#context.pictures?.end(this)
  }

  *#decode(decoder: ImageDecoder, chunk: Uint8Array): Steps {
    const { looks } = decoder
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      yield* this.#push(decoder, chunk.subarray(at, at + CHUNK_BYTES), false)
      if (this.#budget.isTurnOver) yield
    }
    if (decoder.looks > looks) this.#context.pictures?.addFrame(this)
    if (decoder.isDone || decoder.failure) this.#settle(yield* this.#endDecoder(decoder))
    else if (this.#budget.isExhausted && this.#needles.frames === 0)
      this.#settle(unscannable('over-limit', decoder.size))
    else if (this.#isNested && this.#budget.isOverMemory) this.#settle(unscannable('over-limit'))
  }

  /** Frees the decoder's memory. */
  #settle(outcome: ImageOutcome): void {
    if (this.#decoder) this.#budget.decoders.delete(this.#decoder)
    this.#decoder?.release()
    this.#decoder = undefined
    this.#outcome = outcome
    const isReported = outcome.coverage === 'scanned' || !this.#isNested
    this.#context.pictures?.end(this, isReported ? this.#describe(outcome) : undefined)
  }

  /** The image as a file, with the needles not reported before. */
  #describe(outcome: ImageOutcome): ScannedFile {
    const file = { ...outcome, format: this.#format, bytes: 0 }
    if (file.coverage === 'unscannable') return file
    const needles = file.needles.slice(this.#reportedNeedles)
    this.#reportedNeedles = file.needles.length
    return { ...file, needles }
  }

  #keep(chunk: Uint8Array): void {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    this.#isOverHeld = !this.#budget.take('heldBytes', chunk.length)
    if (this.#isOverHeld) {
      this.#held = []
      this.#context.pictures?.leave()
    } else if (this.#heldBytes >= this.#neededBytes) this.#endIfWhole()
  }

  #endIfWhole(): void {
    const file = oneOrJoined(this.#held)
    this.#held = [file]
    const length = heldLength(this.#format, file)
    this.#neededBytes = ++this.#lengthLooks < MAX_LENGTH_LOOKS ? length : Infinity
    if (length > file.length) return
    // If other bytes were read within a WebP, it may need bytes after its stated end.
    this.#heldEnd = this.#endWith([this.#format === 'webp' ? file : file.subarray(0, length)])
  }

  /** The outcome if these are all bytes of the image. Decoded once, on the first call. */
  #endWith(held: Uint8Array[]): () => Promise<ImageOutcome> {
    let outcome: Promise<ImageOutcome> | undefined
    const end = () => (outcome ??= this.#endHeld(held))
    this.#held = []
    this.#context.pictures?.end(this, async () => this.#describe(await end()))
    return end
  }

  *#push(decoder: ImageDecoder, bytes: Uint8Array, isLast: boolean): Steps {
    this.#bytes += bytes.length
    for (const frame of decoder.frames(bytes, isLast)) {
      if (frame) {
        this.#tones ??= this.#readTones(decoder)
        this.#useFrame(decoder, frame, orientationOf(decoder.exif))
      }
      this.#charge(decoder, frame ? 0 : STEP_MS, isLast)
      if (this.#budget.isTurnOver) yield
    }
    this.#charge(decoder, 0, isLast || decoder.isDone)
  }

  /**
   * Charges the cost of decoding since the last charge: by what the file may ask for, or by its
   * steps if they cost more.
   */
  #charge(decoder: ImageDecoder, stepMs: number, isOver: boolean): void {
    this.#stepsMs += stepMs
    const ms = decodingMs(this.#format, decoder.size, this.#bytes, isOver)
    const spent = Math.max(ms, this.#stepsMs, this.#decodingMs)
    this.#budget.spend(spent - this.#decodingMs)
    this.#decodingMs = spent
  }

  /** What the file itself says of its colours. In PNG, code points come before a profile, and that before the rest. */
  #readTones({ profile, pngColours }: ImageDecoder): Tones | undefined {
    if (this.#format !== 'png') return this.#tonesOf(profile && readProfile(profile))
    const { gamma, chromaticities, codePoints } = pngColours
    const icc = profile && inflateProfile(profile, this.#budget)
    const space =
      (codePoints && codePointSpace(codePoints.primaries, codePoints.transfer)) ??
      (icc && readProfile(icc)) ??
      (gamma || chromaticities ? gammaSpace(gamma, chromaticities) : undefined)
    return this.#tonesOf(space)
  }

  /** The tones of a space. One whose grid is too fine is left out. */
  #tonesOf(space: ColourSpace | undefined): Tones | undefined {
    if (!space) return undefined
    const nodes = nodesOf(space)
    if (nodes > MAX_NODES) {
      this.#needles.isPartial = true
      return undefined
    }
    this.#budget.spend(nodes * NODE_MS)
    return tonesOf(space)
  }

  #useFrame(decoder: ImageDecoder, frame: Frame, orientation: number): void {
    const { width, height } = decoder.size
    this.#budget.spend(FRAME_MS)
    const tones = this.#tones
    this.#needles.addFrame({ frame, orientation, aspect: width / height, ...(tones && { tones }) })
    if (this.#context.pictures && decoder === this.#decoder)
      this.#tellFrame(this.#context.pictures, decoder)
  }

  /** Reports what a frame shows. More of the image may follow, or only its end. */
  #tellFrame(pictures: Pictures, decoder: ImageDecoder): void {
    const file = this.#describe(this.#scanned(decoder.size))
    if (decoder.mayHaveFrames) pictures.addFrame(this, file)
    else pictures.end(this, file)
  }

  *#endDecoder(decoder: ImageDecoder): Steps<ImageOutcome> {
    yield* this.#push(decoder, new Uint8Array(0), true)
    const exif = decoder.exif
    if (exif && this.#format === 'png') this.#addLateDisplayed(decoder, readExif(exif).orientation)
    this.#needles.add('thumbnail', (this.#thumbnail ?? this.#findThumbnail())?.hash, 0)
    this.#addRawThumbnail(decoder)
    if (decoder.failure && this.#needles.frames === 0)
      return unscannable(decoder.failure, decoder.size)
    return this.#scanned(decoder.size, decoder.hasLeftOut || decoder.failure !== undefined)
  }

  /**
   * Some programs write the Exif block of a PNG after its image. The plane still contains the image
   * then.
   */
  #addLateDisplayed(decoder: ImageDecoder, orientation: number): void {
    const isKnown = this.#needles.found.some(({ probe }) => probe === 'displayed')
    if (orientation === 1 || isKnown || this.#needles.frames !== 1 || decoder.failure) return
    this.#needles.addDisplayed(decoder.frame, orientation, 0)
  }

  /**
   * Hashes the thumbnail in a JPEG's Exif block, once the block has arrived. It may show the image
   * as it was before editing.
   */
  #findThumbnail(): Thumbnail | undefined {
    if (this.#format !== 'jpeg' || !this.#needles.wants('thumbnail')) return undefined
    const exif = this.#decoder?.exif
    const bytes = exif && readExif(exif).thumbnail
    if (!bytes || sniffFormat(bytes) !== 'jpeg') return undefined
    this.#budget.spend(DECODER_MS + FRAME_MS)
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

  /** Adds the thumbnail that JFIF has as pixels. */
  #addRawThumbnail({ thumbnail: segment }: ImageDecoder): void {
    const pixels = segment && this.#needles.wants('thumbnail') && readJfifThumbnail(segment)
    if (!pixels) return
    this.#budget.spend(DECODER_MS + FRAME_MS)
    const { width, height, data } = pixels
    const decoder = ImageDecoder.forPixels(this.#context.modules.image, {
      width,
      height,
      channels: 3,
    })
    decoder.push(data, true, (frame) => this.#needles.add('thumbnail', frame.stored(), 0))
    decoder.release()
  }

  async #endHeld(held: Uint8Array[]): Promise<ImageOutcome> {
    await this.#budget.turnIfOver() // before decoding: the pixels of two pictures would be too many
    if (this.#budget.isExhausted) return unscannable('over-limit')
    const file = oneOrJoined(held)
    held.length = 0
    if (this.#format === 'webp' || this.#format === 'avif') {
      const plan = this.#format === 'webp' ? planWebp(file) : planAvif(file)
      return plan ? this.#endLibrary(this.#format, file, plan) : unscannable('damaged')
    }
    const { heic: library, modules } = this.#context
    if (this.#format === 'tiff') return this.#endPages(readTiff(modules.image, this.#budget, file))
    if (this.#format !== 'heic' || !library) return this.#endConverted(file, 'unsupported-format')
    const heic = readHeic({ core: modules.image, budget: this.#budget, library, file })
    const outcome = await this.#endPages(heic)
    const isLeft = outcome.coverage === 'unscannable' && outcome.reason !== 'over-limit'
    return isLeft ? this.#endConverted(file, outcome.reason, sizeOf(outcome)) : outcome
  }

  /** Decodes the pages. Those after the first are left out if they cannot be decoded. */
  async #endPages(file: Pages): Promise<ImageOutcome> {
    let shown: Size | undefined
    let size: Size | undefined
    let failure: UnscannableReason | undefined
    let { isPartial } = file
    for (const one of file.pages) {
      if (typeof one === 'string') {
        failure ??= one
        continue
      }
      if (size) await nextTurn()
      const { width, height, orientation, space } = one.page
      size ??= { width, height }
      this.#tones = this.#tonesOf(space)
      const tones = this.#tones
      const decoding = one.decode((frame) => {
        shown ??= { width, height }
        const aspect = width / height
        this.#needles.addFrame({ frame, orientation, aspect, ...(tones && { tones }) })
      }, tones)
      const end = await inTurns(decoding, this.#budget.turn)
      if (typeof end === 'string') failure ??= end
      else isPartial ||= end.isPartial
    }
    if (!shown) return unscannable(failure ?? 'damaged', size)
    return this.#scanned(shown, isPartial || failure !== undefined)
  }

  /**
   * Decodes a file with a library if it fits the budget. A picture after the first is left out if
   * the library cannot decode it.
   */
  async #endLibrary(
    format: LibraryFormat,
    file: Uint8Array,
    plan: LibraryPlan,
  ): Promise<ImageOutcome> {
    const size: Size = { width: plan.width, height: plan.height }
    if (size.width * size.height > LIBRARY_LIMITS[format].maxPixels) {
      return this.#endConverted(file, 'over-pixel-budget', size)
    }
    this.#tones = this.#tonesOf(plan.space)
    const scenes = new SceneGate(this.#context.modules.image)
    let canvas: Canvas | undefined
    let shown: Size | undefined
    let failure: UnscannableReason | undefined
    let isOutOfRange = false
    for (const [i, picture] of plan.pictures.entries()) {
      const { area, placed, vp8 } = picture
      if (i > 0) await this.#budget.turn() // while memory holds the pixels of neither picture
      if (this.#budget.isExhausted) {
        failure ??= 'over-limit'
        break
      }
      const wraps = vp8 !== undefined && (await this.#wraps(vp8))
      this.#budget.spend(libraryMs(format, size))
      const pixels = await decodeWithLibrary(this.#context.modules, format, picture.file())
      if (typeof pixels === 'string') {
        failure ??= pixels
        continue
      }
      isOutOfRange ||= wraps
      if (placed) {
        canvas ??= new Canvas(placed.canvas)
        this.#budget.spend(pixels.width * pixels.height * CANVAS_PIXEL_MS)
      }
      const shownPixels = placed && canvas ? canvas.draw(pixels, placed) : pixels
      this.#budget.spend(SCENE_MS)
      if (!scenes.isNew(shownPixels)) continue
      const orientation = shown ? 1 : plan.orientation
      shown ??= { width: shownPixels.width, height: shownPixels.height }
      for (const view of area ? [shownPixels, crop(shownPixels, area)] : [shownPixels]) {
        this.#usePixels(view, orientation)
        if (format === 'avif' && stretchAlpha(view)) this.#usePixels(view, orientation)
      }
    }
    if (!shown) {
      const reason = failure ?? 'damaged'
      if (reason === 'over-memory-budget') return this.#endConverted(file, reason, size)
      return unscannable(reason, size)
    }
    const scanned = this.#scanned(shown, plan.isPartial || failure !== undefined)
    if (!isOutOfRange) return scanned
    return { ...unscannable('out-of-range', shown), inner: [{ ...scanned, format, bytes: 0 }] }
  }

  #wraps(frame: Uint8Array): Promise<boolean> {
    return inTurns(new KeyFrame(frame).wraps(this.#budget), this.#budget.turn)
  }

  #usePixels({ width, height, data }: Pixels, orientation: number): void {
    const size = { width, height, channels: 4 } as const
    const decoder = ImageDecoder.forPixels(this.#context.modules.image, size)
    if (this.#tones && this.#needles.wants('toned')) {
      decoder.setTones(this.#tones)
      this.#budget.spend(width * height * TONED_PIXEL_MS)
    }
    decoder.push(data, true, (frame) => this.#useFrame(decoder, frame, orientation))
    decoder.release()
  }

  /** Scans the picture that the converter makes of the file, if there is a converter and it can. */
  async #endConverted(
    file: Uint8Array,
    reason: UnscannableReason,
    size?: Size,
  ): Promise<ImageOutcome> {
    const { convert } = this.#context
    if (!convert) return unscannable(reason, size)
    if (!this.#budget.take('conversions')) return unscannable('over-limit', size)
    this.#budget.spend(CONVERSION_MS)
    const picture = await convert(file)
    if (!picture) return unscannable(reason, size)
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'png')
    decoder.push(picture, true, (frame) => this.#useFrame(decoder, frame, 1))
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

export type ImageOutcome =
  | {
      coverage: 'scanned'
      width: number
      height: number
      needles: Needle[]
      isPartial: boolean
      widen?: () => Needle[]
    }
  | {
      coverage: 'unscannable'
      reason: UnscannableReason
      width?: number
      height?: number
      /** What one decoder shows, if others show something else. */
      inner?: ScannedFile[]
    }

export function isHeldFormat(format: FileFormat): boolean {
  return HELD_FORMATS.has(format)
}

/** Bytes of a held file needed to find its end. If it has that many, they are the whole file. */
function heldLength(format: ImageFormat, file: Uint8Array): number {
  if (format === 'webp') return webpLength(file) ?? 8
  if (format === 'tiff') return tiffLength(file)
  return format === 'jxl' ? Infinity : isoLength(file)
}

function unscannable(reason: UnscannableReason, size?: Size) {
  const isKnown = size !== undefined && size.width > 0
  return {
    coverage: 'unscannable' as const,
    reason,
    ...(isKnown && { width: size.width, height: size.height }),
  }
}

function oneOrJoined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...others] = parts
  return only && others.length === 0 ? only : concatenate(parts)
}

function sizeOf({ width, height }: { width?: number; height?: number }): Size | undefined {
  return width !== undefined && height !== undefined ? { width, height } : undefined
}

function orientationOf(exif: Uint8Array | undefined): number {
  return exif ? readExif(exif).orientation : 1
}

/** Bytes that a held image lacks up to its end if it begins like this; `Infinity` for others. */
export function missingBytesOf(head: Uint8Array): number {
  const format = sniffFormat(head)
  return format && HELD_FORMATS.has(format) ? heldLength(format, head) - head.length : Infinity
}
