/**
 * What one uploaded file, with everything nested in it, may make the scanner do. Anything beyond a
 * limit is reported, never dropped silently.
 */
export const SCAN_LIMITS = {
  /** Containers around a file. A picture in a document in a ZIP in a TAR.GZ has 4. */
  depth: 5,
  /** Entries of archives. Each costs digests, a decoder if it is an image, and a query of the list. */
  entries: 4096,
  /** Bytes inflated. They are digested, searched and decoded: about 12 ms a megabyte. */
  inflatedBytes: 256 * 1024 * 1024,
  /**
   * Bytes out for each byte in. Deflate's maximum is 1,032; texts reach 30, logs and blank bitmaps
   * 200.
   */
  ratio: 250,
  /** Bytes that one stream may inflate to at any ratio: small blank files compress best. */
  ratioFreeBytes: 4 * 1024 * 1024,
  /** Bytes of a ZIP's central directory: 1 KiB for each entry. Less than that is kept in memory. */
  directoryBytes: 4 * 1024 * 1024,
  /**
   * Bytes of WebP, AVIF and other images held whole until a library decodes them at the end of
   * their file.
   */
  heldBytes: 16 * 1024 * 1024,
  /**
   * Memory of all open decoders, at all depths: enough for the largest one, or for several smaller
   * ones.
   */
  decoderBytes: 32 * 1024 * 1024,
  /** Images found by their signatures: a scanned book has hundreds of pages. */
  embeddedImages: 512,
  /**
   * Places that look like the beginning of an image. Each may take an instance of the core, 0.3 ms.
   */
  embeddedStarts: 2048,
  /**
   * Files found by their signatures that are open at once: one, its previews, its other readings,
   * and some false starts.
   */
  embeddedAtOnce: 40,
  /**
   * Bytes of one AVIF, HEIC or WebP found by its signature. Files with tracks do not say where they
   * end.
   */
  embeddedHeldBytes: 4 * 1024 * 1024,
  /** Codings (base64, hex, numbers) around a file, nested in each other. */
  encodings: 2,
  /** Bytes of text searched for files written in it, counted again for each layer of escapes. */
  textBytes: 192 * 1024 * 1024,
  /**
   * Places in texts that look like the beginning of a file: a hundred in ten megabytes of noise, a
   * few thousand among zeros.
   */
  textLooks: 65_536,
  /**
   * Needles from views of images. Each takes 30 µs, and 30 to 70 µs more in a list of a million;
   * identities are not counted.
   */
  probes: 16_384,
  /** Planes kept for the wide set until everything else is known not to match: 256 KiB each. */
  keptPlanes: 16,
  /** Calls of the Images binding: each is billed and takes time. */
  conversions: 4,
  /** Milliseconds of work, in the unit of src/scan/work.ts: beyond it, decoding and unpacking stop. */
  workMs: 15_000,
}

export type ScanLimits = Record<keyof typeof SCAN_LIMITS, number>
