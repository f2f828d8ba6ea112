import sharp from 'sharp'
import type { Reader, Shown } from './reading.ts'

// Threads for a picture this small take longer than it does.
sharp.concurrency(1)
sharp.cache(false)

/** libvips, which turns pictures as browsers do. */
export const SHARP: Reader = { program: 'libvips', read: readBySharp }

async function readBySharp(file: Uint8Array): Promise<Shown | undefined> {
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
