/**
 * What the library decoders of WebP and AVIF may take. Their memory never shrinks, is several times that of the picture,
 * and depends on how it was encoded, so it is capped in the modules themselves (scripts/build.ts). Beside it lie the pixels
 * that they hand over, 4 bytes each: together at most 40.4 MB.
 */
export const LIBRARY_LIMITS = {
  /** 26.0 MB and 14.4 MB. Measured: lossy to 3.6 megapixels fits; lossless fits to about 1.8. */
  webp: { memoryPages: 397, maxPixels: 3_600_000 },
  /** 34.7 MB and 5.2 MB. Measured: photographs to 1.3 megapixels fit; noise at high quality does not. */
  avif: { memoryPages: 530, maxPixels: 1_300_000 },
} as const

export type LibraryFormat = keyof typeof LIBRARY_LIMITS
