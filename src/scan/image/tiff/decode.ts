import { type Frame, ImageDecoder } from '../../../core/image.ts'
import { channelsOf, toPixels } from './colours.ts'
import { decodeJpegPage } from './jpeg-page.ts'
import { MAX_SEGMENTS, type Page } from './page.ts'
import { type RowForm, rowBytesOf, rowsFrom } from './rows.ts'
import { unpack } from './unpack.ts'
import type { PageEnd, TiffContext } from './work.ts'

/** Bytes of a row of tiles, or of strips that hold one sample each: it waits until it is whole. */
const MAX_BAND_BYTES = 8 * 1024 * 1024

/** Decodes a page by rows. Calls `onFrame` when it is in the planes of the core. */
export function decodePage(
  context: TiffContext,
  page: Page,
  onFrame: (frame: Frame) => void,
): PageEnd {
  if (page.compression === 'jpeg') return decodeJpegPage(context, page, onFrame)
  const decoder = new PageDecoder(context, page, onFrame)
  try {
    return decoder.run()
  } finally {
    decoder.release()
  }
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

  /** Gives its memory back. */
  release(): void {
    this.#decoder.release()
  }

  run(): PageEnd {
    const { width, height, segmentWidth, segmentHeight, samples, isPlanar, isTiled } = this.#page
    const across = Math.ceil(width / segmentWidth)
    const down = Math.ceil(height / segmentHeight)
    const planes = isPlanar ? samples : 1
    const rowBytes = rowBytesOf(this.#form)
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
      if (isBanded) this.#addBand(y, across, down, planes, rows)
      else this.#addStrip(y, rows)
      if (this.#decoder.failure) return this.#decoder.failure
    }
    if (this.#isOverLimit) return 'over-limit'
    // What is missing of an image counts as of any format: half of its rows must be there.
    return this.#missing * 2 > height ? 'damaged' : { isPartial: this.#missing > 0 }
  }

  #addStrip(index: number, rows: number): void {
    const done = this.#unpack(index, rows, (row) => this.#addRow(row))
    this.#missing += rows - done
    const blank = new Uint8Array(this.#page.width * this.#page.samples)
    for (let y = done; y < rows; y++) this.#addRow(blank)
  }

  #addBand(y: number, across: number, down: number, planes: number, rows: number): void {
    const { width, samples, segmentWidth } = this.#page
    const band = new Uint8Array(width * samples * rows)
    let done = 0
    for (let plane = 0; plane < planes; plane++) {
      for (let x = 0; x < across; x++) {
        const start = x * segmentWidth
        const pixels = Math.min(segmentWidth, width - start)
        const index = (plane * down + y) * across + x
        done += this.#unpack(index, rows, (row, at) => {
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

  /** Returns how many rows of a segment came. */
  #unpack(index: number, rows: number, onRow: (row: Uint8Array, y: number) => void): number {
    const { compression } = this.#page
    const { budget, work, file } = this.#context
    const data = work.segmentOf(file, this.#page, index)
    if (data === 'over-limit') this.#isOverLimit = true
    if (typeof data === 'string' || compression === 'jpeg') return 0
    let done = 0
    const sink = rowsFrom(this.#form, rows, (row, y) => {
      done = y + 1
      onRow(row, y)
    })
    if (unpack(compression, data, budget, sink) === 'over-limit') this.#isOverLimit = true
    return done
  }

  #addRow(row: Uint8Array): void {
    toPixels(this.#page, row, this.#pixels)
    const isLast = --this.#rowsLeft === 0
    this.#decoder.push(this.#pixels, isLast, (frame) => {
      if (this.#missing * 2 <= this.#page.height) this.#onFrame(frame)
    })
  }
}
