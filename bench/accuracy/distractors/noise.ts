import { scene } from '../../../test/support/scene.ts'
import type { Pixels } from '../pixels.ts'
import { between, choose, type Random } from '../seeded.ts'
import type { Draw, Size } from './draw.ts'

function pixelsOf(
  { width, height }: Size,
  at: (x: number, y: number) => readonly [number, number, number],
): Pixels {
  const data = new Uint8ClampedArray(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    data.set(at(i % width, Math.floor(i / width)), i * 3)
  }
  return { data: new Uint8Array(data.buffer), width, height }
}

function anyColour(random: Random): [number, number, number] {
  return [random() * 256, random() * 256, random() * 256]
}

/** One colour with sensor noise: a covered lens, a dark frame of a film. */
const blank: Draw = (size, random) => {
  const [red, green, blue] = choose(random, [anyColour(random), [4, 4, 4], [250, 250, 250]])
  const strength = between(random, 0, 6)
  return pixelsOf(size, () => {
    const value = (random() - 0.5) * strength
    return [red + value, green + value, blue + value]
  })
}

/** Noise in single pixels, or in blocks of pixels. */
const noise: Draw = (size, random) => {
  const block = choose(random, [1, 2, 4, 16, 32])
  const columns = Math.ceil(size.width / block)
  const values = Array.from({ length: columns * Math.ceil(size.height / block) }, random)
  return pixelsOf(size, (x, y) => {
    const value = 255 * (values[Math.floor(y / block) * columns + Math.floor(x / block)] ?? 0)
    return [value, value, value]
  })
}

/** Clouds: noise of several sizes, interpolated (value noise). */
const clouds: Draw = (size, random) => {
  const octaves = [3, 6, 12, 24, 48].map((cells) => ({
    cells,
    values: Array.from({ length: (cells + 2) ** 2 }, random),
  }))
  const [low, high] = [anyColour(random), anyColour(random)]
  const roughness = between(random, 0.35, 0.7)
  return pixelsOf(size, (x, y) => {
    let [sum, weight, total] = [0, 1, 0]
    for (const { cells, values } of octaves) {
      sum +=
        weight *
        interpolated(values, cells + 2, (x / size.width) * cells, (y / size.height) * cells)
      total += weight
      weight *= roughness
    }
    const share = sum / total
    const mix = (c: 0 | 1 | 2) => low[c] + (high[c] - low[c]) * share
    return [mix(0), mix(1), mix(2)]
  })
}

function interpolated(values: readonly number[], columns: number, x: number, y: number): number {
  const [col, row] = [Math.floor(x), Math.floor(y)]
  const value = (right: number, down: number) => values[(row + down) * columns + col + right] ?? 0
  const mix = (a: number, b: number, t: number) => a + (b - a) * t * t * (3 - 2 * t)
  const top = mix(value(0, 0), value(1, 0), x - col)
  return mix(top, mix(value(0, 1), value(1, 1), x - col), y - row)
}

/** Soft shapes with some noise, which stand in for photographs in tests. */
const softShapes: Draw = ({ width, height }, random) =>
  scene(Math.ceil(width / 3), Math.ceil(height / 3), 3, Math.floor(random() * 2 ** 31))

export const NOISE = { 'blank frame': blank, noise, clouds, 'soft shapes': softShapes }
