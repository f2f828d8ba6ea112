/** Most entries of a segment: the positions of a table have 18 bits. */
export const MAX_SEGMENT_ENTRIES = 1 << 18

/** Perceptual hashes of a part of a segment: 1 MiB, of which a reader holds two copies beside its own for a moment. */
export const PART_ENTRIES = 1 << 16

/** Entries of a detail block: one is read for a candidate. */
export const BLOCK_ENTRIES = 1024

/** Values that the second halves of a segment are in: two slots each. */
export const TAILS = 4
