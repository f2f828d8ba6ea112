import { open, type Pixels } from './pixels.ts'

/** Writes the file to upload. */
export type Encode = (pixels: Pixels) => Promise<Uint8Array>

export function jpeg(quality: number): Encode {
  return (pixels) => open(pixels).jpeg({ quality }).toBuffer()
}

export function webp(quality: number): Encode {
  return (pixels) => open(pixels).webp({ quality, effort: 2 }).toBuffer()
}

export function avif(quality: number): Encode {
  return (pixels) => open(pixels).avif({ quality, effort: 1 }).toBuffer()
}

export const png: Encode = (pixels) => open(pixels).png({ compressionLevel: 3 }).toBuffer()
export const gif: Encode = (pixels) => open(pixels).gif({ effort: 1 }).toBuffer()

/** A JPEG whose stored pixels need the Exif orientation to be shown as they were. */
export function orientedJpeg(orientation: 2 | 3 | 5 | 6 | 8): Encode {
  return (pixels) => {
    const image = open(pixels)
    const stored = {
      2: () => image.flop(),
      3: () => image.rotate(180),
      5: () => image.flip().rotate(90),
      6: () => image.rotate(270),
      8: () => image.rotate(90),
    }
    return stored[orientation]().withMetadata({ orientation }).jpeg({ quality: 85 }).toBuffer()
  }
}
