import { concatenate } from '../../util/bytes.ts'
import { type Frame, ImageDecoder } from '../../core/image.ts'
import { planAvif } from './avif.ts'
import { Canvas, crop, SceneGate } from './canvas.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { Pictures } from '../pictures.ts'
import { readExif } from './exif.ts'
import { type ImageFormat, isCoreFormat, sniffFormat } from './format.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'
import type { LibraryPlan } from './library-plan.ts'
import { decodeWithLibrary, type Pixels } from './library.ts'
import { Needles } from '../probes/needles.ts'
import type { Needle, ScannedFile, UnscannableReason } from '../scanned.ts'
import { gammaCurve, inflateProfile, profileCurve } from './tone.ts'
import { readTiff } from './tiff/tiff.ts'
import { planWebp, webpLength } from './webp.ts'

/** Pixels. */
interface Size {
  width: number
  height: number
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
const HELD_FORMATS: ReadonlySet<ImageFormat> = new Set(['webp', 'avif', 'heic', 'jxl', 'tiff'])

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
  #heldBytes = 0
  /** How the image ends that is held, if nothing follows so many bytes of it. */
  #heldEnd: { bytes: number; outcome: () => Promise<ImageOutcome> } | undefined
  /** Needles that were told before the image was complete. */
  #toldNeedles = 0
  readonly #needles: Needles
  /** Lumas as they are shown, where they are others. */
  #tone: Float32Array | undefined

