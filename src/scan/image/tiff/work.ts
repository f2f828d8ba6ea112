import type { ImageCore } from '../../../core/image-core.ts'
import type { ScanBudget } from '../../budget.ts'
import { DECODER_MS, ROW_BYTE_MS } from '../../work.ts'
import { RowWork } from '../row-work.ts'
import type { Page } from './page.ts'

/** Samples of rows allowed for each byte of a file. */
const SAMPLES_A_BYTE = 100
/** JPEG segments of all pages: each takes an instance of the core, 0.3 ms. */
const JPEG_SEGMENTS = 4096
/** How often each byte of a file may be read: honest segments do not overlap. */
const READS = 4

/** Limits what all pages of a file may make the decoder do. */
export class TiffWork extends RowWork {
  #readBytes: number
  #jpegSegments = JPEG_SEGMENTS

  constructor(fileBytes: number, budget: ScanBudget) {
    super(fileBytes, SAMPLES_A_BYTE, budget)
    this.#readBytes = READS * fileBytes
  }

  /** Charges a JPEG segment with this many bytes of samples. */
  spendJpeg(bytes: number): void {
    this.budget.spend(DECODER_MS + bytes * ROW_BYTE_MS)
  }

  /** Takes JPEG segments. Returns whether that many were left. */
  takeJpeg(segments: number): boolean {
    this.#jpegSegments -= segments
    return this.#jpegSegments >= 0
  }

  /** The bytes of a segment, as far as they are in the file. Each read counts. */
  segmentOf(file: Uint8Array, page: Page, index: number): Uint8Array | 'missing' | 'over-limit' {
    const start = page.offsets[index]
    if (start === undefined || start >= file.length) return 'missing'
    // Old writers omit the count if there is only one segment.
    const count = page.byteCounts[index] ?? (page.offsets.length === 1 ? file.length : 0)
    const data = file.subarray(start, start + count)
    this.#readBytes -= data.length
    return this.#readBytes >= 0 ? data : 'over-limit'
  }
}

/** What is needed to decode pages. */
export interface TiffContext {
  core: ImageCore
  budget: ScanBudget
  work: TiffWork
  file: Uint8Array
}
