import { scene } from './scene.ts'

/** A scene in black and white by Floyd and Steinberg: bits, 1 for white, in rows that begin with a byte. */
export function dithered(
  width: number,
  height: number,
  seed: number,
): { width: number; height: number; bits: Uint8Array<ArrayBuffer> } {
  const levels = Float32Array.from(scene(width, height, 1, seed).data)
  const rowBytes = Math.ceil(width / 8)
  const bits = new Uint8Array(rowBytes * height)
  const spread = (x: number, y: number, error: number) => {
    if (x >= 0 && x < width && y < height)
      levels[y * width + x] = (levels[y * width + x] ?? 0) + error
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = levels[y * width + x] ?? 0
      const isWhite = level >= 128
      const at = y * rowBytes + (x >> 3)
      if (isWhite) bits[at] = (bits[at] ?? 0) | (128 >> (x & 7))
      const error = level - (isWhite ? 255 : 0)
      spread(x + 1, y, (error * 7) / 16)
      spread(x - 1, y + 1, (error * 3) / 16)
      spread(x, y + 1, (error * 5) / 16)
      spread(x + 1, y + 1, error / 16)
    }
  }
  return { width, height, bits }
}
