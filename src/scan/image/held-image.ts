import { type Frame, ImageDecoder, type Tones } from '../../core/image.ts'
import { asOne } from '../../util/bytes.ts'
import { inTurns, nextTurn } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { FileFormat } from '../format.ts'
import type { Needles } from '../probes/needles.ts'
import type { UnscannableReason } from '../scanned.ts'
import {
  CANVAS_PIXEL_MS,
  CONVERSION_MS,
  FRAME_MS,
  libraryMs,
  SCENE_MS,
  TONED_PIXEL_MS,
} from '../work.ts'
import { divideByAlpha, stretchAlpha } from './alpha.ts'
import { planAvif } from './avif.ts'
import { Canvas, crop, SceneGate } from './canvas.ts'
import { type ImageFormat, sniffFormat } from './format.ts'
import { readHeic } from './heic/heic.ts'
import { isoLength } from './iso-boxes.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'
import type { LibraryPlan } from './library-plan.ts'
import { decodeWithLibrary, type Pixels } from './library.ts'
import { type ImageOutcome, type ImageSize, unscannableImage } from './outcome.ts'
import type { Pages } from './pages.ts'
import { readTiff, tiffLength } from './tiff/tiff.ts'
import { affordableTones } from './tone.ts'
import { KeyFrame } from './vp8/key-frame.ts'
import { planWebp, webpLength } from './webp.ts'

/** Files whose bytes are held until the end: a library, or a converter, wants them whole. */
const HELD_FORMATS: ReadonlySet<FileFormat> = new Set(['webp', 'avif', 'heic', 'jxl', 'tiff'])

/** Maximum attempts to find where a held file ends: files have few directories and boxes. */
const MAX_LENGTH_LOOKS = 24

/** Keeps the bytes of an image until all of them are present, then decodes it. */
export class HeldImage {
  readonly #context: ScanContext
  readonly #format: ImageFormat
  readonly #budget: ScanBudget
  readonly #needles: Needles
  #chunks: Uint8Array[] = []
  #bytes = 0
  /** Bytes needed to find its end, and the attempts so far. */
  #neededBytes = 1
  #lengthLooks = 0
  #outcome: Promise<ImageOutcome> | undefined
  /** What programs show, if that is not what is stored. */
  #tones: Tones | undefined
  /** `whole`: all its bytes are present. Viewers ignore what follows them. */
  state: 'open' | 'whole' | 'over-limit' = 'open'

  constructor(context: ScanContext, format: ImageFormat, budget: ScanBudget, needles: Needles) {
    this.#context = context
    this.#format = format
    this.#budget = budget
    this.#needles = needles
  }

  /** Takes the next bytes. Do not change them afterwards. */
  keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (!this.#budget.take('heldBytes', chunk.length)) {
      this.#chunks = []
      this.state = 'over-limit'
    } else if (this.#bytes >= this.#neededBytes) this.#findEnd()
  }

  /** Number of bytes up to its end, as far as it is known; otherwise `Infinity`. */
  get missingBytes(): number {
    const isKnown = this.#lengthLooks > 0 && this.state === 'open'
    return isKnown ? this.#neededBytes - this.#bytes : Infinity
  }