  /** `isNested`: whether it lies within a file, so that its decoder shares memory with others. */
  constructor(context: ScanContext, format: ImageFormat, budget: ScanBudget, isNested: boolean) {
    this.#context = context
    this.#format = format
    this.#budget = budget
    this.#isNested = isNested
    this.#needles = new Needles(context, budget)
    if (isCoreFormat(format) || HELD_FORMATS.has(format)) context.pictures?.begin(this)
    if (!isCoreFormat(format)) return
    this.#decoder = ImageDecoder.forFile(context.modules.image, format)
    budget.decoders.add(this.#decoder)
  }

  /** Gives the next bytes. Those of formats that are held must not be changed afterwards. */
  write(chunk: Uint8Array): void {
    if (this.#decoder) this.#decode(this.#decoder, chunk)
    else if (HELD_FORMATS.has(this.#format) && !this.#isOverHeld) this.#keep(chunk)
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
    const outcome = this.#endOf(this.#held)
    this.#context.pictures?.end(this, async () => this.#describe(await outcome()))
    return outcome
  }

  #decode(decoder: ImageDecoder, chunk: Uint8Array): void {
    const { looks } = decoder
    this.#push(decoder, chunk, false)
    if (decoder.looks > looks) this.#context.pictures?.addFrame(this)
    if (decoder.isDone || decoder.failure) this.#settle(this.#endDecoder(decoder))
    else if (this.#isNested && this.#budget.isOverMemory) this.#settle(unscannable('over-limit'))
  }

  /** Lets the decoder's memory go. */
  #settle(outcome: ImageOutcome): void {
    if (this.#decoder) this.#budget.decoders.delete(this.#decoder)
    this.#decoder = undefined
    this.#outcome = outcome
    const isTold = outcome.coverage === 'scanned' || !this.#isNested
    this.#context.pictures?.end(this, isTold ? this.#describe(outcome) : undefined)
  }

  /** The image as a file, with what was not told of it before. */
  #describe(outcome: ImageOutcome): ScannedFile {
    const file = { ...outcome, format: this.#format, bytes: 0 }
    if (file.coverage === 'unscannable') return file
    const needles = file.needles.slice(this.#toldNeedles)
    this.#toldNeedles = file.needles.length
    return { ...file, needles }
  }

  #keep(chunk: Uint8Array): void {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    this.#isOverHeld = !this.#budget.take('heldBytes', chunk.length)
    if (this.#isOverHeld) {
      this.#held = []
      this.#context.pictures?.end(this)
    } else if (this.#context.pictures && !this.#heldEnd) this.#tellWhole(this.#context.pictures)
  }

  /** A WebP says how long it is: what follows is of no matter to programs that show it. */
  #tellWhole(pictures: Pictures): void {
    const length = this.#format === 'webp' ? webpLength(this.#held[0]) : undefined
    if (length === undefined || this.#heldBytes < length) return
    const outcome = this.#endOf([...this.#held])
    this.#heldEnd = { bytes: this.#heldBytes, outcome }
    pictures.end(this, async () => this.#describe(await outcome()))
  }

  /** How the image ends if these bytes are all there are of it: decoded once, when it is asked for. */
  #endOf(held: Uint8Array[]): () => Promise<ImageOutcome> {
    if (this.#heldEnd?.bytes === this.#heldBytes) return this.#heldEnd.outcome
    let outcome: Promise<ImageOutcome> | undefined
    return () => (outcome ??= this.#endHeld(held))
  }

  #push(decoder: ImageDecoder, bytes: Uint8Array, isLast: boolean): void {
    decoder.push(bytes, isLast, (frame) => {
      this.#tone ??= this.#readTone(decoder)
      this.#useFrame(decoder, frame, orientationOf(decoder.exif))
    })
  }

  #readTone({ profile, gamma }: ImageDecoder): Float32Array | undefined {
    const icc = profile && this.#format === 'png' ? inflateProfile(profile, this.#budget) : profile
    return icc ? profileCurve(icc) : gammaCurve(gamma)
  }

  #useFrame(decoder: ImageDecoder, frame: Frame, orientation: number): void {
    const { width, height } = decoder.size
    const tone = this.#tone
    this.#needles.addFrame({ frame, orientation, aspect: width / height, ...(tone && { tone }) })
    if (this.#context.pictures && decoder === this.#decoder)
      this.#tellFrame(this.#context.pictures, decoder)
  }

  /** Tells what is known by a frame. More of the image may follow, or nothing but its end. */
  #tellFrame(pictures: Pictures, decoder: ImageDecoder): void {
    const file = this.#describe(this.#scanned(decoder.size))
    if (decoder.mayHaveFrames) pictures.addFrame(this, file)
    else pictures.end(this, file)
  }

  #endDecoder(decoder: ImageDecoder): ImageOutcome {
    this.#push(decoder, new Uint8Array(0), true)
    const exif = decoder.exif
    if (exif && this.#format === 'png') this.#addLateDisplayed(decoder, readExif(exif).orientation)
    if (exif && this.#format === 'jpeg') this.#scanThumbnail(readExif(exif).thumbnail)
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

  /** Hashes an embedded thumbnail: it may show what the image did before it was edited. */
  #scanThumbnail(thumbnail: Uint8Array | undefined): void {
    if (!this.#needles.wants('thumbnail')) return
    if (!thumbnail || sniffFormat(thumbnail) !== 'jpeg') return
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'jpeg')
    decoder.push(thumbnail, true, (frame) => this.#needles.add('thumbnail', frame.stored(), 0))
  }

  async #endHeld(held: Uint8Array[]): Promise<ImageOutcome> {
    const [only, ...others] = held
    const file = only && others.length === 0 ? only : concatenate(held)
    held.length = 0
    if (this.#format === 'webp' || this.#format === 'avif') {
      const plan = this.#format === 'webp' ? planWebp(file) : planAvif(file)
      return plan ? this.#endLibrary(this.#format, file, plan) : unscannable('damaged')
    }
    if (this.#format === 'tiff') return this.#endTiff(file)
    return this.#endConverted(file, 'unsupported-format')
  }

  /** A page behind the first that cannot be decoded is left out. */
  async #endTiff(file: Uint8Array): Promise<ImageOutcome> {
    const tiff = readTiff(this.#context.modules.image, this.#budget, file)
    let shown: Size | undefined
    let size: Size | undefined
    let failure: UnscannableReason | undefined
    let { isPartial } = tiff
    for (const one of tiff.pages) {
      if (typeof one === 'string') {
        failure ??= one
        continue
      }
      if (size) await yieldToOthers()
      const { width, height, orientation, profile } = one.page
      size ??= { width, height }
      this.#tone = profile && profileCurve(profile)
      const tone = this.#tone
      const end = one.decode((frame) => {
        shown ??= { width, height }
        this.#needles.addFrame({
          frame,
          orientation,
          aspect: width / height,
          ...(tone && { tone }),
        })
      })
      if (typeof end === 'string') failure ??= end
      else isPartial ||= end.isPartial
    }
    if (!shown) return unscannable(failure ?? 'damaged', size)
    return this.#scanned(shown, isPartial || failure !== undefined)
  }

  /** Decodes by a library what fits its budget. A picture behind the first that it cannot decode is left out. */
  async #endLibrary(
    format: LibraryFormat,
    file: Uint8Array,
    plan: LibraryPlan,
  ): Promise<ImageOutcome> {
    const size: Size = { width: plan.width, height: plan.height }
    if (size.width * size.height > LIBRARY_LIMITS[format].maxPixels) {
      return this.#endConverted(file, 'over-pixel-budget', size)
    }
    this.#tone = plan.profile && profileCurve(plan.profile)
    const scenes = new SceneGate()
    let canvas: Canvas | undefined
    let shown: Size | undefined
    let failure: UnscannableReason | undefined
    for (const [i, picture] of plan.pictures.entries()) {
      const { area, placed } = picture
      if (i > 0) await yieldToOthers()
      const pixels = await decodeWithLibrary(this.#context.modules, format, picture.file())
      if (typeof pixels === 'string') {
        failure ??= pixels
        continue
      }
      if (placed) canvas ??= new Canvas(placed.canvas)
      const shownPixels = placed && canvas ? canvas.draw(pixels, placed) : pixels
      if (!scenes.isNew(shownPixels)) continue
      const orientation = shown ? 1 : plan.orientation
      shown ??= { width: shownPixels.width, height: shownPixels.height }
      this.#usePixels(shownPixels, orientation)
      if (area) this.#usePixels(crop(shownPixels, area), orientation)
    }
    if (!shown) {
      const reason = failure ?? 'damaged'
      if (reason === 'over-memory-budget') return this.#endConverted(file, reason, size)
      return unscannable(reason, size)
    }
    return this.#scanned(shown, plan.isPartial || failure !== undefined)
  }

  #usePixels({ width, height, data }: Pixels, orientation: number): void {
    const size = { width, height, channels: 4 } as const
    const decoder = ImageDecoder.forPixels(this.#context.modules.image, size)
    decoder.push(data, true, (frame) => this.#useFrame(decoder, frame, orientation))
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
    if (decoder.failure) return unscannable(decoder.failure, size)
    return this.#scanned(size ?? decoder.size)
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

/** Lets other requests go on between two decodings; the memory of neither is there meanwhile. */
function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
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
