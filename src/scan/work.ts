// What things cost, in milliseconds of a core of 2024 (AMD EPYC 9004) that does nothing else. In production clocks stand still
// while a Worker computes, so work is counted and not measured.

import type { ImageFormat } from './image/format.ts'

const MEGA = 1e-6

/** A byte of a file, at any depth: digests, and the searches for archives and images. */
export const BYTE_MS = 8 * MEGA
/** What each byte that is sent adds to the work that an upload may make: it is scanned as it arrives, and as part of a form. */
export const SENT_BYTE_MS = 2 * BYTE_MS
/** A byte of a text, also beneath escapes, in each of the codings that it is read in: 30 of prose, 120 of base64, 250 of numbers. */
export const TEXT_BYTE_MS = 80 * MEGA
/** Inspecting the first bytes of a possible file in a text: some are inflated. */
export const LOOK_MS = 0.01
/** Looking whether a value is deflated. */
export const INFLATING_MS = 0.05
/** A byte that comes out of inflating, in addition. */
export const INFLATED_BYTE_MS = 4 * MEGA
/** A file: its digests and readers. */
export const FILE_MS = 0.1
/** An instance of the core. */
export const DECODER_MS = 0.3
/** A frame: its plane and its hash. */
export const FRAME_MS = 1
/** A view of a frame: made, and asked about. */
export const PROBE_MS = 0.1
/** A query of a list of a million with one needle. */
export const NEEDLE_MS = 0.07
/** A call of the Images binding. */
export const CONVERSION_MS = 20

/** A byte of the rows of a TIFF: 35 million of them took 400 ms. */
export const ROW_BYTE_MS = 11 * MEGA

/** A byte of fax data: a code or two. */
export const FAX_BYTE_MS = 25 * MEGA
/** A byte that comes out of LZW, or of undoing a prediction, beside what becomes of it. */
export const UNPACKED_BYTE_MS = 6 * MEGA
/** A byte of the objects of a PDF, each time that it is read. */
export const PARSED_BYTE_MS = 60 * MEGA

/** A pixel that the core decodes. */
const PIXEL_MS = 3 * MEGA
/** A step of the core's decoders: half a million pixels are added to a plane, or what takes as long (assembly/luma/work.ts). */
export const STEP_MS = 4
/** Pixels that a byte of a JPEG may have: blank blocks of 6 bits. */
const JPEG_PIXELS_PER_BYTE = 86
/** Pixels that a byte of other files may have, and a file whatever its size: assembly/luma/work.ts. */
const PIXELS_PER_BYTE = 16
const FREE_PIXELS = 16_000_000

/** Libraries: an instance, and a pixel. */
const LIBRARY_MS = { webp: 5, avif: 10, heic: 20 } as const
const LIBRARY_PIXEL_MS = { webp: 40 * MEGA, avif: 150 * MEGA, heic: 150 * MEGA } as const

/** A pixel of a library's picture by a tone curve, and one that is drawn on the canvas of an animation. */
export const TONED_PIXEL_MS = 5 * MEGA
export const CANVAS_PIXEL_MS = 20 * MEGA
/** Telling whether a picture shows something new. */
export const SCENE_MS = 0.05

/** The most that decoding `bytes` of a file by the core can have cost. */
export function decodingMs(
  format: ImageFormat,
  { width, height }: { width: number; height: number },
  bytes: number,
  isOver: boolean,
): number {
  const perByte = format === 'jpeg' ? JPEG_PIXELS_PER_BYTE : PIXELS_PER_BYTE
  const free = isOver && format !== 'jpeg' ? FREE_PIXELS : 0
  return Math.min(width * height, free + bytes * perByte) * PIXEL_MS
}

/** What decoding by a library costs. */
export function libraryMs(
  format: keyof typeof LIBRARY_MS,
  { width, height }: { width: number; height: number },
): number {
  return LIBRARY_MS[format] + width * height * LIBRARY_PIXEL_MS[format]
}
