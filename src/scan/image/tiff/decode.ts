import { type Frame, ImageDecoder, type Tones } from '../../../core/image.ts'
import type { Steps } from '../../../util/steps.ts'
import type { PageEnd } from '../pages.ts'
import { channelsOf, toPixels } from './colours.ts'
import { decodeJpegPage } from './jpeg-page.ts'
import { MAX_SEGMENTS, type Page, segmentsOfPage } from './page.ts'
import { type RowForm, rowBytesOf, rowsFrom } from './rows.ts'
import { unpackSegment } from './segments.ts'
import { TONED_PIXEL_MS } from '../../work.ts'
import type { TiffContext } from './work.ts'

/**
 * Maximum bytes of a row of tiles, or of strips that hold one sample each: it is kept until it is
 * complete.
 */
const MAX_BAND_BYTES = 8 * 1024 * 1024

/** Decodes a page row by row. Calls `onFrame` when it is in the core's planes. */
export function* decodePage(
  context: TiffContext,
  { page, tones }: TonedPage,
  onFrame: (frame: Frame) => void,
): Steps<PageEnd> {
  if (page.compression === 'jpeg') {
    const end = yield* decodeJpegPage(context, page, onFrame)
    // JPEG segments only give luma. Tones of colours cannot be applied, so the page is partial.
    const isToned = tones !== undefined && page.samples > 1
    return typeof end === 'string' ? end : { isPartial: end.isPartial || isToned }
  }
  const decoder = new PageDecoder(context, page, onFrame)
  if (tones) decoder.setTones(tones)
  try {
    return yield* decoder.run()
  } finally {
    decoder.release()
  }
}

/** A page, and what programs show for its values, if that is not what it stores. */
export interface TonedPage {
  page: Page
  tones: Tones | undefined
}

class PageDecoder {
  readonly #context: TiffContext
  readonly #page: Page
  readonly #onFrame: (frame: Frame) => void
  readonly #decoder: ImageDecoder
  readonly #pixels: Uint8Array
  readonly #form: RowForm
  #rowsLeft: number
  #missing = 0
  #isOverLimit = false
  #isDamaged = false

  constructor(context: TiffContext, page: Page, onFrame: (frame: Frame) => void) {
    const { width, height, bits, isDifferenced, isLittle } = page
    this.#context = context
    this.#page = page
    this.#onFrame = onFrame
    const channels = channelsOf(page)
    this.#decoder = ImageDecoder.forPixels(context.core, { width, height, channels })
    this.#pixels = new Uint8Array(width * channels)
    this.#rowsLeft = height
    this.#form = {
      width: page.segmentWidth,
      samples: page.isPlanar ? 1 : page.samples,
      bits,
      isDifferenced,
      isLittle,
      isIndexed: page.colours === 'palette',
    }
  }

  /** What programs show has a plane of its own. */
  setTones(tones: Tones): void {
    const { width, height } = this.#page
    if (channelsOf(this.#page) === 1) return
    this.#decoder.setTones(tones)
    this.#context.budget.spend(width * height * TONED_PIXEL_MS)
  }

  /** Frees its memory. */
  release(): void {
    this.#decoder.release()
  }

  *run(): Steps<PageEnd> {
    const { width, height, segmentHeight, samples, isPlanar, isTiled } = this.#page
    const { across, down, planes } = segmentsOfPage(this.#page)
    const rowBytes = Math.max(rowBytesOf(this.#form), this.#form.width * this.#form.samples)
    const segments = across * down * planes
    if (
      segments > MAX_SEGMENTS ||
      !this.#context.work.takeRows(rowBytes * segmentHeight * segments)
    )
      return 'over-limit'
    const isBanded = isTiled || isPlanar
    if (isBanded && width * samples * segmentHeight > MAX_BAND_BYTES) return 'over-memory-budget'
    for (let y = 0; y < down && !this.#isOverLimit; y++) {
      const rows = Math.min(segmentHeight, height - y * segmentHeight)
      if (isBanded) yield* this.#addBand(y, across, down, planes, rows)
      else yield* this.#addStrip(y, rows)
      if (this.#decoder.failure) return this.#decoder.failure
    }
    if (this.#isOverLimit) return 'over-limit'
    // As in any format, at least half of the rows must be present.
    if (this.#missing * 2 > height) return 'damaged'
    return { isPartial: this.#missing > 0 || this.#page.isDisputed || this.#isDamaged }
  }

  *#addStrip(index: number, rows: number): Steps {
    const done = yield* this.#unpack(index, rows, (row) => this.#addRow(row))
    this.#missing += rows - done
    const blank = new Uint8Array(this.#page.width * this.#page.samples)
    for (let y = done; y < rows; y++) this.#addRow(blank)
  }

  *#addBand(y: number, across: number, down: number, planes: number, rows: number): Steps {
    const { width, samples, segmentWidth } = this.#page
    const band = new Uint8Array(width * samples * rows)
    let done = 0
    for (let plane = 0; plane < planes; plane++) {
      for (let x = 0; x < across; x++) {
        const start = x * segmentWidth
        const pixels = Math.min(segmentWidth, width - start)
        const index = (plane * down + y) * across + x
        done += yield* this.#unpack(index, rows, (row, at) => {
          const to = (at * width + start) * samples
          if (planes === 1) band.set(row.subarray(0, pixels * samples), to)
          else for (let i = 0; i < pixels; i++) band[to + i * samples + plane] = row[i] ?? 0
        })
      }
    }
    this.#missing += rows - done / (across * planes)
    for (let at = 0; at < rows; at++)
      this.#addRow(band.subarray(at * width * samples, (at + 1) * width * samples))
  }

  /** Returns how many rows of a segment arrived. */
  *#unpack(
    index: number,
    rows: number,
    onRow: (row: Uint8Array, y: number) => void,
  ): Steps<number> {
    const { budget, work, file } = this.#context
    const data = work.segmentOf(file, this.#page, index)
    if (data === 'over-limit') this.#isOverLimit = true
    if (typeof data === 'string') return 0
    // libtiff may reject all of a segment that the file ends in.
    if (data.length < (this.#page.byteCounts[index] ?? 0)) this.#isDamaged = true
    // Tiles may extend below the page. Those rows are decoded too, to detect damage in them.
    const stored = this.#page.isTiled ? this.#page.segmentHeight : rows
    let done = 0
    const sink = rowsFrom(this.#form, stored, (row, y) => {
      done = y + 1
      work.spendRow(row.length)
      if (y < rows) onRow(row, y)
    })
    const chunks = unpackSegment(this.#page, data, stored, budget)
    for (;;) {
      const next = chunks.next()
      if (next.done && next.value === 'over-limit') this.#isOverLimit = true
      // libtiff rejects a damaged segment even if all of its rows are present.
      const end = next.done || sink(next.value) ? next : chunks.next()
      if (end.done && (end.value === 'damaged' || done < stored)) this.#isDamaged = true
      if (end !== next || end.done) return Math.min(done, rows)
      if (budget.isTurnOver) yield
    }
  }

  #addRow(row: Uint8Array): void {
    toPixels(this.#page, row, this.#pixels)
    const isLast = --this.#rowsLeft === 0
    this.#decoder.push(this.#pixels, isLast, (frame) => {
      if (this.#missing * 2 <= this.#page.height) this.#onFrame(frame)
    })
  }
}
