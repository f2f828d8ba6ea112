import type { ScanBudget } from '../../budget.ts'
import { FAX_BYTE_MS } from '../../work.ts'
import { decodeFax } from '../fax.ts'
import { inflate, type Unpacked, unpackLzw, unpackRuns } from '../unpack.ts'
import type { Page } from './page.ts'

/** Bytes that are given at once of what is not compressed. */
const CHUNK_BYTES = 64 * 1024

export function unpackSegment(page: Page, stored: Uint8Array, budget: ScanBudget): Unpacked {
  const data = page.isReversed ? stored.map((byte) => REVERSED[byte] ?? 0) : stored
  if (page.compression === 'deflate') return inflate(data, budget)
  if (page.compression === 'lzw') return unpackLzw(data)
  if (page.compression === 'packbits') return unpackRuns(data)
  if (page.compression === 'fax') budget.spend(data.length * FAX_BYTE_MS)
  if (page.compression === 'fax')
    return decodeFax({ columns: page.segmentWidth, ...page.fax }, data)
  return cut(data)
}

function* cut(data: Uint8Array): Unpacked {
  for (let at = 0; at < data.length; at += CHUNK_BYTES) yield data.subarray(at, at + CHUNK_BYTES)
  return 'ended'
}

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit)
  return reversed
})
