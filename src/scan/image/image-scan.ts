import { beginsWith } from '../../util/bytes.ts'
import type { Steps } from '../../util/steps.ts'
import { type Frame, ImageDecoder, type Tones } from '../../core/image.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { Pictures } from '../pictures.ts'
import { codePointSpace, gammaSpace } from './code-points.ts'
import { readExif } from './exif.ts'
import { HeldImage, isHeldFormat } from './held-image.ts'
import { readJfifThumbnail } from './jfif.ts'
import { readProfile } from './icc.ts'
import { type ImageFormat, isCoreFormat, sniffFormat } from './format.ts'
import { type ImageOutcome, unscannableImage } from './outcome.ts'
import { Needles } from '../probes/needles.ts'
import type { QualifiedHash } from '../../core/plane.ts'
import type { ScannedFile } from '../scanned.ts'
import { DECODER_MS, IMAGE_CHUNK_MS, decodingMs, FRAME_MS, STEP_MS } from '../work.ts'
import { affordableTones, inflateProfile } from './tone.ts'

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
  /** A file that the core does not decode. It is kept whole. */
  #held: HeldImage | undefined
  /** Decodes the held file, once it has ended. */
  #heldEnd: (() => Promise<ImageOutcome>) | undefined
  #bytes = 0
  /** Work that decoding has been charged with. */
  #decodingMs = 0
  #stepsMs = 0
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
    if (isHeldFormat(format)) this.#held = new HeldImage(context, format, budget, this.#needles)
    if (isCoreFormat(format) || this.#held) context.pictures?.begin(this)
    if (!isCoreFormat(format)) return
    if (budget.isExhausted) {
      this.#settle(unscannableImage('over-limit'))
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
    } else if (this.#held && !this.isOver) this.#keep(this.#held, chunk)
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
    return this.#outcome !== undefined || (this.#held !== undefined && this.#held.state !== 'open')
  }

  /** Number of bytes up to the end of a held image, as far as it is known; otherwise `Infinity`. */
  get missingBytes(): number {
    return this.#held?.missingBytes ?? Infinity
  }

  /** Ends the image. A held image must be decoded while nothing else is. */
  *finish(): Steps<ImageOutcome | (() => Promise<ImageOutcome>)> {
    if (this.#decoder) this.#settle(yield* this.#endDecoder(this.#decoder))
    if (this.#outcome) return this.#outcome
    if (!this.#held) return unscannableImage('unsupported-format')
    if (this.#held.state !== 'over-limit') return this.#heldEnd ?? this.#endHeld(this.#held)
    return this.#context.pictures ? LEFT : unscannableImage('over-limit')
  }

  /** Frees what is held, without an outcome: it is not an image. */
  drop(): void {
    this.#held = undefined
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
      this.#settle(unscannableImage('over-limit', decoder.size))
    else if (this.#isNested && this.#budget.isOverMemory)
      this.#settle(unscannableImage('over-limit'))
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

  #keep(held: HeldImage, chunk: Uint8Array): void {
    held.keep(chunk)
    if (held.state === 'over-limit') this.#context.pictures?.leave()
    else if (held.state === 'whole') this.#heldEnd = this.#endHeld(held)
  }

  #endHeld(held: HeldImage): () => Promise<ImageOutcome> {
    const end = () => held.decode()
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
    if (this.#format !== 'png')
      return affordableTones(profile && readProfile(profile), this.#budget, this.#needles)
    const { gamma, chromaticities, codePoints, peak } = pngColours
    const icc = profile && inflateProfile(profile, this.#budget)
    const space =
      (codePoints && codePointSpace(codePoints.primaries, codePoints.transfer, peak)) ??
      (icc && readProfile(icc, peak)) ??
      (gamma || chromaticities ? gammaSpace(gamma, chromaticities) : undefined)
    return affordableTones(space, this.#budget, this.#needles)
  }

  #useFrame(decoder: ImageDecoder, frame: Frame, orientation: number): void {
    const { width, height } = decoder.size
    this.#budget.spend(FRAME_MS)
    const tones = this.#tones
    this.#needles.addFrame({ frame, orientation, aspect: width / height, ...(tones && { tones }) })
    if (this.#context.pictures && decoder === this.#decoder)
      this.#reportFrame(this.#context.pictures, decoder)
  }

  /** Reports what a frame shows. More of the image may follow, or only its end. */
  #reportFrame(pictures: Pictures, decoder: ImageDecoder): void {
    const file = this.#describe(this.#needles.outcome(decoder.size))
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
      return unscannableImage(decoder.failure, decoder.size)
    return this.#needles.outcome(decoder.size, decoder.hasLeftOut || decoder.failure !== undefined)
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
}

/** A JPEG in an Exif block. */
interface Thumbnail {
  bytes: Uint8Array
  /** Absent if it has none. */
  hash: QualifiedHash | undefined
  /** Whether its end is in these bytes. */
  isWhole: boolean
}

function orientationOf(exif: Uint8Array | undefined): number {
  return exif ? readExif(exif).orientation : 1
}
