// Bounds of what a body may make the gate do. Those that operators set are in settings.ts.

/** Fields of a form beside its files, and parts of other kinds: each costs a scan of its own. */
export const MAX_FIELDS = 1000

/** Bytes of headers of a part: as many as busboy and undici take. */
export const MAX_PART_HEADER_BYTES = 16_000

/** Multipart bodies in parts of others. Forms of today have none; mail has two. */
export const MAX_MULTIPART_DEPTH = 3

/** Bytes that a compressed body may inflate to: digests of that many take half a second. */
export const MAX_INFLATED_BYTES = 128 * 1024 * 1024

/** Times that it may grow, from a megabyte on: pictures hardly do, texts tenfold; deflate reaches 1,030. */
export const MAX_INFLATE_RATIO = 100
/** Bytes that may be inflated whatever they come from. */
export const FREE_INFLATED_BYTES = 1024 * 1024

/** Content-Encodings of one body, one within another. */
export const MAX_ENCODINGS = 2
