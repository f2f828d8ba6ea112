/**
 * Limits of the library decoders for WebP and AVIF. Their memory never shrinks, is several times
 * the picture's, and depends on the encoding, so it is capped in the modules themselves
 * (scripts/build.ts). The pixels that they hand over take 4 bytes each on top: together at most
 * 40.4 MB.
 */
export const LIBRARY_LIMITS = {
  /**
   * 26.0 MB and 14.4 MB. Measured: lossy pictures fit up to 3.6 megapixels, lossless ones up to
   * about 1.8.
   */
  webp: { memoryPages: 397, maxPixels: 3_600_000 },
  /**
   * 34.7 MB and 5.2 MB. Measured: photographs fit up to 1.3 megapixels; noise at high quality does
   * not.
   */
  avif: { memoryPages: 530, maxPixels: 1_300_000 },
} as const

export type LibraryFormat = keyof typeof LIBRARY_LIMITS
