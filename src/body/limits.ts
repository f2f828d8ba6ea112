// Limits on the work that a body may cause. Those that operators set are in settings.ts.

/** Most fields of a form beside its files, and parts of other kinds: each costs a scan. */
export const MAX_FIELDS = 1000

/** Longest headers of a part, in bytes: as many as busboy and undici accept. */
export const MAX_PART_HEADER_BYTES = 16_000

/** Deepest nesting of multipart bodies. Today's forms do not nest; mail nests two levels. */
export const MAX_MULTIPART_DEPTH = 3

/** Most bytes that a compressed body may inflate to: digests of that many take half a second. */
export const MAX_INFLATED_BYTES = 128 * 1024 * 1024

/**
 * Most times that it may grow, from the first megabyte on. Pictures hardly grow, texts grow
 * tenfold; deflate reaches 1,030.
 */
export const MAX_INFLATE_RATIO = 100
/** Bytes that may be inflated whatever the ratio. */
export const FREE_INFLATED_BYTES = 1024 * 1024

/** Most Content-Encodings of one body. */
export const MAX_ENCODINGS = 2
