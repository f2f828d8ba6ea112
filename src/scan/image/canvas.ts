import type { Pixels } from './library.ts'
import type { Area, Placed } from './library-plan.ts'

/** The canvas of an animation, in RGBA, not premultiplied. */
export class Canvas {
  readonly #pixels: Pixels
  #toClear: Area | undefined

  constructor({ width, height }: Placed['canvas']) {
    this.#pixels = { width, height, data: new Uint8Array(width * height * 4) }
  }

  /** Draws a frame (RFC 9649, 2.7.1.2). Returns the canvas, which is valid until the next one. */
  draw(frame: Pixels, { area, blends, isCleared }: Placed): Pixels {
    if (this.#toClear) this.#clear(this.#toClear)
    this.#toClear = isCleared ? area : undefined
    const { data, width, height } = this.#pixels
    const columns = Math.min(frame.width, width - area.x)
    const rows = Math.min(frame.height, height - area.y)
    for (let y = 0; y < rows; y++) {
      const from = y * frame.width * 4
      const to = ((area.y + y) * width + area.x) * 4
      if (columns <= 0) break
      if (blends) blendRow(data, to, frame.data, from, columns)
      else data.set(frame.data.subarray(from, from + columns * 4), to)
    }
    return this.#pixels
  }

  #clear({ x, y, width, height }: Area): void {
    const canvas = this.#pixels
    for (let row = y; row < Math.min(y + height, canvas.height); row++) {
      const start = (row * canvas.width + x) * 4
      canvas.data.fill(0, start, start + Math.max(0, Math.min(width, canvas.width - x)) * 4)
    }
  }
}

function blendRow(to: Uint8Array, at: number, from: Uint8Array, start: number, count: number) {
  for (let i = 0; i < count * 4; i += 4) {
    const alpha = from[start + i + 3] ?? 0
    if (alpha === 0) continue
    const under = ((to[at + i + 3] ?? 0) * (255 - alpha)) / 255
    const total = alpha + under
    for (let c = 0; c < 3; c++) {
      const mixed = (from[start + i + c] ?? 0) * alpha + (to[at + i + c] ?? 0) * under
      to[at + i + c] = Math.round(mixed / total)
    }
    to[at + i + 3] = Math.round(total)
  }
}

/** The part of a picture that is displayed. */
export function crop({ width, height, data }: Pixels, area: Area): Pixels {
  const columns = Math.min(area.width, width - area.x)
  const rows = Math.min(area.height, height - area.y)
  const cropped = new Uint8Array(columns * rows * 4)
  for (let y = 0; y < rows; y++) {
    const from = ((area.y + y) * width + area.x) * 4
    cropped.set(data.subarray(from, from + columns * 4), y * columns * 4)
  }
  return { width: columns, height: rows, data: cropped }
}

/** Parts a side whose means tell whether a picture is new, and by how much they must differ on average. */
const POINTS = 32
const MIN_DIFFERENCE = 2
/** Pixels that are looked at in a part, a side. */
const PER_POINT = 4

/** Tells whether a picture shows something that the one before did not. */
export class SceneGate {
  #last: Float32Array | undefined

  isNew(pixels: Pixels): boolean {
    const points = pointsOf(pixels)
    const last = this.#last
    const difference =
      last && points.reduce((total, point, i) => total + Math.abs(point - (last[i] ?? 0)), 0)
    if (difference !== undefined && difference < MIN_DIFFERENCE * POINTS * POINTS) return false
    this.#last = points
    return true
  }
}

/** Means of luma, and of alpha, by parts. */
function pointsOf({ width, height, data }: Pixels): Float32Array {
  const side = POINTS * PER_POINT
  const points = new Float32Array(2 * POINTS * POINTS)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = (Math.floor((y * height) / side) * width + Math.floor((x * width) / side)) * 4
      const point = Math.floor(y / PER_POINT) * POINTS + Math.floor(x / PER_POINT)
      const luma =
        0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
      points[point] = (points[point] ?? 0) + luma / PER_POINT ** 2
      const alpha = POINTS * POINTS + point
      points[alpha] = (points[alpha] ?? 0) + (data[at + 3] ?? 0) / PER_POINT ** 2
    }
  }
  return points
}
