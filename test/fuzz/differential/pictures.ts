import sharp, { type Sharp } from 'sharp'
import { scene } from '../../support/scene.ts'
import { below, pick, type Random } from '../choose.ts'

// Small, so that tens of thousands of files take minutes.
const SIZES = [
  [96, 72],
  [72, 96],
  [100, 75],
  [65, 65],
  [118, 90],
] as const

/** Pixels of a side of the scenes that pictures are parts of. */
const SIDE = 128
const SCENES = [1, 2, 3, 4].map((seed) => scene(SIDE, SIDE, 4, seed).data)

/** A picture, red, green, blue and alpha of each pixel; behind its sides, those of the nearest pixel. */
export interface SmallPicture {
  width: number
  height: number
  channel: (x: number, y: number, channel: number) => number
}

export function smallPicture(random: Random): SmallPicture {
  const [width, height] = pick(SIZES, random)
  const pixels = pick(SCENES, random)
  const [left, top] = [below(SIDE - width, random), below(SIDE - height, random)]
  const channel = (x: number, y: number, c: number) => {
    const row = top + Math.min(y, height - 1)
    return pixels[(row * SIDE + left + Math.min(x, width - 1)) * 4 + c] ?? 0
  }
  return { width, height, channel }
}

/** A picture for libvips to encode. */
export function sharpPicture(random: Random, channels: 3 | 4 = 3): Sharp {
  const { width, height, channel } = smallPicture(random)
  const data = new Uint8Array(width * height * channels)
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / channels)
    data[i] = channel(pixel % width, Math.floor(pixel / width), i % channels)
  }
  return sharp(data, { raw: { width, height, channels } })
}
