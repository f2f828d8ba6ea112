import sharp from 'sharp'
import type { Shown } from './reading.ts'

/** What libvips shows of a file, as browsers would turn it; `undefined`: nothing. */
export async function readBySharp(file: Uint8Array): Promise<Shown | undefined> {
  try {
    const image = sharp(file, { failOn: 'none', limitInputPixels: 4_000_000 }).autoOrient()
    const { data, info } = await image
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 4) return undefined
    return { width: info.width, height: info.height, pixels: data }
  } catch {
    return undefined
  }
}
