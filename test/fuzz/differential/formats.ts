/** Formats that are compared with other programs. */
export const FORMATS = ['jpeg', 'png', 'gif', 'bmp', 'webp', 'avif', 'tiff'] as const
export type ComparedFormat = (typeof FORMATS)[number]
