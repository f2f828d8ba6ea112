import type { ImageExports } from '../../src/core/image-exports.ts'

/** Exports of assembly/image.ts that only tests and benchmarks call: the stages of PDQ. */
export interface ImageStages extends ImageExports {
  lumaFromRgb(pixels: number, count: number, luma: number): void
  lumaFromRgba(pixels: number, count: number, luma: number, alpha: number): void
  lumaFromGrey(pixels: number, count: number, luma: number): void
  quality64(block: number): number
  dct64To16(block: number, out: number): void
  median256(values: number): number
  hashBits(values: number, out: number): void
}
