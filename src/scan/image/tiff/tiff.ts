import type { ImageCore } from '../../../core/image-core.ts'
import type { Frame } from '../../../core/image.ts'
import type { ScanBudget } from '../../budget.ts'
import type { UnscannableReason } from '../../scanned.ts'
import type { Steps } from '../../../util/steps.ts'
import { decodePage } from './decode.ts'
import { readDirectories } from './directory.ts'
import { type Page, readPage } from './page.ts'
import { type PageEnd, TiffWork } from './work.ts'

/** Pages that are decoded. */
export const MAX_PAGES = 16

/** The pages of a file, each to be decoded when it is asked for. */
export interface TiffPages {
  pages: (
    | UnscannableReason
    | { page: Page; decode: (onFrame: (frame: Frame) => void) => Steps<PageEnd> }
  )[]
  /** Whether there are more than are decoded. */
  isPartial: boolean
}

/** Reads what a TIFF file (TIFF 6.0, or BigTIFF) says of its pages. */
export function readTiff(core: ImageCore, budget: ScanBudget, file: Uint8Array): TiffPages {
  const { directories, isPartial } = readDirectories(file, MAX_PAGES)
  const context = { core, budget, work: new TiffWork(file.length, budget), file }
  const pages = directories.map((directory) => {
    const page = readPage(directory)
    if (typeof page === 'string') return page
    return { page, decode: (onFrame: (frame: Frame) => void) => decodePage(context, page, onFrame) }
  })
  return { pages, isPartial }
}
