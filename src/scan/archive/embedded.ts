import { ascii } from '../../util/ascii.ts'
import { concatenate } from '../../util/bytes.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { SpanKind } from './findings.ts'
import { type ImageFormat, sniffFormat } from '../image/format.ts'
import { ImageScan } from '../image/image-scan.ts'
import type { ImageOutcome } from '../image/outcome.ts'
import { TiffStart } from '../image/tiff/start.ts'
import type { FinishedInner, ScannedFile, Within } from '../scanned.ts'
import { LOOK_MS } from '../work.ts'
import { findImages, LONGEST_SIGNATURE_BYTES } from './signatures.ts'

/** Bytes searched at once. */
const CHUNK_BYTES = 64 * 1024
/** Bytes before a signature that may mark an Exif block, in JPEG, PNG, WebP and HEIC. */
const EXIF_MARK_BYTES = 8
const EXIF_MARK = /exif.{0,4}$/is
/**
 * Bytes kept from before a chunk. They may contain the start of a signature that ends in the chunk,
 * and the Exif mark before it.
 */
const TAIL_BYTES = LONGEST_SIGNATURE_BYTES - 1 + EXIF_MARK_BYTES

/** Finds images by their signatures in all bytes of a file that no other reader scans. */
export class EmbeddedSearch {
  readonly #context: ScanContext
  readonly #budget: ScanBudget
  readonly #within: Within
  readonly #withCoded: boolean
  readonly #isKnown: (bytes: Uint8Array) => boolean
  #position = 0
  #tail: Uint8Array = new Uint8Array(0)
  #open: OpenImage[] = []
  readonly #found: (FinishedInner | undefined)[] = []
  /** Whether there was more than the limits allow. */
  isOverLimit = false

  /**
   * @param withCoded whether data that is also read in another form is searched, too
   * @param isKnown whether bytes begin with a JPEG that is hashed elsewhere
   */
  constructor(
    context: ScanContext,
    budget: ScanBudget,
    within: Within,
    withCoded: boolean,
    isKnown: (bytes: Uint8Array) => boolean,
  ) {
    this.#context = context
    this.#budget = budget
    this.#within = within
    this.#withCoded = withCoded
    this.#isKnown = isKnown
  }

  /** Whether an incomplete image is being read. */
  get isReading(): boolean {
    return this.#open.length > 0
  }

