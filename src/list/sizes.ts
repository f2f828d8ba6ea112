/** Most entries of a segment. A table costs a needle little more for many hashes than for few, so segments are large. */
export const MAX_SEGMENT_ENTRIES = 1 << 20

/** Perceptual hashes of a part of a segment: 1 MiB, of which a reader briefly holds two copies in addition to its own. */
export const PART_ENTRIES = 1 << 16

/** Entries of a detail block: one is read for a candidate. */
export const BLOCK_ENTRIES = 1024
