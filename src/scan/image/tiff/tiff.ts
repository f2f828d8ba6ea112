import type { ImageCore } from '../../../core/image-core.ts'
import type { ScanBudget } from '../../budget.ts'
import type { PageDecode, Pages } from '../pages.ts'
import { decodePage } from './decode.ts'
import { type Directory, readDirectories } from './directory.ts'
import { MAX_SEGMENTS, type Page, readPage } from './page.ts'
import { TiffWork } from './work.ts'

/** Reads the pages of a TIFF file (TIFF 6.0, or BigTIFF). */
export function readTiff(core: ImageCore, budget: ScanBudget, file: Uint8Array): Pages {
  const { directories, isPartial } = readDirectories(file)
  const context = { core, budget, work: new TiffWork(file.length, budget), file }
  const pages = directories.flatMap<Pages['pages'][number]>((directory) => {
    const page = readPage(directory)
    if (typeof page === 'string') return page
    return pageReadings(page).map((reading) => {
      const decode: PageDecode = (onFrame, tones) =>
        decodePage(context, { page: reading, tones }, onFrame)
      return { page: reading, decode }
    })
  })
  return { pages, isPartial }
}

/** What programs make of a page. libvips takes YCbCr for RGB, unless it is in JPEG. */
function pageReadings(page: Page): Page[] {
  const isDisputed = page.colours === 'ycc' && page.compression !== 'jpeg'
  return isDisputed ? [page, { ...page, colours: 'rgb' }] : [page]
}

/**
 * Bytes of a file needed to find its end. If it has that many, they contain all of its pages.
 * `Infinity` if the file does not say.
 */
export function tiffLength(file: Uint8Array): number {
  const { directories, end } = readDirectories(file)
  return Math.max(end, ...directories.map(segmentsEnd))
}

/** Tags of the offsets and byte counts of segments: strips, tiles, and JPEG as in TIFF 6.0. */
const SEGMENTS = [
  [273, 279],
  [324, 325],
  [513, 514],
] as const

function segmentsEnd(directory: Directory): number {
  let end = 0
  for (const [starts, counts] of SEGMENTS) {
    const bytes = directory.numbers(counts, MAX_SEGMENTS)
    for (const [i, start] of directory.numbers(starts, MAX_SEGMENTS).entries())
      end = Math.max(end, start + (bytes[i] ?? Infinity))
  }
  return end
}
