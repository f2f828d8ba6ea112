import sharp, { type FailOnOptions, type Sharp } from 'sharp'
import { lumaFromRgb } from '../reference/pdq.ts'
import { difference } from './decode.ts'
import { type Raw, scene } from './scene.ts'

/** PNG where any file will do: it is written in less than half the time, and as fast to scan. Raw pixels are not: texts are sought in them. */
export const FAST_PNG = { compressionLevel: 1 } as const

const drawn = new Map<string, Raw>()

/** A picture for libvips to encode. Each is drawn once. */
export function picture(
  width: number,
  height: number,
  channels: Raw['channels'] = 3,
  seed = 1,
): Sharp {
  const key = [width, height, channels, seed].join()
  const raw = drawn.get(key) ?? scene(width, height, channels, seed)
  drawn.set(key, raw)
  return sharp(raw.data, { raw: { width, height, channels } })
}

/** A picture of any size: a scene that libvips enlarges. */
export function largePicture(width: number, height: number, seed = 1): Sharp {
  return picture(800, 600, 3, seed).resize(width, height, { fit: 'fill', kernel: 'cubic' })
}

/** A file as libvips decodes it. */
export interface SharpDecoded {
  /** Luma of its pixels, alpha dropped. */
  luma: Float32Array
  /** Whether no channel of a pixel is at an end of its range, where it may have been clamped. */
  isInside: boolean[]
}

export async function decodeBySharp(
  file: Uint8Array,
  failOn: FailOnOptions = 'warning',
): Promise<SharpDecoded> {
  const { pixels, channels } = await pixelsBySharp(file, failOn)
  const isInside = Array.from({ length: pixels.length / channels }, () => true)
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at] === 0 || pixels[at] === 255) isInside[Math.floor(at / channels)] = false
  }
  return { luma: lumaOf(pixels, channels), isInside }
}

/** Luma of a file's pixels as libvips decodes them, alpha dropped. */
export async function lumaBySharp(file: Uint8Array): Promise<Float32Array> {
  const { pixels, channels } = await pixelsBySharp(file)
  return lumaOf(pixels, channels)
}

async function pixelsBySharp(
  file: Uint8Array,
  failOn: FailOnOptions = 'warning',
): Promise<{ pixels: Uint8Array; channels: number }> {
  const image = sharp(file, { failOn }).toColourspace('srgb').removeAlpha()
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
  return { pixels: data, channels: info.channels }
}

function lumaOf(pixels: Uint8Array, channels: number): Float32Array {
  return channels === 1 ? Float32Array.from(pixels) : lumaFromRgb(pixels, channels)
}

/** How far luma is from that of libvips, in pixels that were not clamped. */
export function differenceToSharp(
  luma: Float32Array,
  decoded: SharpDecoded,
): { max: number; mean: number } {
  const inside = (values: Float32Array) => values.filter((_, i) => decoded.isInside[i])
  return difference(inside(luma), inside(decoded.luma))
}
