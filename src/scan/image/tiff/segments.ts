import type { ScanBudget } from '../../budget.ts'
import { FAX_BYTE_MS } from '../../work.ts'
import { decodeFax } from '../fax.ts'
import { inChunks, inflate, type Unpacked, unpackLzw, unpackRuns } from '../unpack.ts'
import type { Page } from './page.ts'

/** Unpacks a segment of at most `rows` rows. */
export function unpackSegment(
  page: Page,
  stored: Uint8Array,
  rows: number,
  budget: ScanBudget,
): Unpacked {
  const data = page.isReversed ? stored.map((byte) => REVERSED[byte] ?? 0) : stored
  if (page.compression === 'deflate') return inflate(data, budget)
  if (page.compression === 'lzw') return unpackLzw(data)
  if (page.compression === 'packbits') return unpackRuns(data)
  if (page.compression === 'fax') budget.spend(data.length * FAX_BYTE_MS)
  if (page.compression === 'fax')
    return decodeFax({ columns: page.segmentWidth, rows, ...page.fax }, data)
  return inChunks(data)
}

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit)
  return reversed
})