  *write(bytes: Uint8Array, kind: SpanKind): Steps {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      yield* this.#take(bytes.subarray(at, at + CHUNK_BYTES), kind)
    }
  }

  /** Reads an image that was skipped as known, but is not. */
  *readAgain(bytes: Uint8Array): Steps {
    yield* this.#begin(bytes, 0, this.#position || 1, false)
  }

  /** Ends the file. Returns the images in order. */
  *close(): Steps<FinishedInner[]> {
    for (const image of this.#open) {
      image.tiff?.end()
      yield* this.#finish(image)
    }
    this.#open = []
    return this.#found.filter((file) => file !== undefined)
  }

  *#take(chunk: Uint8Array, kind: SpanKind): Steps {
    for (const image of this.#open) {
      image.tiff?.take(chunk)
      yield* this.#give(image, chunk)
    }
    yield* this.#closeFinished()
    const isSearched = kind === 'free' || (kind === 'coded' && this.#withCoded)
    if (isSearched) yield* this.#search(chunk, kind === 'coded')
    this.#position += chunk.length
    if (!isSearched) this.#tail = chunk.subarray(0, 0)
  }

  *#search(chunk: Uint8Array, isCoded: boolean): Steps {
    const { search } = this.#context.modules
    const tail = this.#tail
    const seam = concatenate([tail, chunk.subarray(0, TAIL_BYTES)])
    const start = this.#position - tail.length
    for (const hit of findImages(search, seam)) {
      // Hits that lie entirely in the chunk are found there.
      if (hit.start < tail.length && hit.end > tail.length)
        yield* this.#begin(concatenate([tail, chunk]), hit.start, start + hit.start, isCoded)
    }
    for (const hit of findImages(search, chunk))
      yield* this.#begin(chunk, hit.start, this.#position + hit.start, isCoded)
    this.#tail = (chunk.length < TAIL_BYTES ? seam : chunk).slice(-TAIL_BYTES)
  }

  /**
   * Begins to read an image at an index of the available bytes. `position`: its place in the file.
   */
  *#begin(available: Uint8Array, at: number, position: number, isCoded: boolean): Steps {
    if (position === 0) return // the file itself
    const { limits } = this.#budget
    const bytes = available.subarray(at)
    const format = sniffFormat(bytes)
    if (!format || (format === 'jpeg' && this.#isKnown(bytes))) return
    const tiff = format === 'tiff' ? this.#lookAtTiff(bytes) : undefined
    if (tiff?.isPicture === false) return
    if (this.#budget.isTurnOver) yield
    const isRoom = this.#budget.openEmbedded < limits.embeddedAtOnce && !this.#budget.isOverMemory
    if (!this.#budget.take('embeddedStarts') || !isRoom) {
      this.isOverLimit = true
      return
    }
    const scan = new ImageScan(this.#context, format, this.#budget, true)
    const left = this.#lengthOf(format)
    const isExif = tiff !== undefined && this.#isMarkedExif(available, at)
    const image = { scan, format, isCoded, isExif, index: this.#found.length, left, tiff }
    this.#found.push(undefined)
    this.#open.push(image)
    this.#budget.openEmbedded++
    yield* this.#give(image, bytes.slice()) // the scan may hold it, so it must not change
    yield* this.#closeFinished()
  }

  #lookAtTiff(bytes: Uint8Array): TiffStart {
    this.#budget.spend(LOOK_MS)
    const tiff = new TiffStart()
    tiff.take(bytes)
    return tiff
  }

  #isMarkedExif(available: Uint8Array, at: number): boolean {
    const bytes = available.subarray(Math.max(0, at - EXIF_MARK_BYTES), at)
    const isShort = bytes.length < EXIF_MARK_BYTES
    return EXIF_MARK.test(ascii(isShort ? concatenate([this.#tail, bytes]) : bytes))
  }

  /**
   * Maximum length of an image. The core's formats need none, since they are not held. Neither does
   * TIFF, whose directory may be anywhere.
   */
  #lengthOf(format: ImageFormat): number {
    const isHeld = format === 'webp' || format === 'avif' || format === 'heic'
    return isHeld ? this.#budget.limits.embeddedHeldBytes : Infinity
  }

  *#give(image: OpenImage, bytes: Uint8Array): Steps {
    const chunk = bytes.subarray(0, Math.min(bytes.length, image.left))
    image.left -= chunk.length
    yield* image.scan.take(chunk)
  }

  *#closeFinished(): Steps {
    const isDone = ({ scan, left, tiff }: OpenImage) =>
      tiff && tiff.isPicture !== true ? tiff.isPicture === false : scan.isOver || left <= 0
    for (const image of this.#open) if (isDone(image)) yield* this.#finish(image)
    this.#open = this.#open.filter((image) => !isDone(image))
  }

  *#finish(image: OpenImage): Steps {
    const { scan, format, index, tiff } = image
    this.#budget.openEmbedded--
    if (tiff && tiff.isPicture !== true) {
      scan.drop()
      return
    }
    const outcome = yield* scan.finish()
    const fileOf = (done: ImageOutcome): ScannedFile => {
      return { ...done, format, bytes: 0, within: this.#within }
    }
    if (typeof outcome !== 'function' && isNoImage(outcome, image)) return
    if (!this.#budget.take('embeddedImages')) {
      this.isOverLimit = true
      return
    }
    if (typeof outcome !== 'function') this.#found[index] = fileOf(outcome)
    else
      this.#found[index] = async () => {
        const late = await outcome()
        return tiff && isNoImage(late, image) ? undefined : fileOf(late)
      }
  }
}

/** An image that is being read from its signature on. */
interface OpenImage {
  scan: ImageScan
  format: ImageFormat
  /** Its index among the images found. */
  index: number
  /** Whether it begins in data that is also read in another form. */
  isCoded: boolean
  /** Whether it is in an Exif block, whose directory may refer to samples of another file. */
  isExif: boolean
  /** Bytes that may still belong to it. */
  left: number
  /** For a TIFF: decides whether it is a picture. */
  tiff: TiffStart | undefined
}

/**
 * A file that fails before its size is known only looked like an image. In coded data every failure
 * counts: pieces of it may be visible.
 */
function isNoImage(outcome: ImageOutcome, { isCoded, isExif }: OpenImage): boolean {
  if (outcome.coverage === 'scanned' || outcome.reason === 'over-limit') return false
  return isCoded || outcome.width === undefined || (isExif && outcome.reason === 'damaged')
}
