// What things cost, in milliseconds on one otherwise idle core of 2024 (AMD EPYC 9004). In
// production, clocks stand still while a Worker computes, so work is counted and not measured.

import type { ImageFormat } from './image/format.ts'

const MEGA = 1e-6

/** A byte of a file, at any depth: digests, and the searches for archives and images. */
export const BYTE_MS = 8 * MEGA
/** Work allowed for each byte sent: it is scanned as it came, and as part of a form. */
export const SENT_BYTE_MS = 2 * BYTE_MS
/** A chunk of a file, however short, to its readers; and to each image that it may belong to. */
export const CHUNK_MS = 0.003
export const IMAGE_CHUNK_MS = 0.006
/** A byte of a text, at any layer of escapes, whatever it is made of. */
export const TEXT_BYTE_MS = 110 * MEGA
/**
 * A code of a text, in each coding that has codes there: prose has one per byte, base64 four,
 * numbers three.
 */
export const CODE_MS = 25 * MEGA
/** A text: its searches. */
export const TEXT_MS = 0.15
/** A look at the first bytes of a possible file in a text. */
export const LOOK_MS = 0.002
/** An inflater: even checking whether a value is deflated takes one. */
export const INFLATER_MS = 0.03
/** A byte of inflated data, on top of that. */
export const INFLATED_BYTE_MS = 4 * MEGA
/** A file: its digests and readers. */
export const FILE_MS = 0.1
/** An instance of the core. */
export const DECODER_MS = 0.3
/** A frame: its plane and its hash. */
export const FRAME_MS = 1
/** A view of a frame: making and querying it. */
export const PROBE_MS = 0.1
/** A call of the Images binding. */
export const CONVERSION_MS = 20

/** A byte of the rows of a TIFF: 35 million of them took 400 ms. */
export const ROW_BYTE_MS = 11 * MEGA

/** A byte of fax data: a code or two. */
export const FAX_BYTE_MS = 25 * MEGA
/** A byte from LZW or from undoing a prediction, on top of its further processing. */
export const UNPACKED_BYTE_MS = 6 * MEGA
/** A byte of a PDF that is decrypted, mostly by RC4. */
export const DECRYPTED_BYTE_MS = 10 * MEGA
/** A byte of a PDF's objects, each time it is read, and of operators, each time they are run. */
export const PARSED_BYTE_MS = 60 * MEGA
/** A byte of a PDF's content, to find the operators that matter. */
export const OPERATOR_BYTE_MS = 20 * MEGA

/** A pixel that the core decodes. */
const PIXEL_MS = 3 * MEGA
/**
 * A step of the core's decoders: adding half a million pixels to a plane, or anything as slow
 * (assembly/luma/work.ts).
 */
export const STEP_MS = 4
/** Pixels that a byte of a JPEG can stand for: blank blocks take 6 bits. */
const JPEG_PIXELS_PER_BYTE = 86
/**
 * Pixels that a byte of other files can stand for, and those of a file whatever its size:
 * assembly/luma/work.ts.
 */
const PIXELS_PER_BYTE = 16
const FREE_PIXELS = 16_000_000

/** Libraries: an instance, and a pixel. */
const LIBRARY_MS = { webp: 5, avif: 10, heic: 20 } as const
const LIBRARY_PIXEL_MS = { webp: 40 * MEGA, avif: 150 * MEGA, heic: 150 * MEGA } as const

/** Reading the coefficients of a WebP: a macroblock, and a byte of them. */
export const MACROBLOCK_MS = 0.0006
export const RESIDUE_BYTE_MS = 90 * MEGA

/**
 * Applying a tone curve to a pixel of a library's picture, and drawing one on an animation's
 * canvas.
 */
export const TONED_PIXEL_MS = 5 * MEGA
export const CANVAS_PIXEL_MS = 20 * MEGA
/** Computing what programs show for a node of a grid of colours. */
export const NODE_MS = 0.001
/** Checking whether a picture shows something new. */
export const SCENE_MS = 0.05

/** The most that decoding this much of a file by the core can have cost. */
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

/** Cost of decoding with a library. */
export function libraryMs(
  format: keyof typeof LIBRARY_MS,
  { width, height }: { width: number; height: number },
): number {
  return LIBRARY_MS[format] + width * height * LIBRARY_PIXEL_MS[format]
}
