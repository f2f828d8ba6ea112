import { Buffer } from 'node:buffer'
import { concatenate } from '../../util/bytes.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { SpanKind } from './findings.ts'
import { type ImageFormat, sniffFormat } from '../image/format.ts'
import { type ImageOutcome, ImageScan } from '../image/image-scan.ts'
import type { Finished, ScannedFile, Within } from '../scanned.ts'
import { findImages, LONGEST_SIGNATURE_BYTES } from './signatures.ts'

/** Bytes searched at once. */
const CHUNK_BYTES = 64 * 1024
/** Bytes before a chunk in which a signature that ends in it may begin. */
const TAIL_BYTES = LONGEST_SIGNATURE_BYTES - 1

/** An image that is being read from its signature on. */
interface OpenImage {
  scan: ImageScan
  format: ImageFormat
  /** Its index among the images found. */
  index: number
  /** Whether it begins in data that is also read in another form. */
  isCoded: boolean
  /** Bytes that may still belong to it. */
  left: number
}

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
  readonly #found: (Finished | undefined)[] = []
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

  *write(bytes: Uint8Array, kind: SpanKind): Steps {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      yield* this.#take(bytes.subarray(at, at + CHUNK_BYTES), kind)
    }
  }

  /** Reads an image that was skipped as known, but is not. */
  *readAgain(bytes: Uint8Array): Steps {
    yield* this.#begin(bytes, this.#position || 1, false)
  }

  /** Ends the file. Returns the images in order. */
  *close(): Steps<Finished[]> {
    for (const image of this.#open) yield* this.#finish(image)
    this.#open = []
    return this.#found.filter((file) => file !== undefined)
  }

  *#take(chunk: Uint8Array, kind: SpanKind): Steps {
    for (const image of this.#open) yield* this.#give(image, chunk)
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
        yield* this.#begin(
          concatenate([tail, chunk]).subarray(hit.start),
          start + hit.start,
          isCoded,
        )
    }
    for (const hit of findImages(search, chunk))
      yield* this.#begin(chunk.subarray(hit.start), this.#position + hit.start, isCoded)
    this.#tail = (chunk.length < TAIL_BYTES ? seam : chunk).slice(-TAIL_BYTES)
  }

  /** Begins to read an image from the bytes available. */
  *#begin(bytes: Uint8Array, position: number, isCoded: boolean): Steps {
    if (position === 0) return // the file itself
    const { limits } = this.#budget
    const format = sniffFormat(bytes)
    if (!format || (format === 'jpeg' && this.#isKnown(bytes))) return
    if (this.#budget.isTurnOver) yield
    const isRoom = this.#budget.openEmbedded < limits.embeddedAtOnce && !this.#budget.isOverMemory
    if (!this.#budget.take('embeddedStarts') || !isRoom) {
      this.isOverLimit = true
      return
    }
    const scan = new ImageScan(this.#context, format, this.#budget, true)
    const left = this.#lengthOf(format, bytes)
    const image = { scan, format, isCoded, index: this.#found.length, left }
    this.#found.push(undefined)
    this.#open.push(image)
    this.#budget.openEmbedded++
    yield* this.#give(image, bytes.slice()) // the scan may hold it, so it must not change
    yield* this.#closeFinished()
  }

  /**
   * Maximum length of an image: most formats mark their end, WebP states its length, others do
   * neither.
   */
  #lengthOf(format: ImageFormat, bytes: Uint8Array): number {
    if (format === 'webp') {
      return Math.min(8 + Buffer.from(bytes).readUInt32LE(4), this.#budget.limits.embeddedHeldBytes)
    }
    return format === 'avif' || format === 'heic' ? this.#budget.limits.embeddedHeldBytes : Infinity
  }

  *#give(image: OpenImage, bytes: Uint8Array): Steps {
    const chunk = bytes.subarray(0, Math.min(bytes.length, image.left))
    image.left -= chunk.length
    yield* image.scan.take(chunk)
  }

  *#closeFinished(): Steps {
    const isDone = ({ scan, left }: OpenImage) => scan.isOver || left <= 0
    for (const image of this.#open) if (isDone(image)) yield* this.#finish(image)
    this.#open = this.#open.filter((image) => !isDone(image))
  }

  *#finish({ scan, format, isCoded, index }: OpenImage): Steps {
    this.#budget.openEmbedded--
    const outcome = yield* scan.finish()
    const fileOf = (done: ImageOutcome): ScannedFile => {
      return { ...done, format, bytes: 0, within: this.#within }
    }
    if (typeof outcome !== 'function' && isNoImage(outcome, isCoded)) return
    if (!this.#budget.take('embeddedImages')) {
      this.isOverLimit = true
      return
    }
    this.#found[index] =
      typeof outcome === 'function' ? async () => fileOf(await outcome()) : fileOf(outcome)
  }
}

/**
 * A file that fails before its size is known only looked like an image. In coded data every failure
 * counts: pieces of it may be visible.
 */
function isNoImage(outcome: ImageOutcome, isCoded: boolean): boolean {
  if (outcome.coverage === 'scanned' || outcome.reason === 'over-limit') return false
  return isCoded || outcome.width === undefined
}
