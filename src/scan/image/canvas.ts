import type { ImageCore } from '../../core/image-core.ts'
import { isOtherScene, SCENE_POINTS } from '../../core/scenes.ts'
import type { Pixels } from './library.ts'
import type { Area, Placed } from './library-plan.ts'

/** Maximum pixels of a canvas that is kept in full size. */
const MAX_PIXELS = 1_000_000
/**
 * Pixels of a reduced canvas: frames of the same size are in memory at the same time. A hash needs
 * no more.
 */
const MAX_REDUCED_PIXELS = 260_000

/**
 * The canvas of an animation, in RGBA, not premultiplied. A large canvas and its frames are
 * reduced.
 */
export class Canvas {
  /** Size that it was made with: frames that are drawn on the same canvas share it. */
  readonly size: Placed['canvas']
  readonly #pixels: Pixels
  /** Pixels of the full canvas, a side, that one pixel stands for. */
  readonly #step: number
  #toClear: Area | undefined

  constructor(size: Placed['canvas']) {
    this.size = size
    const pixels = size.width * size.height
    this.#step = pixels > MAX_PIXELS ? Math.ceil(Math.sqrt(pixels / MAX_REDUCED_PIXELS)) : 1
    const width = Math.ceil(size.width / this.#step)
    const height = Math.ceil(size.height / this.#step)
    this.#pixels = { width, height, data: new Uint8Array(width * height * 4) }
  }

  /** Draws a frame (RFC 9649, 2.7.1.2). Returns the canvas, which is valid until the next one. */
  draw(whole: Pixels, placed: Placed): Pixels {
    const { frame, area } = this.#reduce(whole, placed.area)
    if (this.#toClear) this.#clear(this.#toClear)
    this.#toClear = placed.isCleared ? area : undefined
    const { data, width, height } = this.#pixels
    const columns = Math.min(frame.width, width - area.x)
    const rows = Math.min(frame.height, height - area.y)
    for (let y = 0; y < rows; y++) {
      const from = y * frame.width * 4
      const to = ((area.y + y) * width + area.x) * 4
      if (columns <= 0) break
      if (placed.blends) blendRow(data, to, frame.data, from, columns)
      else data.set(frame.data.subarray(from, from + columns * 4), to)
    }
    return this.#pixels
  }

  /** A frame and its area, in the canvas's own pixels. */
  #reduce(frame: Pixels, area: Area): { frame: Pixels; area: Area } {
    const step = this.#step
    if (step === 1) return { frame, area }
    const [x, y] = [Math.round(area.x / step), Math.round(area.y / step)]
    const width = Math.max(1, Math.round((area.x + frame.width) / step) - x)
    const height = Math.max(1, Math.round((area.y + frame.height) / step) - y)
    return { frame: reduced(frame, width, height), area: { x, y, width, height } }
  }

  #clear({ x, y, width, height }: Area): void {
    const canvas = this.#pixels
    for (let row = y; row < Math.min(y + height, canvas.height); row++) {
      const start = (row * canvas.width + x) * 4
      canvas.data.fill(0, start, start + Math.max(0, Math.min(width, canvas.width - x)) * 4)
    }
  }
}

/** A picture resized, each pixel the mean of those that it stands for. */
function reduced(picture: Pixels, width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4)
  for (let y = 0; y < height; y++) {
    const [top, bottom] = averagedBy(y, height, picture.height)
    for (let x = 0; x < width; x++) {
      const [left, right] = averagedBy(x, width, picture.width)
      data.set(
        meanOf(picture, { x: left, y: top, width: right - left, height: bottom - top }),
        (y * width + x) * 4,
      )
    }
  }
  return { width, height, data }
}

/** Range of the pixels along a side that one of `count` averages. */
export function averagedBy(i: number, count: number, side: number): [number, number] {
  const from = Math.floor((i * side) / count)
  return [from, Math.max(from + 1, Math.floor(((i + 1) * side) / count))]
}

/** Mean colour, weighted by alpha, and mean alpha. */
function meanOf({ width, data }: Pixels, area: Area): [number, number, number, number] {
  let [red, green, blue, alpha] = [0, 0, 0, 0]
  for (let y = area.y; y < area.y + area.height; y++) {
    for (let at = (y * width + area.x) * 4, end = at + area.width * 4; at < end; at += 4) {
      const share = data[at + 3] ?? 0
      red += (data[at] ?? 0) * share
      green += (data[at + 1] ?? 0) * share
      blue += (data[at + 2] ?? 0) * share
      alpha += share
    }
  }
  const all = alpha || 1
  return [red / all, green / all, blue / all, alpha / (area.width * area.height)]
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

/** Pixels examined per part, a side. */
const PER_POINT = 4

/** Decides whether a picture shows something new compared with the one before, by luma or alpha. */
export class SceneGate {
  readonly #core: ImageCore
  #last: Float32Array[] | undefined

  constructor(core: ImageCore) {
    this.#core = core
  }

  isNew(pixels: Pixels): boolean {
    const means = tonePoints(pixels)
    const isNew = means.some((own, i) => {
      const before = this.#last?.[i]
      return !before || isOtherScene(this.#core, own, before)
    })
    if (isNew) this.#last = means
    return isNew
  }
}

/** Mean luma and mean alpha of each part. */
function tonePoints({ width, height, data }: Pixels): Float32Array[] {
  const side = SCENE_POINTS * PER_POINT
  const lumas = new Float32Array(SCENE_POINTS ** 2)
  const alphas = new Float32Array(SCENE_POINTS ** 2)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = (Math.floor((y * height) / side) * width + Math.floor((x * width) / side)) * 4
      const point = Math.floor(y / PER_POINT) * SCENE_POINTS + Math.floor(x / PER_POINT)
      const luma =
        0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
      lumas[point] = (lumas[point] ?? 0) + luma / PER_POINT ** 2
      alphas[point] = (alphas[point] ?? 0) + (data[at + 3] ?? 0) / PER_POINT ** 2
    }
  }
  return [lumas, alphas]
}
