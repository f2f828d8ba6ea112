import { mkdir } from 'node:fs/promises'
import { join, parse } from 'node:path'
import sharp from 'sharp'

/** Usual minimum side of a piece, in pixels: four for each of the 64 points that PDQ samples. */
export const LEAST_SIDE = 256
/** Most pieces in a row or column, so that no large picture outweighs the others. */
const MOST_PIECES = 10

/** A part of a picture, in pixels. */
export interface Piece {
  left: number
  top: number
  width: number
  height: number
}

/** A grid over a picture, by rows, without gaps and overlaps. Small pictures are one piece. */
export function piecesOf(width: number, height: number, leastSide = LEAST_SIDE): Piece[] {
  return spans(height, leastSide).flatMap(([top, bottom]) =>
    spans(width, leastSide).map(([left, right]) => ({
      left,
      top,
      width: right - left,
      height: bottom - top,
    })),
  )
}

function spans(length: number, leastSide: number): [from: number, to: number][] {
  const count = Math.min(MOST_PIECES, Math.max(1, Math.floor(length / leastSide)))
  const edge = (i: number) => Math.floor((i * length) / count)
  return Array.from({ length: count }, (_, i) => [edge(i), edge(i + 1)])
}

/**
 * Cuts a picture into JPEG files, named after it and numbered by row. None if it is too small to be
 * cut.
 */
export async function cut(path: string, folder: string, leastSide = LEAST_SIDE): Promise<string[]> {
  const { data, info } = await sharp(path)
    .autoOrient()
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const pieces = piecesOf(info.width, info.height, leastSide)
  if (pieces.length === 1) return []
  await mkdir(folder, { recursive: true })
  const { width, height, channels } = info
  return Promise.all(
    pieces.map(async (piece, i) => {
      const target = join(folder, `${parse(path).name}-${String(i).padStart(2, '0')}.jpg`)
      const raw = sharp(data, { raw: { width, height, channels } })
      await raw.extract(piece).jpeg({ quality: 90 }).toFile(target)
      return target
    }),
  )
}
