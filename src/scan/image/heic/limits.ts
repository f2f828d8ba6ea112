/**
 * What libheif may take of memory, the file included: 39.7 MB. Measured: images without tiles to 4 megapixels fit, and rows of
 * tiles of 512 x 512 of any phone's.
 */
export const MEMORY_PAGES = 606

/** Pixels of a tile, or of an image that has none. */
export const MAX_TILE_PIXELS = 4_000_000

/** Pixels of an image in tiles: its rows of tiles are decoded one after another. */
export const MAX_PIXELS = 100_000_000