  #findEnd(): void {
    const file = asOne(this.#chunks)
    this.#chunks = [file]
    const length = heldLength(this.#format, file)
    this.#neededBytes = ++this.#lengthLooks < MAX_LENGTH_LOOKS ? length : Infinity
    if (length > file.length) return
    this.state = 'whole'
    // If other bytes were read within a WebP, it may need bytes after its stated end.
    if (this.#format !== 'webp') this.#chunks = [file.subarray(0, length)]
  }

  /** Decodes what there is of it, on the first call. Call it while nothing else is being decoded. */
  decode(): Promise<ImageOutcome> {
    return (this.#outcome ??= this.#decode())
  }

  async #decode(): Promise<ImageOutcome> {
    await this.#budget.turnIfOver() // before decoding: the pixels of two pictures would be too many
    if (this.#budget.isExhausted) return unscannableImage('over-limit')
    const file = asOne(this.#chunks)
    this.#chunks = []
    if (this.#format === 'webp' || this.#format === 'avif') {
      const plan = this.#format === 'webp' ? planWebp(file) : planAvif(file)
      return plan ? this.#decodeByLibrary(this.#format, file, plan) : unscannableImage('damaged')
    }
    const { heic: library, modules } = this.#context
    if (this.#format === 'tiff')
      return this.#decodePages(readTiff(modules.image, this.#budget, file))
    if (this.#format !== 'heic' || !library) return this.#convert(file, 'unsupported-format')
    const heic = readHeic({ core: modules.image, budget: this.#budget, library, file })
    const outcome = await this.#decodePages(heic)
    const isLeft = outcome.coverage === 'unscannable' && outcome.reason !== 'over-limit'
    return isLeft ? this.#convert(file, outcome.reason, sizeOf(outcome)) : outcome
  }

  /** Decodes the pages. Those after the first are left out if they cannot be decoded. */
  async #decodePages(file: Pages): Promise<ImageOutcome> {
    let shown: ImageSize | undefined
    let size: ImageSize | undefined
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
      this.#tones = affordableTones(space, this.#budget, this.#needles)
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
    if (!shown) return unscannableImage(failure ?? 'damaged', size)
    return this.#needles.outcome(shown, isPartial || failure !== undefined)
  }

  /**
   * Decodes a file with a library if it fits the budget. A picture after the first is left out if
   * the library cannot decode it.
   */
  async #decodeByLibrary(
    format: LibraryFormat,
    file: Uint8Array,
    plan: LibraryPlan,
  ): Promise<ImageOutcome> {
    const size: ImageSize = { width: plan.width, height: plan.height }
    if (size.width * size.height > LIBRARY_LIMITS[format].maxPixels) {
      return this.#convert(file, 'over-pixel-budget', size)
    }
    this.#tones = affordableTones(plan.space, this.#budget, this.#needles)
    const scenes = new SceneGate(this.#context.modules.image)
    let canvas: Canvas | undefined
    let shown: ImageSize | undefined
    let failure: UnscannableReason | undefined
    let isOutOfRange = false
    for (const [i, picture] of plan.pictures.entries()) {
      const { area, placed, vp8, isPremultiplied } = picture
      if (i > 0) await this.#budget.turn() // while memory holds the pixels of neither picture
      if (this.#budget.isExhausted) {
        failure ??= 'over-limit'
        break
      }
      const wraps: boolean = vp8 !== undefined && !isOutOfRange && (await this.#wraps(vp8))
      this.#budget.spend(libraryMs(format, size))
      const pixels = await decodeWithLibrary(this.#context.modules, format, picture.file())
      if (typeof pixels === 'string') {
        failure ??= pixels
        continue
      }
      isOutOfRange ||= wraps
      if (isPremultiplied) {
        divideByAlpha(pixels)
        this.#budget.spend(pixels.width * pixels.height * CANVAS_PIXEL_MS)
      }
      if (placed) {
        if (canvas?.size !== placed.canvas) canvas = new Canvas(placed.canvas)
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
      if (reason === 'over-memory-budget') return this.#convert(file, reason, size)
      return unscannableImage(reason, size)
    }
    const hashed = this.#needles.outcome(shown, plan.isPartial || failure !== undefined)
    if (!isOutOfRange) return hashed
    return {
      ...unscannableImage('out-of-range', shown),
      inner: [{ ...hashed, format, bytes: 0 }],
    }
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
    decoder.push(data, true, (frame) => this.#addFrame(decoder, frame, orientation))
    decoder.release()
  }

  /** Scans the picture that the converter makes of the file, if there is a converter and it can. */
  async #convert(
    file: Uint8Array,
    reason: UnscannableReason,
    size?: ImageSize,
  ): Promise<ImageOutcome> {
    const { convert } = this.#context
    if (!convert) return unscannableImage(reason, size)
    if (!this.#budget.take('conversions')) return unscannableImage('over-limit', size)
    this.#budget.spend(CONVERSION_MS)
    const picture = await convert(file)
    if (!picture) return unscannableImage(reason, size)
    const decoder = ImageDecoder.forFile(this.#context.modules.image, 'png')
    decoder.push(picture, true, (frame) => this.#addFrame(decoder, frame, 1))
    const pictureSize = decoder.size
    decoder.release()
    if (decoder.failure) return unscannableImage(decoder.failure, size)
    return this.#needles.outcome(size ?? pictureSize)
  }

  #addFrame(decoder: ImageDecoder, frame: Frame, orientation: number): void {
    const { width, height } = decoder.size
    const tones = this.#tones
    this.#budget.spend(FRAME_MS)
    this.#needles.addFrame({ frame, orientation, aspect: width / height, ...(tones && { tones }) })
  }
}

export function isHeldFormat(format: FileFormat): boolean {
  return HELD_FORMATS.has(format)
}

/** Bytes that a held image lacks up to its end if it begins like this; `Infinity` for others. */
export function missingBytesOf(head: Uint8Array): number {
  const format = sniffFormat(head)
  return format && isHeldFormat(format) ? heldLength(format, head) - head.length : Infinity
}

/** Bytes of a held file needed to find its end. If it has that many, they are the whole file. */
function heldLength(format: ImageFormat, file: Uint8Array): number {
  if (format === 'webp') return webpLength(file)
  if (format === 'tiff') return tiffLength(file)
  return format === 'jxl' ? Infinity : isoLength(file)
}

function sizeOf({ width, height }: Partial<ImageSize>): ImageSize | undefined {
  return width !== undefined && height !== undefined ? { width, height } : undefined
}
