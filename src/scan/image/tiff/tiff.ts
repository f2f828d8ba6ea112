import type { ImageCore } from '../../../core/image-core.ts'
import type { ScanBudget } from '../../budget.ts'
import type { PageDecode, Pages } from '../pages.ts'
import { decodePage } from './decode.ts'
import { readDirectories } from './directory.ts'
import { readPage } from './page.ts'
import { TiffWork } from './work.ts'

/** Maximum pages decoded. */
export const MAX_PAGES = 16

/** Reads the pages of a TIFF file (TIFF 6.0, or BigTIFF). */
export function readTiff(core: ImageCore, budget: ScanBudget, file: Uint8Array): Pages {
  const { directories, isPartial } = readDirectories(file, MAX_PAGES)
  const context = { core, budget, work: new TiffWork(file.length, budget), file }
  const pages = directories.map((directory) => {
    const page = readPage(directory)
    if (typeof page === 'string') return page
    const decode: PageDecode = (onFrame, curve) => decodePage(context, { page, curve }, onFrame)
    return { page, decode }
  })
  return { pages, isPartial }
}
