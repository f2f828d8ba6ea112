import { type Edit, open, type Pixels, settle } from '../pixels.ts'

/** Applies a curve from 0 to 255 to each channel. */
function curve(of: (value: number) => number): Edit {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => Math.round(of(value)))
  return (pixels) => Promise.resolve(mapBytes(pixels, table))
}

function mapBytes(pixels: Pixels, table: Uint8ClampedArray): Pixels {
  const data = new Uint8Array(pixels.data.length)
  for (let i = 0; i < data.length; i++) data[i] = table[pixels.data[i] ?? 0] ?? 0
  return { ...pixels, data }
}

export const brightness = (factor: number) => curve((value) => value * factor)
export const contrast = (factor: number) => curve((value) => 128 + (value - 128) * factor)
export const gamma = (exponent: number) => curve((value) => 255 * (value / 255) ** exponent)
export const invert = curve((value) => 255 - value)

/** Rec. 601 luma in every channel. */
export const grey: Edit = (pixels) => {
  const luma: [number, number, number] = [0.299, 0.587, 0.114]
  return settle(open(pixels).recomb([luma, luma, luma]))
}

export function saturation(factor: number): Edit {
  return (pixels) => settle(open(pixels).modulate({ saturation: factor }))
}

/** The usual sepia filter (the matrix of the W3C's filter effects). */
export const sepia: Edit = (pixels) =>
  settle(
    open(pixels).recomb([
      [0.393, 0.769, 0.189],
      [0.349, 0.686, 0.168],
      [0.272, 0.534, 0.131],
    ]),
  )

export const warm: Edit = (pixels) => settle(open(pixels).linear([1.12, 1, 0.82], [0, 0, 0]))

export function blur(sigma: number): Edit {
  return (pixels) => settle(open(pixels).blur(sigma))
}

export function sharpen(sigma: number): Edit {
  return (pixels) => settle(open(pixels).sharpen({ sigma }))
}

/** Approximately normal noise: a sum of four numbers. */
export function noise(deviation: number): Edit {
  const scale = deviation * Math.sqrt(3)
  return (pixels, random) => {
    const data = new Uint8ClampedArray(pixels.data)
    for (let i = 0; i < data.length; i++) {
      const sum = random() + random() + random() + random() - 2
      data[i] = (data[i] ?? 0) + sum * scale
    }
    return Promise.resolve({ ...pixels, data: new Uint8Array(data.buffer) })
  }
}
