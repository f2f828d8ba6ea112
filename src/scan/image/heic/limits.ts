/**
 * Memory that libheif may take, including the file: 39.7 MB. Measured: images without tiles fit up
 * to 4 megapixels, and so do rows of any phone's 512 x 512 tiles.
 */
export const MEMORY_PAGES = 606

/** Maximum pixels of a tile, or of an image without tiles. */
export const MAX_TILE_PIXELS = 4_000_000

/** Maximum pixels of a tiled image: its rows of tiles are decoded one after another. */
export const MAX_PIXELS = 100_000_000
