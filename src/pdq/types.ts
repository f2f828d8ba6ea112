import type { DihedralName } from '../util/hash.ts'

/** A compiled WebAssembly module; any object if the platform's types do not include WebAssembly. */
export type WasmModule = typeof globalThis extends {
  WebAssembly: { Module: { prototype: infer Module } }
}
  ? Module
  : object

/** An image: the bytes of a whole file (JPEG, PNG, GIF or BMP), or pixels. */
export type PdqImage = ArrayBuffer | Uint8Array | PdqPixels

/** Pixels in rows from top to bottom, as a canvas gives them (`ImageData`). */
export interface PdqPixels {
  /** Pixels, 1 to 65535. */
  readonly width: number
  /** Pixels, 1 to 65535. */
  readonly height: number
  /** For each pixel 4 bytes (red, green, blue, alpha, which is ignored), 3 (red, green, blue) or 1 (luma). */
  readonly data: Uint8Array | Uint8ClampedArray
}

/** The hash of an image, and how much it says about the image. */
export interface PdqHash {
  /** 64 lower-case hex digits. */
  hash: string
  /** 0 (blank) to 100. Do not trust matches of images under 50. */
  quality: number
}

/** The hashes of an image's eight dihedral variants. */
export interface PdqDihedral {
  /** 64 lower-case hex digits each. */
  hashes: Record<DihedralName, string>
  /** 0 (blank) to 100, of the original. */
  quality: number
}
