import { areaOf, inverse, isEmpty, type PageArea, type Matrix, overlap, UNIT } from './matrix.ts'

/** Maximum samples along a side that a pixel is the mean of. It covers more only if it is tiny. */
const MAX_SAMPLES = 32
/** Samples that take as long as a pixel. */
const SAMPLES_A_PIXEL = 8

/** Pictures put together as a page shows them, over white. */
export class Montage {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
  /** From the page to pixels, from the top left. */
  readonly #scale: (area: PageArea) => PageArea
  readonly #matrix: Matrix

  constructor(area: PageArea, width: number, height: number) {
    const [across, down] = [width / (area.x1 - area.x0), height / (area.y1 - area.y0)]
    this.width = width
    this.height = height
    this.data = new Uint8Array(width * height).fill(255)
    this.#matrix = [across, 0, 0, -down, -area.x0 * across, area.y1 * down]
    this.#scale = (part) => areaOf(this.#matrix, part)
  }

  get matrix(): Matrix {
    return this.#matrix
  }

  /**
   * Draws a picture. `matrix`: where the unit square that it fills lies in pixels. `shown`: the part
   * of the page that it is shown in. Returns how many pixels that was worth.
   */
  draw(picture: Painted, matrix: Matrix, shown: PageArea): number {
    const back = inverse(matrix)
    const frame = { x0: 0, y0: 0, x1: this.width, y1: this.height }
    const area = overlap(overlap(areaOf(matrix, UNIT), this.#scale(shown)), frame)
    if (!back || isEmpty(area)) return 0
    const [a, b, c, d, e, f] = back
    const reach = [(Math.abs(a) + Math.abs(c)) / 2, (Math.abs(b) + Math.abs(d)) / 2] as const
    // A pixel counts if its centre is within.
    const [left, right] = [Math.ceil(area.x0 - 0.5), Math.ceil(area.x1 - 0.5)]
    const [top, bottom] = [Math.ceil(area.y0 - 0.5), Math.ceil(area.y1 - 0.5)]
    let drawn = 0
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const [u, v] = [a * (x + 0.5) + c * (y + 0.5) + e, b * (x + 0.5) + d * (y + 0.5) + f]
        if (u < 0 || u >= 1 || v < 0 || v >= 1) continue
        drawn++
        const at = y * this.width + x
        const luma = picture.luma ? meanAround(picture.luma, u, 1 - v, reach) : picture.paint
        const share = picture.alpha ? meanAround(picture.alpha, u, 1 - v, reach) / 255 : 1
        this.data[at] = Math.round((this.data[at] ?? 0) * (1 - share) + luma * share)
      }
    }
    const samples = samplesOf(picture.luma, reach) + samplesOf(picture.alpha, reach)
    const looked = Math.max(0, right - left) * Math.max(0, bottom - top)
    return looked + (drawn * samples) / SAMPLES_A_PIXEL
  }
}

/** Samples of a picture: its luma, and perhaps its alpha in samples of their own. */
export interface Samples {
  columns: number
  rows: number
  data: Uint8Array
}

export interface Painted {
  luma: Samples | undefined
  /** Luma of all of it, if it has none of its own. */
  paint: number
  alpha: Samples | undefined
}

/** Mean of the samples that a pixel covers, around a place from 0 to 1. */
function meanAround(
  { columns, rows, data }: Samples,
  u: number,
  v: number,
  [reachU, reachV]: readonly [number, number],
): number {
  const [left, right] = samplesAround(u, reachU, columns)
  const [top, bottom] = samplesAround(v, reachV, rows)
  if (right - left === 1 && bottom - top === 1) return data[top * columns + left] ?? 0
  const [across, down] = [stepOf(right - left), stepOf(bottom - top)]
  let [sum, count] = [0, 0]
  for (let y = top; y < bottom; y += down) {
    for (let x = left; x < right; x += across) {
      sum += data[y * columns + x] ?? 0
      count++
    }
  }
  return sum / count
}

function stepOf(samples: number): number {
  return Math.ceil(samples / MAX_SAMPLES)
}

/** At most how many samples a pixel is the mean of. */
function samplesOf(samples: Samples | undefined, [u, v]: readonly [number, number]): number {
  const along = (reach: number, count: number) =>
    Math.min(MAX_SAMPLES, Math.min(1, 2 * reach) * count + 1)
  return samples ? along(u, samples.columns) * along(v, samples.rows) : 0
}

/** Range of samples along a side. At least the one at the place. */
function samplesAround(at: number, reach: number, count: number): [number, number] {
  const own = Math.min(count - 1, Math.max(0, Math.floor(at * count)))
  if (reach * count <= 0.5) return [own, own + 1]
  const start = Math.max(0, Math.round((at - reach) * count))
  const end = Math.min(count, Math.round((at + reach) * count))
  return end > start ? [start, end] : [own, own + 1]
}
