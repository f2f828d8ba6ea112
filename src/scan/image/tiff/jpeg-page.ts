import { type Frame, ImageDecoder } from '../../../core/image.ts'
import type { Steps } from '../../../util/steps.ts'
import { decodeJpeg, type Luma } from './jpeg.ts'
import type { PageEnd } from '../pages.ts'
import { type Page, segmentsOfPage } from './page.ts'
import type { TiffContext } from './work.ts'

/**
 * Decodes a page whose segments are JPEG by assembling the luma of each, at most 512 samples a
 * side.
 */
export function* decodeJpegPage(
  context: TiffContext,
  page: Page,
  onFrame: (frame: Frame) => void,
): Steps<PageEnd> {
  const { width, segmentWidth, segmentHeight } = page
  const { across, down } = segmentsOfPage(page)
  const isWithin = context.work.takeJpeg(across * down)
  if (!isWithin || !context.work.takeRows(across * down * segmentWidth * segmentHeight * 3))
    return 'over-limit'
  const bands: Luma[] = []
  let missing = 0
  let isOdd = false
  for (let y = 0; y < down; y++) {
    const tiles: Luma[] = []
    for (let x = 0; x < across; x++) {
      const data = context.work.segmentOf(context.file, page, y * across + x)
      if (data === 'over-limit') return 'over-limit'
      context.work.spendJpeg(segmentWidth * segmentHeight * 3)
      if (context.budget.isTurnOver) yield
      const luma = data === 'missing' ? undefined : decodeJpeg(context.core, page, data)
      isOdd ||= luma?.isOddSize === true
      if (luma)
        tiles.push(
          cutTile(luma, (width - x * segmentWidth) / segmentWidth, rowShare(page, y, luma)),
        )
    }
    missing += across - tiles.length
    if (tiles.length === across) bands.push(beside(tiles))
  }
  const [first] = bands
  if (!first || missing * 2 > across * down) return 'damaged'
  if (bands.some(({ columns }) => columns !== first.columns)) return 'damaged'
  const rows = bands.reduce((sum, band) => sum + band.rows, 0)
  const size = { width: first.columns, height: rows, channels: 1 } as const
  const decoder = ImageDecoder.forPixels(context.core, size)
  for (const [i, { data }] of bands.entries())
    decoder.push(
      page.colours === 'white-is-zero' ? data.map((luma) => 255 - luma) : data,
      i === bands.length - 1,
      onFrame,
    )
  const { failure } = decoder
  decoder.release()
  return failure ?? { isPartial: missing > 0 || isOdd }
}

/** The shown part of a segment's rows: the last tiles are padded, strips are not. */
function rowShare({ height, segmentHeight, isTiled }: Page, y: number, { rows }: Luma): number {
  return isTiled || rows === segmentHeight ? (height - y * segmentHeight) / segmentHeight : 1
}

function cutTile({ columns, rows, data }: Luma, columnShare: number, share: number): Luma {
  const shown = Math.max(1, Math.round(columns * Math.min(1, columnShare)))
  const kept = Math.max(1, Math.round(rows * Math.min(1, share)))
  const tile = { columns, rows: kept, data: data.subarray(0, kept * columns) }
  if (shown === columns) return tile
  const narrow = new Uint8Array(shown * kept)
  for (let y = 0; y < kept; y++)
    narrow.set(data.subarray(y * columns, y * columns + shown), y * shown)
  return { columns: shown, rows: kept, data: narrow }
}

function beside(tiles: readonly Luma[]): Luma {
  const columns = tiles.reduce((sum, tile) => sum + tile.columns, 0)
  const rows = Math.min(...tiles.map((tile) => tile.rows))
  const data = new Uint8Array(columns * rows)
  let start = 0
  for (const tile of tiles) {
    for (let y = 0; y < rows; y++)
      data.set(tile.data.subarray(y * tile.columns, (y + 1) * tile.columns), y * columns + start)
    start += tile.columns
  }
  return { columns, rows, data }
}
