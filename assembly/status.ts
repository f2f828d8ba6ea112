// A decoder's status after it has done what it can with the input so far. src/core/image.ts has
// their public names.

/** All input is used: give more, or say that it was the last. */
export const MORE: i32 = 0
/** A frame is in the plane: hash it, then call again. */
export const FRAME: i32 = 1
/** The last frame is in the plane, and no more input is needed. */
export const DONE: i32 = 2

/** What the file says about its tones is known: set a curve, if there is one, and call again. */
export const TONES: i32 = 3
/**
 * Much was done at once, and more can be done without input: let other tasks run, and call again.
 */
export const PAUSED: i32 = 4

/** Inside decoders: that step is done, take the next. The host never sees it. */
export const CONTINUE: i32 = 100

/** Not the claimed format, or contradicts itself in a way that cannot be ignored. */
export const DAMAGED: i32 = -1
/** Ends before half of its rows. */
export const TRUNCATED: i32 = -2
/** Needs more memory than an image may have. */
export const OVER_BUDGET: i32 = -3
/** More pixels, scans or work than an image may have. */
export const OVER_LIMIT: i32 = -4
/** A legal variant that nothing on the web uses: arithmetic coding, lossless, hierarchical, 12 bits. */
export const UNSUPPORTED: i32 = -5
/** Its coefficients show a picture that the kept ones do not have. */
export const OUT_OF_RANGE: i32 = -6
